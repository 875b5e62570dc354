"""What a hook is handed beside its event: where it works, and the few settings it obeys. Hot.

The settings are read here and not by `settings`, which costs a hook as much as all of its work.
"""

from __future__ import annotations

from collections import namedtuple

from claude_memory import paths, variables
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
    url, key = variables.given(environ, *variables.URLS), variables.given(environ, *variables.KEYS)
    is_disabled = variables.flag(environ, variables.DISABLE)
    return Context(
        connection=connection,
        home=paths.home(environ),
        project=project,
        session=variables.given(environ, "CLAUDE_CODE_SESSION_ID"),
        now=now,
        spoken=spoken or Spoken(),
        budget=_budget(variables.given(environ, *variables.RECALL_BUDGET)),
        approve=_approve(environ),
        learn=_choice(environ, variables.LEARNS, *variables.LEARN),
        silent=bool(variables.given(environ, JUDGE_GUARD)),
        server=bindings.fingerprint(url, key) if url and key and not is_disabled else "",
        direct=bool(key) and is_disabled,
        complaints=variables.complaints(environ),
        debug=variables.flag(environ, variables.DEBUG),
    )


def _budget(text: str) -> int:
    try:
        tokens = float(text)
    except ValueError:
        return variables.BUDGET
    return int(tokens) if 0 <= tokens <= variables.BUDGET_LIMIT else variables.BUDGET


def _approve(environ: Mapping[str, str]) -> str:
    if variables.flag(environ, variables.UNAPPROVED):
        return "off"
    return _choice(environ, variables.APPROVES, variables.APPROVE)


def _choice(environ: Mapping[str, str], among: tuple[str, ...], *names: str) -> str:
    value = variables.given(environ, *names).lower()
    return value if value in among else among[0]
