"""What the user said in turns that have not ended: in memory alone, until the turn is queued. Hot.

The client writes its transcript in batches: when a turn ends, the words of that turn are often not
in it yet. The prompt's own event is the only place that surely has them.
"""

from __future__ import annotations

import _thread
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

SESSIONS = 8  # one process serves one client, which begins a new session at every /clear
PROMPTS = 20  # of one turn, and of turns before it that were interrupted or could not be queued
STORED = 20  # memories since one prompt
LONGEST = 100_000  # characters of one prompt

if TYPE_CHECKING:

    class Heard(NamedTuple):
        """One prompt: its name, the words in it that a person typed, and what was stored since.

        There may be no words; what was stored are uids of memories.
        """

        prompt: str
        text: str
        stored: tuple[str, ...] = ()

else:
    Heard = namedtuple("Heard", "prompt text stored", defaults=((),))


class Spoken:
    """The prompts of each session since its last turn was queued, and what came of them."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._sessions: dict[str, list[Heard]] = {}
        self._lock = _thread.allocate_lock()  # hooks of one server run on two threads

    def hear(self, session: str, prompt: str, text: str) -> None:
        """Keep what was said with the prompt named `prompt`."""
        from claude_memory.hooks import typed  # patterns that most hooks can do without

        one = Heard(prompt, typed.statement(text)[:LONGEST])
        with self._lock:
            heard = [*self._sessions.pop(session, ()), one]
            self._sessions[session] = heard[-PROMPTS:]
            while len(self._sessions) > SESSIONS:
                del self._sessions[next(iter(self._sessions))]

    def heard(self, session: str) -> list[Heard]:
        """Return the prompts of a session, oldest first."""
        with self._lock:
            return list(self._sessions.get(session, ()))

    def note(self, uid: str) -> None:
        """Note that Claude has stored a memory in the turns that go on."""
        with self._lock:
            for heard in self._sessions.values():
                heard[-1] = heard[-1]._replace(stored=(*heard[-1].stored, uid)[-STORED:])

    def withhold(self) -> None:
        """Forget the words of all turns that go on; that something was said stays known."""
        with self._lock:
            for session, heard in self._sessions.items():
                self._sessions[session] = [one._replace(text="") for one in heard]

    def forget(self, session: str, heard: list[Heard]) -> None:
        """Forget these prompts; what came in meanwhile stays."""
        with self._lock:
            known = {(one.prompt, one.text) for one in heard}
            now = self._sessions.pop(session, ())
            left = [one for one in now if (one.prompt, one.text) not in known]
            if left:
                self._sessions[session] = left
