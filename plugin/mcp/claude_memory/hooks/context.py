"""What a hook is handed beside its event: where it works, and the few settings it obeys. Hot.

The settings are read here and not by `settings`, which costs a hook as much as all of its work.
"""

from __future__ import annotations

from collections import namedtuple

from claude_memory import paths
from claude_memory.hooks.spoken import Spoken
from claude_memory.store import bindings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import NamedTuple

    Store = Callable[[], "sqlite3.Connection | None"]

# Set for whatever our own judge starts, so that a nested client never greets, recalls or learns.
JUDGE_GUARD = "CLAUDE_MEMORY_JUDGE"
BUDGET, BUDGET_LIMIT = 600, 2_400  # tokens; the client cuts a text of more than 10,000 characters

if TYPE_CHECKING:

    class Context(NamedTuple):
        """The surroundings of one event.

        `connection()` opens the store at its first use, and is None where there is none yet;
        `spoken` holds what this process has heard in turns that go on; `approve` is safe, all or
        off; `learn` is auto, propose or off; `silent` means that the event comes from inside our
        own judge; `server` is the fingerprint of the server and key that the store here is kept
        in step with, or empty; `direct` means that there is no store here, and every memory is on
        a server; `complaints` say what is wrong with how a server is set up.
        """

        connection: Store
        home: str
        project: str
        session: str
        now: datetime
        spoken: Spoken
        budget: int
        approve: str
        learn: str
        silent: bool
        server: str
        direct: bool
        complaints: list[str]
        debug: bool

else:
    Context = namedtuple(
        "Context",
        "connection home project session now spoken budget approve learn silent server direct "
        "complaints debug",
    )


def from_environ(
    environ: Mapping[str, str],
    connection: Store,
    project: str,
    now: datetime,
    spoken: Spoken | None = None,
) -> Context:
    """Read what hooks obey; a value that cannot be read falls back to its default."""
    url, key = paths.given(environ, *paths.URLS), paths.given(environ, *paths.KEYS)
    is_disabled = paths.flag(environ, paths.DISABLE)
    return Context(
        connection=connection,
        home=paths.home(environ),
        project=project,
        session=paths.given(environ, "CLAUDE_CODE_SESSION_ID"),
        now=now,
        spoken=spoken or Spoken(),
        budget=_budget(
            paths.given(environ, "MEMORY_RECALL_BUDGET", paths.OPTION + "RECALL_BUDGET")
        ),
        approve=_approve(environ),
        learn=_choice(environ, ("auto", "propose", "off"), "MEMORY_LEARN", paths.OPTION + "LEARN"),
        silent=bool(paths.given(environ, JUDGE_GUARD)),
        server=bindings.fingerprint(url, key) if url and key and not is_disabled else "",
        direct=bool(key) and is_disabled,
        complaints=paths.complaints(environ),
        debug=paths.flag(environ, "DEBUG_CLAUDE_MEMORY_HOOKS"),
    )


def _budget(text: str) -> int:
    try:
        tokens = float(text)
    except ValueError:
        return BUDGET
    return int(tokens) if 0 <= tokens <= BUDGET_LIMIT else BUDGET


def _approve(environ: Mapping[str, str]) -> str:
    if paths.flag(environ, paths.UNAPPROVED):
        return "off"
    return _choice(environ, ("safe", "all"), "MEMORY_APPROVE")


def _choice(environ: Mapping[str, str], among: tuple[str, ...], *names: str) -> str:
    value = paths.given(environ, *names).lower()
    return value if value in among else among[0]
