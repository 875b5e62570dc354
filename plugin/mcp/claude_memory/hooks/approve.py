"""Which tool calls run without asking: ours, where nothing is lost for good. Hot.

A name counts by full equality: whatever only looks like one of ours is left to the client.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claude_memory.hooks.context import Context

PREFIX = "mcp__plugin_memory_memory__"
HARMLESS = frozenset(
    PREFIX + name
    for name in ("memory_store", "memory_recall", "memory_list", "memory_update", "memory_status")
)
UPDATE = PREFIX + "memory_update"
DELETE = PREFIX + "memory_delete"
SECRET = PREFIX + "secret_get"
ONE_ID = re.compile(r"\s*#?[0-9A-Za-z][0-9A-Za-z-]{0,63}\s*")
UNASKED_MODE = "bypassPermissions"  # this user chose to be asked nothing
GRAVE = "{why}, so claude-memory leaves it to you (MEMORY_APPROVE=all allows it)."
SHOWS, REJECTS, ERASES, SEVERAL = (
    "This shows a secret",
    "A proposal that is rejected is forgotten",
    "A purge cannot be undone",
    "This deletes more than one memory at once",
)
UNDONE = "A memory tool of this plugin; what it does can be undone."
EVERY = "MEMORY_APPROVE=all allows every memory tool."


def answer(event: dict[str, Any], context: Context) -> dict[str, Any] | None:
    """Allow a harmless call, put a grave one to the user, and say nothing about any other tool."""
    tool = event.get("tool_name")
    if context.approve == "off" or tool not in {*HARMLESS, DELETE, SECRET}:
        return None
    if (tool in HARMLESS and not _rejects(tool, event)) or _deletes_one(tool, event):
        return _allowed(event, UNDONE)
    if context.approve == "all":
        return _allowed(event, EVERY)
    return _asked(event, _gravity(tool, event))


def _gravity(tool: object, event: dict[str, Any]) -> str:
    """Say why a call is put to the user; a delete that cannot be read may be a purge."""
    if tool in (SECRET, UPDATE):
        return SHOWS if tool == SECRET else REJECTS
    given = event["tool_input"]
    is_plain = set(given) == {"id"} and isinstance(given["id"], list)
    return SEVERAL if is_plain else ERASES


def _rejects(tool: object, event: dict[str, Any]) -> bool:
    """Tell whether the call may reject a proposal, which is then forgotten."""
    return tool == UPDATE and event["tool_input"].get("review") not in (None, "", "accept")


def _deletes_one(tool: str, event: dict[str, Any]) -> bool:
    """Tell whether the call deletes exactly one memory, in a way that can be undone."""
    given = event["tool_input"]
    if tool != DELETE or not set(given) <= {"id", "purge"}:
        return False
    if given.get("purge") is not False and given.get("purge") is not None:
        return False
    ids = given.get("id")
    return _is_one_id(ids[0] if isinstance(ids, list) and len(ids) == 1 else ids)


def _is_one_id(value: object) -> bool:
    if isinstance(value, str):
        return ONE_ID.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _allowed(event: dict[str, Any], why: str) -> dict[str, Any]:
    if event["event"] == "PermissionRequest":
        return _output(event, decision={"behavior": "allow"})
    return _output(event, permissionDecision="allow", permissionDecisionReason=why)


def _asked(event: dict[str, Any], why: str) -> dict[str, Any] | None:
    """Ask before the call; a permission request is the question itself."""
    mode = event.get("permission_mode")
    if event["event"] == "PermissionRequest" or mode == UNASKED_MODE:
        return None
    return _output(event, permissionDecision="ask", permissionDecisionReason=GRAVE.format(why=why))


def _output(event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": event["event"], **fields}}
