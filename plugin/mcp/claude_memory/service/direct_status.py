"""How HTTP-only mode is doing: the server, the key, and what this mode does without."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from claude_memory.errors import ClaudeMemoryError
from claude_memory.service.interface import Status
from claude_memory.store import failures
from claude_memory.store.lines import plain

if TYPE_CHECKING:
    from claude_memory.service.place import Place
    from claude_memory.settings import Settings
    from claude_memory.sync.rest import Rest
    from claude_memory.sync.wire import Fields

SHOWN = 10  # failures listed at most
NEEDED = (
    ("read", "memory_recall and memory_list"),
    ("write", "memory_store, memory_update and memory_delete"),
)
WITHOUT_STORE = "off: it would need a store on this machine"


def status(server: Rest, place: Place, settings: Settings) -> Status:
    """Return the mode, how the server is, and what needs a person; works without the server."""
    attention = [*settings.complaints]
    known: Fields = {}
    try:
        known = server.get("/api/sync/hello")
    except ClaudeMemoryError as error:
        attention.append(f"The server: {error.sentence()}")
    attention += _forbidden(known)
    lines = [
        ("Mode", "HTTP-only: every call goes to the server, nothing is kept on this machine"),
        ("Server", f"{plain(settings.api_url)} ({'answers' if known else 'cannot be used now'})"),
        *_told_by_server(known),
        ("Project", plain(place.project) or "none (this folder belongs to no project)"),
        ("Queue", "nothing waits: a write is on the server or refused"),
        ("Recall at each prompt", WITHOUT_STORE),
        ("Learning", WITHOUT_STORE),
    ]
    if os.path.exists(place.database):
        attention.append(
            f"{plain(place.database)} holds memories of another mode, which are not used now: "
            "unset MEMORY_SYNC_DISABLE to use them and to send them to the server."
        )
    attention += failures.latest(place.home, SHOWN)
    return Status(tuple(lines), tuple(attention))


def _forbidden(known: Fields) -> list[str]:
    """Say which tools the key does not serve."""
    scopes = known.get("scopes")
    if not isinstance(scopes, list):
        return []
    return [
        f"This key may not {scope}: {names} fail until one with the scope '{scope}' is set."
        for scope, names in NEEDED
        if scope not in scopes
    ]


def _told_by_server(known: Fields) -> list[tuple[str, str]]:
    if not known:
        return []
    scopes = known.get("scopes")
    allowed = ", ".join(map(str, scopes)) if isinstance(scopes, list) else "unknown"
    lines = [("Account", f"{plain(str(known.get('account_id')))} (the key may {plain(allowed)})")]
    if isinstance(known.get("live"), int):
        lines.append(("Memories", f"{known['live']} on the server"))
    return lines
