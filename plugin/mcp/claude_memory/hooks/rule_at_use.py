"""A command is about to run: give Claude the rules that name it, each once a session. Hot.

It never decides about the call: that is for the client and its user.
"""

from __future__ import annotations

import json
import re

from claude_memory.hooks import injection
from claude_memory.store import rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claude_memory.hooks.context import Context

TOOLS = ("Bash", "PowerShell")
MOST = 3  # rules for one command
ROOM = 1_200  # characters, header included
READ = 4_000  # characters of a command
NAMES = 12  # of one command line
# One word of a shell, a quoted text, or what ends a command.
TOKEN = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|[;|&()\n`]|\$\(|[^\s;|&()`'\"]+")
ENDS = frozenset([";", "|", "&", "(", ")", "\n", "`", "$("])
HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1.*?\n\s*\2\b", re.DOTALL)
SET = re.compile(r"[A-Za-z_]\w*=")  # `PORT=1 npm start`
NAME = re.compile(r"[A-Za-z][\w.+-]{0,63}")
# What is followed by another command: `sudo npm install`, `python -m pytest`.
LEADING = frozenset("sudo env time nohup exec command xargs nice npx uvx bunx then do else".split())
MODULE = "-m"
SHELL = frozenset("cd echo export source set if for while fi done true false exit pwd".split())


def answer(event: dict[str, Any], context: Context) -> dict[str, Any] | None:
    """Return the rules that name what is about to run, or None when none does."""
    room = min(ROOM, injection.size(context))
    if event.get("tool_name") not in TOOLS or context.direct or not room:
        return None
    named = commands(_line(event))
    connection = context.connection() if named else None
    if connection is None:
        return None
    found = rules.naming(connection, named, context.project, context.now)
    text = injection.inject(event, context, connection, found, characters=room, most=MOST)
    return injection.additional(event, text) if text else None


def commands(line: str) -> list[str]:
    """Return the programs that a command line starts, each with its first argument as well."""
    found: dict[str, None] = {}
    program = ""
    begins = True
    for token in TOKEN.findall(HEREDOC.sub(" ", line[:READ])):
        if token in ENDS:
            program, begins = "", True
        elif begins and not SET.match(token):
            program, begins = token.rpartition("/")[2], token in LEADING
            if NAME.fullmatch(program) and program not in SHELL:
                found[program] = None
        elif token == MODULE and program.startswith("py"):
            begins = True
        elif program in found and NAME.fullmatch(token):
            found[f"{program} {token}"] = None
            program = ""
    return list(found)[:NAMES]


def _line(event: dict[str, Any]) -> str:
    """Return the command line of a call, whose arguments arrive as an object or its JSON text."""
    given = event.get("tool_input")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return ""
    line = given.get("command") if isinstance(given, dict) else None
    return line if isinstance(line, str) else ""
