"""A command is about to run: give Claude the rules that name it, each once a session. Hot.

It never decides about the call: that is for the client and its user.
"""

from __future__ import annotations

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
# What ends a command, or one word of a shell, its quoted parts included.
TOKEN = re.compile(r"[;|&()\n`]|\$\(|(?:[^\s;|&()`'\"]|'[^']*'|\"(?:[^\"\\]|\\.)*\")+", re.DOTALL)
ENDS = frozenset([";", "|", "&", "(", ")", "\n", "`", "$("])
HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1.*?\n\s*\2\b", re.DOTALL)
SET = re.compile(r"[A-Za-z_]\w*=")  # `PORT=1 npm start`
NAME = re.compile(r"[A-Za-z][\w.+-]{0,63}")
KEYWORDS = frozenset("if elif then else while until do ! {".split())
SHELL = KEYWORDS.union(
    "cd echo export source set for fi done true false exit pwd eval bash sh zsh dash ksh".split()
)
# What starts the command that follows it: how many words of its own stand before that command,
# and which of its options take one more.
LEADING = {
    "sudo": (0, "CDghpRrTtUu"),
    "doas": (0, "Cu"),
    "env": (0, "Cu"),
    "time": (0, "fo"),
    "nohup": (0, ""),
    "exec": (0, "a"),
    "command": (0, ""),
    "xargs": (0, "adEILnPs"),
    "nice": (0, "n"),
    "timeout": (1, "ks"),
    "watch": (0, "n"),
    "ssh": (1, "BbcDEeFIiJLlmOopQRSWw"),
    "npx": (0, "p"),
    "uvx": (0, ""),
    "bunx": (0, ""),
    **dict.fromkeys(KEYWORDS, (0, "")),
}
# What runs a quoted text: `bash -c "npm ci"`.
READERS = frozenset("bash sh zsh dash ksh eval su ssh watch pwsh powershell".split())
INNER = frozenset(["-exec", "-execdir", "-ok", "-okdir"])  # of find
MODULE = frozenset(["-m"])  # of Python
PYTHON = re.compile(r"py(?:thon|py|$)")


def answer(event: dict[str, Any], context: Context) -> dict[str, Any] | None:
    """Return the rules that name what is about to run, or None when none does."""
    room = min(ROOM, injection.size(context))
    if event.get("tool_name") not in TOOLS or context.direct or not room:
        return None
    line = event["tool_input"].get("command")
    named = commands(line) if isinstance(line, str) else []
    connection = context.connection() if named else None
    if connection is None:
        return None
    found = rules.naming(connection, named, context.project, context.now)
    text = injection.inject(event, context, connection, found, characters=room, most=MOST)
    return injection.additional(event, text) if text else None


def commands(line: str) -> list[str]:
    """Return the programs that a command line starts, each with its first argument as well."""
    found: dict[str, None] = {}
    _read(HEREDOC.sub(" ", line[:READ]), found)
    return list(found)[:NAMES]


def _read(text: str, found: dict[str, None]) -> None:
    words: list[str] = []
    for token in [*TOKEN.findall(text), ";"]:
        if token not in ENDS:
            words.append(token)
            continue
        while words:
            words = _started(words, found)


def _started(words: list[str], found: dict[str, None]) -> list[str]:
    """Note the program that a simple command starts; return the command it starts in turn."""
    if SET.match(words[0]):
        return words[1:]
    program, rest = words[0].strip("'\"\\").rpartition("/")[2], words[1:]
    is_named = program not in SHELL and NAME.fullmatch(program) is not None
    if is_named:
        found[program] = None
    if program in READERS:
        for word in rest:
            if word[0] in "'\"":
                _read(_unquoted(word), found)
    inner = _inner(program, rest)
    argument = next(filter(NAME.fullmatch, rest), None)
    if is_named and argument and program not in LEADING and argument not in inner:
        found[f"{program} {argument}"] = None
    return inner


def _inner(program: str, rest: list[str]) -> list[str]:
    """Return the command that a program starts, such as `npm ci` for `timeout 10 npm ci`."""
    if program in LEADING:
        return _led(rest, *LEADING[program])
    starts = INNER if program == "find" else MODULE if PYTHON.match(program) else ()
    return next((rest[at + 1 :] for at, word in enumerate(rest) if word in starts), [])


def _led(rest: list[str], own: int, valued: str) -> list[str]:
    at = 0
    while at < len(rest) and (own or rest[at].startswith("-")):
        word = rest[at]
        own -= not word.startswith("-")
        at += 2 if word in [f"-{letter}" for letter in valued] else 1
    return rest[at:]


def _unquoted(word: str) -> str:
    text = word[1:-1]
    return text if word[0] == "'" else re.sub(r"\\(.)", r"\1", text)
