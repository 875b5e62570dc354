"""Shows the plugin at work: two sessions of its MCP server, as Claude Code would start them.

The first is told something; the second, in another project, is asked for it, and its prompt hook
gives the memory without being asked. All in a home folder of its own that is removed at the end:
your own memories are not touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "plugin"
FACT = "The team deploys on Tuesdays, because the on-call rota changes on Wednesdays."
QUESTION = "On which day do we deploy?"


class Session:
    """One MCP server process, spoken to over its stdin and stdout."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Keep the running process."""
        self._process = process
        self._last = 0

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Send one request and return its result.

        Raises:
            RuntimeError: the server left, or refused.
        """
        assert self._process.stdin is not None  # noqa: S101  (both are pipes)
        assert self._process.stdout is not None  # noqa: S101
        self._last += 1
        request = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": {"message": "the server left"}}
        if "error" in answer or answer["result"].get("isError"):
            raise RuntimeError(f"{method}: {line.strip() or answer}")
        result: dict[str, Any] = answer["result"]
        return result

    def call(self, tool: str, **arguments: object) -> str:
        """Call a tool and return its text."""
        result = self.ask("tools/call", name=tool, arguments=arguments)
        return str(result["content"][0]["text"])


@contextmanager
def session(
    home: Path, project: str, settings: Mapping[str, str] | None = None
) -> Iterator[Session]:
    """Start the server with the very command line of plugin/.mcp.json, as one session."""
    server = json.loads((PLUGIN / ".mcp.json").read_text())["mcpServers"]["memory"]
    folder = home / project
    folder.mkdir(parents=True, exist_ok=True)
    command = [part.replace("${CLAUDE_PLUGIN_ROOT}", str(PLUGIN)) for part in server["args"]]
    environ = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "CLAUDE_PROJECT_DIR": str(folder),
        "CLAUDE_CODE_SESSION_ID": f"session-in-{project}",
        **(settings or {}),
    }
    program = shutil.which(server["command"]) or sys.executable
    process = subprocess.Popen(
        [program, *command],
        cwd=folder,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        found = Session(process)
        found.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={})
        yield found
    finally:
        process.communicate(timeout=10)


def show(step: str, text: str) -> None:
    """Print a step and what came of it."""
    print(f"\n{step}\n" + "\n".join(f"    {line}" for line in text.splitlines()))


def prove() -> int:
    """Store in one session and get it back in the next; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="claude-memory ") as folder:
        home = Path(folder)
        with session(home, "one-project") as first:
            names = ", ".join(tool["name"] for tool in first.ask("tools/list")["tools"])
            show("A session starts the MCP server, which offers:", names)
            stored = first.call("memory_store", content=FACT, expanded_keywords="release day ship")
            show(f'It is told: "{FACT}"', stored)
        with session(home, "another-project") as second:
            recalled = second.call("memory_recall", context=QUESTION)
            show(f'The next session, in another project, recalls "{QUESTION}":', recalled)
            given = second.call(
                "hook", event="UserPromptSubmit", prompt=QUESTION, session_id="session-in-b"
            )
            context = json.loads(given).get("hookSpecificOutput", {}).get("additionalContext", "")
            show("and is given it with the prompt, without asking:", context)
    if FACT not in recalled or FACT not in context:
        print("\nThe memory did not come back. Please report this.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(prove())
