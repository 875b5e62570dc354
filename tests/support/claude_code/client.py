"""The real client in a home folder of its own, pointed at the stand-in for the Messages API."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.claude_code.player import PATIENCE, Talk
from tests.support.claude_code.publication import REPOSITORY
from tests.support.claude_code.transcript import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.claude_code.messages import Messages
    from tests.support.claude_code.player import Until
    from tests.support.claude_code.script import Json, Reply

PLUGIN = "memory"
MARKETPLACE = "claude-memory"

# No real key is ever given to the client, and it can reach nothing but the stand-in.
_QUIET = {
    "ANTHROPIC_API_KEY": "no-key-is-needed-here",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}


class Client:
    """One user's Claude Code: a home folder, an environment, and what can be done with them."""

    def __init__(self, binary: Path, folder: Path, messages: Messages, gitconfig: str) -> None:
        """Prepare an empty home folder below `folder`."""
        self.messages = messages
        self._binary = binary
        self._folder = folder
        self._played = 0
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.bin = folder / "bin"
        self.bin.mkdir()
        (folder / "tmp").mkdir()
        (self.home / ".gitconfig").write_text(gitconfig)
        (self.bin / "claude").symlink_to(binary)
        (self.bin / "python3").symlink_to(Path(sys.executable).resolve())
        (self.bin / "git").symlink_to(shutil.which("git") or "/usr/bin/git")
        self.env = {
            **_QUIET,
            "ANTHROPIC_BASE_URL": messages.url,
            "HOME": str(self.home),
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "TMPDIR": str(folder / "tmp"),
        }

    @property
    def database(self) -> Path:
        """Where the plugin keeps the memories of this user."""
        return self.home / ".claude/claude-memory/memory/memory.db"

    def project(self, name: str) -> Path:
        """Return a project folder of this user, made when it is new."""
        folder = self._folder / "projects" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the client's own commands to its end."""
        return subprocess.run(
            [self._binary, *arguments],
            cwd=self.project("main"),
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def install(self, source: str = REPOSITORY) -> None:
        """Install the plugin in one step, as the README tells a user to."""
        done = self.run("plugin", "install", PLUGIN, "--marketplace", source)
        assert done.returncode == 0, done.stdout + done.stderr

    def uninstall(self) -> None:
        """Remove the plugin, as a user does who keeps nothing."""
        done = self.run("plugin", "uninstall", f"{PLUGIN}@{MARKETPLACE}")
        assert done.returncode == 0, done.stdout + done.stderr

    def installed(self) -> list[Json]:
        """Return the client's own list of installed plugins."""
        done = self.run("plugin", "list", "--json")
        assert done.returncode == 0, done.stderr
        plugins: list[Json] = json.loads(done.stdout)
        return plugins

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Read from the memory database, which may not exist yet; nothing is written."""
        if not self.database.is_file():
            return []
        with contextlib.closing(
            sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)
        ) as connection:
            return connection.execute(statement).fetchall()

    def processes(self) -> list[str]:
        """Return the command lines that still run from this user's home folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            # A process may end between the listing and the look at it.
            with contextlib.suppress(OSError):
                line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found += [line] if str(self.home) in line else []
        return found

    def play(
        self,
        steps: Sequence[str | Until],
        turns: Sequence[Reply] = (),
        *,
        project: str = "main",
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Session:
        """Hold one session: say each prompt when the one before was answered, then leave."""
        self._played += 1
        log = self._folder / f"session-{self._played}.log"
        first = len(self.messages.requests)
        self.messages.script.load(turns)
        command = [str(self._binary), "--debug-file", str(log), *options]
        talk = Talk(command, cwd=self.project(project), env={**self.env, **(env or {})})
        talk.hold(steps)
        return Session(
            events=talk.events,
            requests=self.messages.requests[first:],
            log=log.read_text(errors="replace") if log.exists() else "",
            stderr=talk.stderr,
            returncode=talk.returncode,
        )
