"""Transcripts as Claude Code writes them, line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Entry = dict[str, Any]


def typed(text: str, prompt: str = "p1", **more: Any) -> Entry:
    """Return what a person typed."""
    message = {"role": "user", "content": text}
    return {
        "parentUuid": None,
        "isSidechain": False,
        "promptId": prompt,
        "type": "user",
        "message": message,
        "promptSource": "typed",
        "sessionId": "s",
        **more,
    }


def answered(text: str, **more: Any) -> Entry:
    """Return what the assistant wrote."""
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": text}]
    message = {"role": "assistant", "content": content}
    return {"isSidechain": False, "type": "assistant", "message": message, **more}


def used_tool(command: str, name: str = "Bash") -> Entry:
    """Return a call of a tool."""
    block = {"type": "tool_use", "id": "t1", "name": name, "input": {"command": command}}
    return {"isSidechain": False, "type": "assistant", "message": {"content": [block]}}


def tool_result(text: str, prompt: str = "p1") -> Entry:
    """Return what a tool gave back."""
    block = {"type": "tool_result", "tool_use_id": "t1", "content": text}
    return {
        "promptId": prompt,
        "type": "user",
        "message": {"role": "user", "content": [block]},
        "toolUseResult": {"stdout": text},
        "sourceToolAssistantUUID": "a",
    }


def injected(text: str) -> Entry:
    """Return what a hook added to the context."""
    attachment = {"type": "hook_success", "hookEvent": "UserPromptSubmit", "content": text}
    return {"type": "attachment", "attachment": attachment, "isSidechain": False}


def queued(text: str, **more: Any) -> Entry:
    """Return what a person typed while the assistant was working."""
    attachment = {"type": "queued_command", "prompt": text, "commandMode": "prompt", **more}
    return {"type": "attachment", "attachment": attachment, "isSidechain": False}


def write(path: Path, *entries: Entry | str) -> str:
    """Write a transcript; a string stands for a raw line."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in entries]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)
