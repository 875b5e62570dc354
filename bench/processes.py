"""Real processes of the plugin, and the CPU time they use. It needs Linux: /proc tells it."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PLUGIN = Path(__file__).resolve().parent.parent / "plugin"
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
PATIENCE = 60.0  # seconds until a process counts as hung
PROJECT = "project"


class Server:
    """One MCP server process, started with the command line of plugin/.mcp.json."""

    def __init__(self, home: Path, session: str = "bench", **environ: str) -> None:
        """Start it on a data folder; nothing is said to it yet."""
        server = json.loads((PLUGIN / ".mcp.json").read_text("utf-8"))["mcpServers"]["memory"]
        rest = [part.replace("${CLAUDE_PLUGIN_ROOT}", str(PLUGIN)) for part in server["args"]]
        self.process = subprocess.Popen(
            [interpreter(server["command"]), *rest],
            env=surroundings(home, CLAUDE_CODE_SESSION_ID=session, **environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._last = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.leave()

    def close(self) -> None:
        """Close its input; what it no longer reads is for nobody."""
        assert self.process.stdin
        with suppress(OSError):
            self.process.stdin.close()

    def leave(self) -> None:
        """Close its input and wait until it has ended."""
        assert self.process.stdout
        self.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def initialize(self) -> None:
        """Open the session as a client does."""
        self.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={})

    def tell(self, method: str, **params: object) -> None:
        """Send a request without waiting for its answer."""
        assert self.process.stdin
        self._last += 1
        request = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Send a request and return its result.

        Raises:
            RuntimeError: the server refused, or left.
        """
        assert self.process.stdout
        self.tell(method, **params)
        line = self.process.stdout.readline()
        result = json.loads(line or b"{}").get("result")
        if not isinstance(result, dict) or result.get("isError"):
            raise RuntimeError(f"{method}: {line.decode(errors='replace') or 'the server left'}")
        return result

    def call(self, tool: str, **arguments: object) -> str:
        """Call a tool and return its text."""
        result = self.ask("tools/call", name=tool, arguments=arguments)
        return str(result["content"][0]["text"])

    def cpu(self) -> float:
        """Return the CPU time used so far by all its threads, in milliseconds."""
        used = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            used += int((task / "schedstat").read_text().split()[0])
        return used / 1e6

    def peak_mb(self) -> float:
        """Return the most memory it has held so far, in MB."""
        found = PEAK.search(Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found[1]) * 1024 / 1e6

    def costs(self, work: Callable[[], object], times: int) -> Costs:
        """Return what a piece of work costs the server, each time by itself."""
        found = []
        for _ in range(times):
            before = self.cpu()
            work()
            found.append(self.cpu() - before)
        return Costs.of(found)


class Costs(NamedTuple):
    """CPU milliseconds of many like pieces of work."""

    median: float
    p95: float
    mean: float

    @staticmethod
    def of(figures: Sequence[float]) -> Costs:
        """Sum up measured figures."""
        return Costs(statistics.median(figures), share(figures, 0.95), statistics.fmean(figures))


def share(figures: Sequence[float], part: float) -> float:
    """Return the figure below which this part of them lies."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def command_cpu(command: Sequence[str], home: Path, given: bytes = b"") -> float:
    """Run a program to its end and return the CPU time it used, in milliseconds.

    Raises:
        RuntimeError: it failed.
    """
    process = subprocess.Popen(
        command,
        env=surroundings(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin
    process.stdin.write(given)
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def doorway(name: str) -> list[str]:
    """Return the command by which the client runs a hook."""
    return [interpreter(), "-S", "-E", str(PLUGIN / "hooks" / f"{name}.py")]


def program(*arguments: str) -> list[str]:
    """Return a command of the plugin's own, such as `export`."""
    return [interpreter(), str(PLUGIN / "mcp" / "server.py"), *arguments]


def surroundings(home: Path, **more: str) -> Mapping[str, str]:
    """Return the environment of a process: a data folder, and nothing of the user's."""
    place = home.parent / PROJECT
    place.mkdir(exist_ok=True, parents=True)
    return {
        "HOME": str(home.parent),
        "PATH": os.environ["PATH"],
        "MEMORY_HOME": str(home),
        "MEMORY_LEARN_JUDGE": "off",
        "CLAUDE_PROJECT_DIR": str(place),
        **more,
    }


@cache
def interpreter(name: str = "python3") -> str:
    """Return the program that a command name leads to, behind the shim of a version manager."""
    asked = [name, "-c", "import sys; print(sys.executable)"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
