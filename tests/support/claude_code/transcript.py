"""What a session with the real client was: its requests, hooks, tool calls and answers.

Built from the client's event stream, from its debug log, and from the requests that the stand-in
for the Messages API recorded. Everything here is read only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.claude_code.script import blocks, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.claude_code.script import Json

_INJECTED = re.compile(
    r"(?:^|\n)(?P<event>[A-Z][A-Za-z]+(?::\S+)?) hook "
    r"(?:additional context|success|blocking error|feedback)(?: from command)?:[ \n]"
)
# The client's own paragraphs that may follow an injected text in the same block.
_FOLLOWED_BY = re.compile(
    r"\n\n(?:Today's date is |<total_tokens>|# Environment\n|The following deferred tools )"
)


@dataclass(frozen=True)
class Injection:
    """One text that a hook put into a request, with the event it came from."""

    event: str
    text: str


@dataclass(frozen=True)
class Request:
    """One request to the Messages API, and what it was for."""

    kind: str
    body: Json

    @property
    def tools(self) -> list[str]:
        """The names of the tools whose definitions the model was given."""
        return [str(tool.get("name", "")) for tool in self.body.get("tools") or []]

    @property
    def system(self) -> str:
        """The system prompt as one text."""
        return text_of(self.body.get("system"))

    @property
    def conversation(self) -> str:
        """All messages as one text, tool results included, tool arguments left out."""
        return "\n".join(text_of(m.get("content")) for m in self.body.get("messages", []))

    @property
    def injected(self) -> list[Injection]:
        """Every text that a hook put into the conversation up to now, oldest first."""
        return [
            injection
            for message in self.body.get("messages", [])
            for block in blocks(message.get("content"))
            if block.get("type") == "text"
            for injection in _injections(str(block.get("text", "")))
        ]

    def given_by(self, event: str) -> str:
        """Join what the hooks of one event put into the conversation."""
        return "\n".join(found.text for found in self.injected if found.event == event)


def _injections(text: str) -> Iterable[Injection]:
    text = re.sub(r"</?system-reminder>", "\n", text)
    starts = list(_INJECTED.finditer(text))
    for number, start in enumerate(starts, 1):
        end = starts[number].start() if number < len(starts) else len(text)
        body = _FOLLOWED_BY.split(text[start.end() : end], maxsplit=1)[0]
        yield Injection(start.group("event"), body.strip())


@dataclass(frozen=True)
class HookRun:
    """One run of a hook as the client's event stream reports it."""

    event: str
    name: str
    outcome: str
    exit: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True)
class ToolResult:
    """What a tool call came to."""

    tool: str
    text: str
    is_error: bool


@dataclass(frozen=True)
class Session:
    """One run of `claude -p`, from its first prompt to its end."""

    events: list[Json]
    requests: list[Request]
    log: str
    stderr: str
    returncode: int

    @property
    def main(self) -> list[Request]:
        """The requests that carried the conversation itself."""
        return self.of_kind("main")

    def of_kind(self, kind: str) -> list[Request]:
        """Return the requests of one kind, oldest first."""
        return [request for request in self.requests if request.kind == kind]

    @property
    def id(self) -> str:
        """The client's name for this session."""
        return str(self.init["session_id"])

    @property
    def init(self) -> Json:
        """What the client said it had loaded, when it last said so."""
        return [event for event in self.events if event.get("subtype") == "init"][-1]

    @property
    def answers(self) -> list[str]:
        """The final text of each prompt."""
        return [str(e.get("result")) for e in self.events if e.get("type") == "result"]

    @property
    def denied(self) -> list[str]:
        """The names of the tools that were not allowed to run."""
        return [
            str(denial["tool_name"])
            for event in self.events
            if event.get("type") == "result"
            for denial in event.get("permission_denials") or []
        ]

    @property
    def hooks(self) -> list[HookRun]:
        """Every hook that the event stream names, in the order of their ends."""
        return [
            HookRun(
                event=str(e.get("hook_event")),
                name=str(e.get("hook_name")),
                outcome=str(e.get("outcome")),
                exit=e.get("exit_code"),
                stdout=str(e.get("stdout") or ""),
                stderr=str(e.get("stderr") or ""),
            )
            for e in self.events
            if e.get("subtype") == "hook_response"
        ]

    def hooks_of(self, event: str) -> list[HookRun]:
        """Return the runs of one event's hooks."""
        return [hook for hook in self.hooks if hook.event == event]

    @property
    def results(self) -> list[ToolResult]:
        """What each tool call came to, in order."""
        called = {
            str(block["id"]): str(block["name"]) for block in self._blocks("assistant", "tool_use")
        }
        return [
            ToolResult(
                tool=called.get(str(block.get("tool_use_id")), ""),
                text=text_of(block.get("content")),
                is_error=bool(block.get("is_error")),
            )
            for block in self._blocks("user", "tool_result")
        ]

    def has_event(self, subtype: str) -> bool:
        """Tell whether the client reported a system event of this kind."""
        return any(event.get("subtype") == subtype for event in self.events)

    def _blocks(self, speaker: str, kind: str) -> list[Json]:
        return [
            block
            for event in self.events
            if event.get("type") == speaker
            for block in blocks(event["message"].get("content"))
            if block.get("type") == kind
        ]
