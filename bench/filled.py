"""One person's store, real and on the disk, and the two ways to what it holds: tool and hook."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from claude_memory import tools
from claude_memory.__main__ import Assembly
from claude_memory.hooks import context, runtime
from claude_memory.memory import moment
from claude_memory.service.interface import NewMemory
from claude_memory.service.local import LocalService
from claude_memory.settings import Settings
from claude_memory.stdio.calls import Call
from claude_memory.stdio.jsonrpc import Request
from claude_memory.store.lines import tokens

from bench.questions import PRESENT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.questions import Note, Person, Prompt

NAMED = re.compile(r"^L(\d+) ", re.MULTILINE)  # a memory, at the start of its line


class Given(NamedTuple):
    """What the prompt hook added to a prompt."""

    numbers: list[int]
    tokens: int


class Filled:
    """A store that holds all memories of a person, asked as if it were the present of the set."""

    def __init__(self, person: Person, home: Path) -> None:
        """Store every memory through the service, in its order."""
        environ = {"MEMORY_HOME": str(home)}
        self._assembly = Assembly(
            Settings.from_env(environ), environ, project_folder=str(home), session="bench"
        )
        self._environ = environ
        self._now = moment(PRESENT)
        self._place = replace(self._assembly.place, now=lambda: self._now)
        self._tool = cache(self._tool_of)
        self.numbers: dict[str, int] = {}  # by the id of a note: what the store calls it
        service = LocalService(self._place, self._assembly.door, self._assembly.settings)
        for note in person.notes:
            stored = service.store(self._new(note))
            self.numbers[note.id] = stored.memory.local_no or 0

    def connection(self) -> sqlite3.Connection:
        """Return the connection that everything here uses."""
        return self._place.connection()

    def gold(self, prompt: Prompt) -> set[int]:
        """Return the numbers of the memories that a prompt needs."""
        return {self.numbers[one] for one in prompt.gold}

    def recall(self, prompt: Prompt, limit: int) -> list[int]:
        """Ask memory_recall with the prompt alone; return what it answers, best first."""
        arguments: dict[str, object] = {"context": prompt.text, "limit": limit}
        request = Request(1, "tools/call", {"name": "memory_recall", "arguments": arguments})
        answer = self._tool(prompt.project)(Call(request))
        return [int(number) for number in NAMED.findall(answer)]

    def inject(self, prompt: Prompt, session: str) -> Given:
        """Send the prompt to the prompt hook as the first one of a session."""
        event = {"event": "UserPromptSubmit", "session_id": session, "prompt": prompt.text}
        here = context.from_environ(
            self._environ, self._place.connection, prompt.project, self._now
        )
        answer = json.loads(runtime.answer(event, here))
        text = answer.get("hookSpecificOutput", {}).get("additionalContext", "")
        return Given([int(number) for number in NAMED.findall(text)], tokens(text))

    def close(self) -> None:
        """Let go of the file."""
        self.connection().close()

    def _tool_of(self, project: str) -> Callable[[Call], str]:
        place = replace(self._place, project=project)
        service = LocalService(place, self._assembly.door, self._assembly.settings)
        return {tool.name: answer for tool, answer in tools.build(service, service)}[
            "memory_recall"
        ]

    def _new(self, note: Note) -> NewMemory:
        return NewMemory(
            content=note.content,
            category=note.category,
            tags=note.tags,
            scope=note.scope,
            supersedes=f"L{self.numbers[note.supersedes]}" if note.supersedes else "",
            project=note.project,
            session=note.session,
            created_at=note.created_at,
        )


@contextmanager
def fill(person: Person, home: Path) -> Iterator[Filled]:
    """Lend the store of a person in a data folder, which may hold other memories already."""
    filled = Filled(person, home)
    try:
        yield filled
    finally:
        filled.close()
