"""What the stand-in for the Messages API answers, and to which request.

A request is first given a kind (main, judge, compact, title, side, probe). The turns of the script
are consumed by main requests only, in order; every other kind has one standing answer.
"""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]

TOOL_PREFIX = "mcp__plugin_memory_memory__"
LAST_RESULT = "{{last_tool_result}}"

_SUMMARY_ORDER = "Your task is to create a detailed summary"
_SUMMARY = "<analysis>none</analysis>\n<summary>\nThe two of us talked about a program.\n</summary>"


@dataclass(frozen=True)
class Reply:
    """One answer of the model: text, and at most one tool call."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)


def say(text: str) -> Reply:
    """Answer with text alone; `{{last_tool_result}}` stands for what the last tool returned."""
    return Reply(text=text)


def call(tool: str, **arguments: object) -> Reply:
    """Answer with a call of one of the memory tools, or of any tool by its full name."""
    full = tool if tool[:1].isupper() or tool.startswith("mcp__") else TOOL_PREFIX + tool
    return Reply(text="Using a tool.", tool=full, arguments=arguments)


def events(*found: Mapping[str, object]) -> Reply:
    """Answer as the judge of auto-learn does, with these events."""
    return Reply(text=json.dumps({"events": list(found)}))


def blocks(content: object) -> list[Json]:
    """Return a message's content as its list of blocks, whichever form it was sent in."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [
        {"type": "text", "text": block} if isinstance(block, str) else block
        for block in (content if isinstance(content, list) else [])
    ]


def text_of(content: object) -> str:
    """Join the text and the tool results of a message's content."""
    parts = []
    for block in blocks(content):
        if block.get("type") == "text":
            parts.append(str(block.get("text", "")))
        elif block.get("type") == "tool_result":
            parts.append(text_of(block.get("content")))
    return "\n".join(parts)


def last_user_text(body: Json) -> str:
    """Return the text of the newest user message of a request."""
    spoken = [m for m in body.get("messages", []) if m.get("role") == "user"]
    return text_of(spoken[-1].get("content")) if spoken else ""


def last_tool_result(body: Json) -> str:
    """Return the text of the newest tool result of a request."""
    for message in reversed(body.get("messages", [])):
        for block in reversed(blocks(message.get("content"))):
            if block.get("type") == "tool_result":
                return text_of(block.get("content"))
    return ""


def kind_of(body: Json) -> str:
    """Say which of the client's several purposes a request serves."""
    system = text_of(body.get("system"))
    if "memory judge" in system:
        return "judge"
    if _SUMMARY_ORDER in last_user_text(body):
        return "compact"
    if body.get("max_tokens") == 1:
        return "probe"
    if body.get("tools"):
        return "main"
    return "title" if "title" in system[:4000].lower() else "side"


class Script:
    """The answers of one session, handed out under a lock."""

    def __init__(self) -> None:
        """Start without turns: every main request is answered with "OK."."""
        self._lock = threading.Lock()
        self._turns: list[Reply] = []
        self._standing = {
            "compact": say(_SUMMARY),
            "title": say('{"title": "A session", "isNewTopic": false}'),
            "judge": events(),
        }

    def load(self, turns: Iterable[Reply]) -> None:
        """Replace the turns that main requests are answered with."""
        with self._lock:
            self._turns = list(turns)

    def stand(self, kind: str, reply: Reply) -> None:
        """Set the standing answer to one kind of request."""
        with self._lock:
            self._standing[kind] = reply

    def answer(self, body: Json) -> tuple[str, Reply]:
        """Return a request's kind and the answer to it."""
        kind = kind_of(body)
        with self._lock:
            if kind == "main" and self._turns:
                return kind, self._turns.pop(0)
            return kind, self._standing.get(kind, say("OK."))


def render(reply: Reply, body: Json) -> tuple[list[Json], str]:
    """Turn an answer into content blocks and the reason why the model stopped."""
    text = reply.text.replace(LAST_RESULT, last_tool_result(body)) or "OK."
    content: list[Json] = [{"type": "text", "text": text}]
    if not reply.tool:
        return content, "end_turn"
    name = "toolu_" + uuid.uuid4().hex[:22]
    content.append(
        {"type": "tool_use", "id": name, "name": reply.tool, "input": dict(reply.arguments)}
    )
    return content, "tool_use"
