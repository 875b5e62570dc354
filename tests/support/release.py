"""A release of the chart that really runs: its database, its pods, and the Service before them.

One release can be brought to a next version, which needs a next schema.
"""

from __future__ import annotations

import compileall
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import psycopg

from backend.embedded import EmbeddedPostgres
from tests.support import load, plugins_at_work
from tests.support.chart import ROOT, one, pods, render
from tests.support.kubelet import Deployment, Node, Pod
from tests.support.round_robin import Proxy

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    Manifest = dict[str, Any]

NEXT = '''"""One thing more, as a next version would have it."""

from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE memories ADD COLUMN colour TEXT")


def downgrade() -> None:
    raise NotImplementedError
'''
TABLE = ROOT / "plugin" / "mcp" / "claude_memory" / "store" / "embedding.bin"
PLENTY = ("settings.rate=1000000", "settings.burst=1000000")


def next_version(folder: Path) -> Path:
    """Make a next version of the server, which needs a next schema."""
    for name in ("backend", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TABLE, folder / "backend" / "ranking")
    newest = max(path.name[:4] for path in (folder / "migrations" / "versions").glob("0*.py"))
    (folder / "migrations" / "versions" / "9999_next.py").write_text(NEXT.format(newest=newest))
    needed = folder / "backend" / "migrate.py"
    text = needed.read_text()
    needed.write_text(re.sub(r'(?m)^NEEDED = "\d+"', 'NEEDED = "9999"', text))
    assert needed.read_text() != text
    (folder / "backend" / "version.py").write_text('"""Next."""\n\nVERSION = "9.9.9"\n')
    compileall.compile_dir(folder, quiet=1)  # as an image is
    return folder


class Cluster:
    """The release of the chart, on a database that can be restarted."""

    def __init__(self, folder: Path) -> None:
        """Start the database; its socket has a name that stays."""
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "pg", throwaway=True)
        self.socket = folder / "socket"
        url = self.start_database()
        images = {"claude-memory:0.1.0": ROOT, "claude-memory:9.9.9": next_version(folder / "next")}
        person = {plugins_at_work.USER: plugins_at_work.KEY}
        keys = {"api-key": load.KEY, "api-keys": json.dumps(person)}
        secrets = {"claude-memory-secrets": {"database-url": url, **keys}}
        (folder / "logs").mkdir()
        names: dict[str, str] = {}
        self.url, self.node = url, Node(images, secrets, folder / "logs", names)
        self.manifests = self.rendered("0.1.0")
        self.deployment = Deployment(one(self.manifests, "Deployment"), self.node)
        self.proxy = Proxy(lambda: self.deployment.pods)
        self.address = f"http://127.0.0.1:{self.proxy.port}"
        names["http://claude-memory:80"] = self.address

    def __enter__(self) -> Self:
        """Migrate, then start the pods and wait until they serve."""
        try:
            self.migrate(self.manifests)
            self.deployment.start()
            self.deployment.wait(lambda: bool(self.proxy.known()), "the Service to find its pods")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self.proxy.close()
        self.deployment.end()
        self.postgres.stop()

    @staticmethod
    def rendered(version: str) -> list[Manifest]:
        """Render the chart for a version."""
        return render("existing-secret", f"image.tag={version}", *PLENTY)

    def start_database(self) -> str:
        """Start it, and let the name lead to it; return a URL that stays."""
        database, _, socket = self.postgres.start().partition("?host=")
        self.socket.unlink(missing_ok=True)
        self.socket.symlink_to(socket)
        return f"{database}?host={self.socket}"

    def migrate(self, manifests: list[Manifest]) -> None:
        """Run the migration Job as it is rendered."""
        pod = Pod(pods(manifests)["Job"], self.node)
        assert pod.run() == 0, pod.log.read_text()

    def versions(self) -> set[str]:
        """Return which versions serve."""
        found = {pod.container["image"] for pod in self.deployment.available()}
        return {image.partition(":")[2] for image in found}

    def stored_by(self, user: str) -> list[str]:
        """Return the text of every memory of a user."""
        query = "SELECT content FROM memories JOIN accounts a ON a.id = account_id WHERE name = %s"
        with psycopg.connect(self.url) as connection:
            return [text for (text,) in connection.execute(query, [user])]
