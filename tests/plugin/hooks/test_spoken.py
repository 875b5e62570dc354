"""The server hears every prompt, and queues the turn whatever the transcript holds by then."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.hooks import spoken, stop
from claude_memory.hooks.spoken import Heard, Spoken
from claude_memory.store import failures

from tests.support import transcripts
from tests.support.hook_calls import asked, context_in
from tests.support.stores import opened
from tests.support.transcripts import answered, queued, typed
from tests.support.withheld_samples import rules_of_work, withheld

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.transcripts import Entry

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" + "K1l2M3n4O5p6Q7r8"
BEFORE = (typed("set it up", "p1"), answered("It uses spaces."))


class Served:
    """A server's hooks: one process for a whole session."""

    def __init__(self, folder: Path, store: sqlite3.Connection, **environ: str) -> None:
        """Begin with nothing heard."""
        self.folder = folder
        self.store = store
        self.environ = environ
        self.spoken = Spoken()

    def send(self, name: str, **event: Any) -> None:
        """Send an event of the session."""
        sent = {"event": name, "session_id": "s", **event}
        asked(sent, context_in(self.folder, self.store, self.environ, spoken=self.spoken))

    def prompt(self, text: str, prompt: str = "p2", **event: Any) -> None:
        """Send a prompt."""
        self.send("UserPromptSubmit", prompt=text, prompt_id=prompt, **event)

    def end(self, *written: Entry, prompt: str = "p2", **event: Any) -> None:
        """End the turn, when so much of the transcript is written."""
        path = transcripts.write(self.folder / "transcript.jsonl", *written)
        sent = {"prompt_id": prompt, "transcript_path": path, "last_assistant_message": "Done."}
        self.send("Stop", **{**sent, **event})

    @property
    def turns(self) -> list[dict[str, Any]]:
        """What was queued."""
        rows = self.store.execute("SELECT body FROM turns")
        return [json.loads(body) for (body,) in rows if body]

    @property
    def words(self) -> list[list[str]]:
        """The user's words of each queued turn, in no order."""
        return sorted(turn["words"] for turn in self.turns)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty store."""
    with closing(opened(tmp_path)) as connection:
        yield connection


@pytest.fixture
def served(tmp_path: Path, store: sqlite3.Connection) -> Served:
    """A server that has just begun."""
    return Served(tmp_path, store)


@pytest.mark.parametrize(
    "written",
    [
        BEFORE,
        (*BEFORE, typed("no, use tabs", "p2")),
        (*BEFORE, typed("no, use tabs", "p2"), answered("Done.")),
    ],
    ids=["late", "half", "whole"],
)
def test_turn_is_queued_whether_or_not_it_is_in_the_transcript(
    served: Served, written: tuple[Entry, ...]
) -> None:
    """The client writes in batches; what is queued does not depend on that."""
    served.prompt("no, use tabs")
    served.end(*written)
    assert served.turns == [
        {
            "words": ["no, use tabs"],
            "earlier": [["user", "set it up"], ["assistant", "It uses spaces."]],
            "reply": "Done.",
            "transcript": str(served.folder / "transcript.jsonl"),
            "stored": [],
        }
    ]


def test_words_typed_while_the_assistant_works_belong_to_the_turn(served: Served) -> None:
    """The client sends them under the name of the prompt that opened the turn."""
    served.prompt("make it work")
    served.prompt("no, use tabs")
    served.end(*BEFORE, typed("make it work", "p2"), queued("no, use tabs"))
    assert served.words == [["make it work", "no, use tabs"]]
    assert served.turns[0]["earlier"] == [["user", "set it up"], ["assistant", "It uses spaces."]]


def test_each_turn_is_queued_once(served: Served) -> None:
    """What was queued is forgotten, also where another hook makes the turn go on and end again."""
    served.prompt("no, use tabs")
    served.end()
    served.end(typed("no, use tabs", "p2"), stop_hook_active="true")
    served.prompt("and never spaces", "p3")
    served.end(prompt="p3")
    assert served.words == [["and never spaces"], ["no, use tabs"]]


def test_interrupted_prompt_is_queued_with_the_next(served: Served) -> None:
    """No event tells of an interruption; its words still count."""
    served.prompt("always use tabs", "p2")
    served.prompt("go on", "p3")
    served.end(*BEFORE, typed("always use tabs", "p2"), prompt="p3")
    assert served.words == [["always use tabs", "go on"]]
    assert served.turns[0]["earlier"] == [["user", "set it up"], ["assistant", "It uses spaces."]]


def test_sessions_are_kept_apart(served: Served) -> None:
    """After /clear the same process serves another session."""
    served.prompt("always use tabs", session_id="other")
    served.prompt("no, use pnpm")
    served.end()
    assert served.words == [["no, use pnpm"]]


def test_server_that_began_in_the_middle_of_the_turn_reads_the_transcript(served: Served) -> None:
    """Where the prompt's process has died, the turn is found if it is written."""
    served.end(*BEFORE, prompt="p2")
    assert served.words == []
    served.end(*BEFORE, typed("no, use tabs", "p2"), prompt="p2")
    assert served.words == [["no, use tabs"]]


@pytest.mark.parametrize(
    "prompt",
    [
        "/memory:remember always use tabs",
        "/review always use tabs",
        "<command-name>/x</command-name> always use tabs",
        "<task-notification>always use tabs</task-notification>",
        "<system-reminder>always use tabs</system-reminder>",
        "[Request interrupted by user]",
        " ",
    ],
)
def test_what_no_person_said_is_not_queued(served: Served, prompt: str) -> None:
    """A command, a reminder, a notification; and no earlier turn takes its place."""
    served.prompt(prompt)
    served.end(*BEFORE)
    served.end(*BEFORE, typed(prompt, "p2"))
    assert served.words == []


def test_reminders_inside_a_prompt_are_cut_out(served: Served) -> None:
    """What the client adds to a prompt is not the user's."""
    served.prompt("<system-reminder>always skim</system-reminder>use tabs<ide_selection>x")
    served.end()
    assert served.words == [["use tabs"]]


def test_words_of_a_turn_that_could_not_be_queued_wait_for_the_next(
    served: Served, store: sqlite3.Connection
) -> None:
    """A store that is locked or full for a moment costs no words."""
    served.prompt("no, use tabs")
    store.execute("PRAGMA query_only = 1")
    served.end()
    assert len(failures.unseen(str(served.folder))) == 1
    store.execute("PRAGMA query_only = 0")
    served.prompt("go on", "p3")
    served.end(prompt="p3")
    assert served.words == [["no, use tabs", "go on"]]


@pytest.mark.parametrize("environ", [{"MEMORY_LEARN": "off"}, {"CLAUDE_MEMORY_JUDGE": "1"}])
def test_nothing_is_kept_when_learning_is_off_or_our_judge_runs(
    tmp_path: Path, store: sqlite3.Connection, environ: dict[str, str]
) -> None:
    """Off is off, in memory as well."""
    served = Served(tmp_path, store, **environ)
    served.prompt("always use tabs")
    assert served.spoken.heard("s") == []


def test_secrets_are_redacted_before_anything_is_written(served: Served) -> None:
    """A credential in a prompt is in no file when its turn has ended."""
    served.prompt(f"always use the token {SECRET}")
    served.end()
    held = b"".join(file.read_bytes() for file in served.folder.rglob("*") if file.is_file())
    assert SECRET.encode() not in held
    assert b"[secret: " in held


def test_memory_of_a_server_is_bounded() -> None:
    """The oldest sessions and prompts make room, and a huge prompt is cut behind what is read."""
    heard = Spoken()
    for number in range(spoken.SESSIONS + 3):
        heard.hear(f"s{number}", "p", "x")
    for number in range(spoken.PROMPTS + 3):
        heard.hear("s10", f"p{number}", "y" * 1_000_000)
    assert [len(heard.heard(f"s{number}")) for number in range(11)] == [
        *[0] * 3,
        *[1] * 7,
        spoken.PROMPTS,
    ]
    last = heard.heard("s10")[-1]
    assert last.prompt == f"p{spoken.PROMPTS + 2}"
    assert stop.REDACTED_AT_ONCE < len(last.text) == spoken.LONGEST


def test_what_is_heard_while_a_turn_is_queued_stays() -> None:
    """Hooks of one server run on two threads."""
    heard = Spoken()
    heard.hear("s", "p1", "first")
    queued_ones = heard.heard("s")
    heard.hear("s", "p2", "second")
    heard.forget("s", queued_ones)
    assert heard.heard("s") == [Heard("p2", "second")]
    heard.forget("s", heard.heard("s"))
    heard.forget("s", [])
    assert heard.heard("s") == []


def test_what_the_user_wants_kept_by_nobody_is_not_queued(served: Served) -> None:
    """In nine languages: neither the rule nor the judge may hear of it, and no file holds it."""
    learned = []
    for number, text in enumerate(withheld()):
        served.prompt(text, f"p{number}")
        served.end(prompt=f"p{number}")
        learned += [text] if served.words else []
        served.store.execute("DELETE FROM turns")
    assert learned == []
    assert served.spoken.heard("s") == []


def test_rule_of_work_that_sounds_like_it_is_queued(served: Served) -> None:
    """Never to store a password in a file is something to be kept."""
    lost = []
    for number, text in enumerate(rules_of_work()):
        served.prompt(text, f"p{number}")
        served.end(prompt=f"p{number}")
        lost += [] if served.words == [[text]] else [text]
        served.store.execute("DELETE FROM turns")
    assert lost == []


def test_request_for_silence_takes_the_whole_turn_along(served: Served) -> None:
    """Also where it comes while the assistant works: "that" may be anything that was said."""
    served.prompt("I prefer rum")
    served.prompt("don't remember that")
    served.end()
    assert served.words == []


@pytest.mark.parametrize("place", ["before", "behind"])
def test_request_for_silence_is_heard_at_either_end_of_a_long_paste(
    served: Served, place: str
) -> None:
    """What lies between was copied from somewhere, and is looked at by nobody."""
    asked, paste = "Don't remember this: I prefer rum.", "the build took a while\n" * 2_000
    served.prompt(f"{asked}\n{paste}" if place == "before" else f"{paste}\n{asked}")
    served.end()
    assert served.words == []


def test_request_for_silence_takes_along_what_waits_to_be_learned(served: Served) -> None:
    """What was said one turn earlier may not be learned yet; other sessions have no part in it."""
    served.prompt("always use tabs", session_id="other")
    served.end(session_id="other")
    served.prompt("I prefer rum")
    served.end()
    served.prompt("don't remember what I just said", "p3")
    served.end(prompt="p3")
    assert served.words == [["always use tabs"]]


def test_later_turn_has_no_withheld_words_as_its_context(served: Served) -> None:
    """Nor what they speak of, nor the answer to them."""
    served.prompt("no, use pnpm", "p4")
    served.end(
        *BEFORE,
        typed("I earn 90k", "p2"),
        answered("90k."),
        typed("don't remember that", "p3"),
        answered("I forget the 90k."),
        prompt="p4",
    )
    assert served.turns[0]["earlier"] == [["user", "set it up"], ["assistant", "It uses spaces."]]
