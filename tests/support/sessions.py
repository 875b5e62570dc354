"""Client sessions: real processes of the plugin's MCP server on a data folder of the test's own."""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from claude_memory import paths

from tests.support.stdio_peer import CLIENT, Peer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Answer(NamedTuple):
    """What a tool said, and whether it refused."""

    text: str
    refused: bool


SERVER = (sys.executable, "-S", "-E", str(CLIENT / "server.py"))
LABEL = re.compile(r"memory (L\d+)")
# Everything is loaded first: the other user may not be allowed to read where Python lives.
OTHER_USER = """
import fcntl, os, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import claude_memory
for found in pkgutil.walk_packages(claude_memory.__path__, "claude_memory."):
    if not found.name.endswith("__main__"):
        __import__(found.name)
from claude_memory import __main__
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
raise SystemExit(__main__.main(sys.argv[2:]))
"""


class Died(Exception):
    """The server's output ended before it answered."""


class Session:
    """One client session: a server process, spoken to tool by tool."""

    def __init__(
        self,
        home: object,
        *,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = SERVER,
    ) -> None:
        """Start the server on the data folder `home`, in an environment of its own."""
        self.home = Path(str(home))
        self._last = 0
        around = {name: os.environ.get(name, "") for name in ("HOME", "PATH", "SYSTEMROOT")}
        folder = {"MEMORY_HOME": str(home), "CLAUDE_PROJECT_DIR": str(Path(str(home)).parent)}
        self.peer = Peer(command, {**around, **folder, **(environ or {})})

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *details: object) -> None:
        self.leave()
        self.peer.__exit__(*details)

    def leave(self) -> int:
        """Close the server's input, as a client does at its end; return the exit code."""
        self.peer.close()
        return self.peer.end()

    def kill(self) -> None:
        """Kill the server as kill -9 does."""
        self.peer.process.kill()

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self.peer.process.pid

    def ask(self, method: str, params: object = None) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises:
            Died: there came none.
        """
        self._last += 1
        try:
            self.peer.ask(self._last, method, params)
        except OSError as error:
            raise Died from error
        line = self.peer.hear_line()
        if not line.endswith(b"\n"):
            raise Died
        answer = json.loads(line)
        assert answer["id"] == self._last, answer
        assert isinstance(answer, dict)
        return answer

    def call(self, tool: str, **arguments: object) -> Answer:
        """Call a tool.

        Raises:
            Died: the server did.
        """
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments})
        result = answer["result"]
        return Answer(result["content"][0]["text"], result["isError"])

    def done(self, tool: str, **arguments: object) -> str:
        """Call a tool that must not refuse; return what it said."""
        answer = self.call(tool, **arguments)
        assert not answer.refused, f"{tool} {arguments}: {answer.text}"
        return answer.text

    def refused(self, tool: str, **arguments: object) -> str:
        """Call a tool that must refuse with a reason; return what it said."""
        answer = self.call(tool, **arguments)
        assert answer.refused, f"{tool} {arguments}: {answer.text}"
        assert "Internal error" not in answer.text, f"{tool} {arguments}: {answer.text}"
        return answer.text

    def store(self, content: str, **arguments: object) -> str:
        """Store a memory; return its label."""
        return label(self.done("memory_store", content=content, **arguments))

    def contents(self) -> list[str]:
        """Return the contents of what memory_list shows (at most 100), newest first."""
        lines = self.done("memory_list", limit=100, scope="all").splitlines()
        read = json.JSONDecoder().raw_decode
        return [read(line, line.index('"'))[0] for line in lines if '"' in line]


def as_other_user(home: object) -> Session:
    """Start a session whose server runs as nobody where this process is root, else as oneself."""
    return Session(home, command=(sys.executable, "-S", "-E", "-c", OTHER_USER, str(CLIENT)))


def within_file_size(home: object, kilobytes: int) -> Session:
    """Start a session whose server cannot write a file beyond a size; the limit can be lifted."""
    program = " ".join(map(shlex.quote, SERVER))
    return Session(home, command=("/bin/sh", "-c", f"ulimit -S -f {kilobytes * 2}; exec {program}"))


def label(text: str) -> str:
    """Return the label of the first memory that an answer names."""
    found = LABEL.search(text)
    assert found, text
    return found[1]


def database(home: object) -> Path:
    """Return the path of the store in a data folder."""
    return Path(paths.database(str(home)))


def stranger(home: object) -> closing[sqlite3.Connection]:
    """Open the store as another program does, which takes its locks when it wants."""
    return closing(sqlite3.connect(str(database(home)), isolation_level=None))


def rows(home: object, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Read the store as any other program would."""
    connection = sqlite3.connect(database(home).as_uri() + "?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def assert_sound(home: object) -> None:
    """Check the tables, their indexes, and the full-text index against the memories."""
    connection = sqlite3.connect(str(database(home)), isolation_level=None, timeout=30)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.execute(
            "INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)"
        )
    finally:
        connection.close()


def files_with(folder: object, text: str) -> list[str]:
    """Return the files below a folder that hold a text, in UTF-8 or UTF-16, in any case."""
    wanted = [text.lower().encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    found = []
    for path in filter(Path.is_file, sorted(Path(str(folder)).rglob("*"))):
        with suppress(FileNotFoundError):  # a journal ends with its transaction
            held = path.read_bytes().lower()
            if any(one in held for one in wanted):
                found.append(str(path))
    return found
