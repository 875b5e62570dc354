"""Auto-learn in a real server process: prompts are heard across calls, no end loses a turn."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from claude_memory.store import proposals, turns
from claude_memory.store.connection import write
from claude_memory.store.lock import Lock

from tests.support.stand_in_claude import ends
from tests.support.stdio_peer import CLIENT, Peer
from tests.support.stores import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.learning import Learning
    from tests.support.stand_in_claude import StandIn

SERVER = [sys.executable, "-S", "-E", str(CLIENT / "server.py")]
CUE = "no, please use pnpm instead of npm for the webshop"


def served(machine: Learning, claude: StandIn) -> Peer:
    """Start the server as this user's client does."""
    path = f"{claude.folder}{os.pathsep}{os.defpath}"
    silent = {"MEMORY_RECALL_BUDGET": "0", "CLAUDE_CODE_SESSION_ID": "this-session"}
    home = {"MEMORY_HOME": machine.home, "PATH": path}
    return Peer(SERVER, {**os.environ, **home, **silent, **machine.environ})


def call_hook(peer: Peer, event: str, **fields: object) -> None:
    """Call the tool of the hooks and wait for its answer, which is silence."""
    arguments = {"event": event, "session_id": "s", "prompt_id": "p", **fields}
    answer = peer.answer("tools/call", {"name": "hook", "arguments": arguments})
    assert answer["result"]["content"] == [{"type": "text", "text": "{}"}]


def test_prompt_is_queued_at_the_end_of_its_turn(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """Both events reach one process, which has no transcript to read from."""
    machine = make_machine()
    with served(machine, claude) as peer:
        call_hook(peer, "UserPromptSubmit", prompt="make it work")
        call_hook(peer, "UserPromptSubmit", prompt=CUE)
        assert machine.store.execute("SELECT count(*) FROM turns").fetchone() == (0,)
        call_hook(peer, "Stop", last_assistant_message="Done.")
        [(body,)] = machine.store.execute("SELECT body FROM turns").fetchall()
    assert json.loads(body)["words"] == ["make it work", CUE]


def call(peer: Peer, tool: str, **arguments: object) -> str:
    """Call a tool as Claude does and return what it says."""
    result = peer.answer("tools/call", {"name": tool, "arguments": arguments})["result"]
    assert not result.get("isError"), result
    return str(result["content"][0]["text"])


def turns_in(machine: Learning) -> list[list[str]]:
    """Return the user's words of the turns that were queued and not forgotten since."""
    rows = machine.store.execute("SELECT body FROM turns WHERE body <> ''")
    return [json.loads(body)["words"] for (body,) in rows]


@contextmanager
def at_rest(machine: Learning) -> Iterator[None]:
    """Keep every process from learning meanwhile."""
    with Lock(str(Path(machine.place.database).with_name("learn.lock"))) as lock:
        assert lock.is_held
        yield


@pytest.mark.parametrize("purge", [False, True])
def test_what_is_forgotten_in_a_turn_does_not_come_back_from_it(
    make_machine: Callable[..., Learning], claude: StandIn, *, purge: bool
) -> None:
    """In whatever words it was asked for; a later turn is learned from again."""
    machine = make_machine()
    with served(machine, claude) as peer:
        call(peer, "memory_store", content="I have diabetes type 1.")
        call_hook(peer, "UserPromptSubmit", prompt="I never want the diabetes thing in there")
        call(peer, "memory_delete", id="L1", purge=purge)
        call_hook(peer, "Stop", last_assistant_message="The diabetes is deleted.")
        assert turns_in(machine) == []
        call_hook(peer, "UserPromptSubmit", prompt=CUE)
        call_hook(peer, "Stop", last_assistant_message="Done.")
        assert turns_in(machine) == [[CUE]]
        peer.close()
        peer.end()
    held = b"".join(file.read_bytes() for file in Path(machine.home).rglob("*") if file.is_file())
    assert (b"diabetes" in held) is not purge


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize("session", ["this-session", "another"])
def test_delete_takes_along_what_is_still_to_be_learned_from(
    make_machine: Callable[..., Learning], claude: StandIn, session: str, *, purge: bool
) -> None:
    """It was said in the session of the memory, or in the one in which the memory is deleted."""
    machine = make_machine()
    put(machine.store, "I have diabetes type 1.", session="another")
    with at_rest(machine), served(machine, claude) as peer:
        machine.hear("I have diabetes, always mind that", session=session)
        machine.hear("I always have my lunch at noon", session="a third")
        call(peer, "memory_delete", id="L1", purge=purge)
        assert turns_in(machine) == [["I always have my lunch at noon"]]


def test_purge_takes_along_the_proposals_that_say_the_same(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """Else its text would stay on the disk, and come back once the proposal is accepted."""
    machine = make_machine()
    put(machine.store, "I have diabetes type 1.")
    with write(machine.store):
        for text in ("I have diabetes type 1", "I prefer rum"):
            proposals.add(machine.store, {"content": text}, "because", machine.now)
    with served(machine, claude) as peer:
        call(peer, "memory_delete", id="L1", purge=True)
        assert [one.fields["content"] for one in machine.proposed()] == ["I prefer rum"]


def test_turn_that_rejects_a_proposal_is_not_learned_from(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """Or the same would be proposed again."""
    machine = make_machine()
    with write(machine.store):
        proposals.add(machine.store, {"content": "I prefer rum"}, "because", machine.now)
    with served(machine, claude) as peer:
        call_hook(peer, "UserPromptSubmit", prompt="reject that I prefer rum")
        call(peer, "memory_update", id="L1", review="reject")
        call_hook(peer, "Stop", last_assistant_message="Done.")
        assert turns_in(machine) == []


# What was said, and what Claude stored in that turn.
STORED_ALREADY = (
    ("Remember that we deploy on Tuesdays, as always.", "We deploy on Tuesdays."),
    ("Remember that my sister Eva lives in Oslo.", "The user's sister is Eva, from Oslo."),
    ("From now on use pnpm, not npm.", "The user wants pnpm instead of npm in all projects."),
    ("I always want the tests first.", "User prefers test-driven development: first tests."),
    ("Never push directly to main.", "Direct pushes to main are forbidden, use pull requests"),
    ("Merk dir, dass wir dienstags deployen.", "Wir deployen dienstags."),
    ("Merk dir, dass wir freitags nicht mergen.", "The team does not merge on Fridays."),
    ("Ich mag kurze Antworten", "The user likes short answers"),
    ("Je préfère les petites fonctions", "The user prefers small functions"),
    ("Prefiero tabuladores en lugar de espacios", "The user prefers tabs over spaces"),
    ("以后请用中文回答", "The user wants answers in Chinese"),
)
STORED_BESIDE = (
    ("I prefer tabs.", "The API uses OAuth."),
    ("My manager is called Karl", "We deploy on Tuesdays"),
    ("Please always give short answers", "The user works at a hospital"),
    ("never push to main", "The main database is Postgres"),
    ("Ich bevorzuge Tabs", "The service runs on Node 20"),
    ("use British spelling", "The docs live in the handbook repo"),
)


def learned_beside(
    machine: Learning, claude: StandIn, pairs: tuple[tuple[str, str], ...]
) -> list[str]:
    """Have each said in a turn of its own session in which Claude stores something."""
    with served(machine, claude) as peer:
        for number, (said, stored) in enumerate(pairs):
            session = f"s{number}"
            call_hook(peer, "UserPromptSubmit", prompt=said, session_id=session)
            call(peer, "memory_store", content=stored)
            call_hook(peer, "Stop", last_assistant_message="Done.", session_id=session)
        peer.close()
        peer.end()
    machine.now += timedelta(days=3_650)  # what the server has left is ready now
    machine.learn()
    rows = machine.store.execute("SELECT content FROM memories WHERE source = 'auto-learn'")
    return sorted(content for (content,) in rows)


def test_what_claude_has_stored_in_the_turn_is_not_learned_as_well(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """One 'remember' is one memory, though Claude has put it in other words or in English."""
    machine = make_machine(MEMORY_LEARN_JUDGE="off")
    assert learned_beside(machine, claude, STORED_ALREADY) == []


def test_what_the_user_said_beside_what_claude_has_stored_is_learned(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """That something was stored in the turn does not mean that it was all."""
    machine = make_machine(MEMORY_LEARN_JUDGE="off")
    learned = learned_beside(machine, claude, STORED_BESIDE)
    assert learned == sorted(f'The user said: "{said}"' for said, _ in STORED_BESIDE)


def test_judge_is_shown_what_claude_has_stored_in_the_turn(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """Also where no search would find it by the user's words; but nothing that is deleted."""
    machine = make_machine(claude.path)
    kept = put(machine.store, "The office is in Lisbon")
    gone = put(machine.store, "The office is in Porto")
    machine.service.delete((gone.uid,), purge=False)
    machine.hear(CUE, stored=(kept.uid, gone.uid))
    machine.learn()
    [asked] = claude.calls
    assert "The office is in Lisbon" in asked["stdin"]
    assert "Porto" not in asked["stdin"]


def test_prompt_that_no_memory_could_hold_is_learned_all_the_same(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """It would wait for a review that cannot accept it."""
    machine = make_machine(MEMORY_LEARN_JUDGE="off")
    with served(machine, claude) as peer:
        call_hook(peer, "UserPromptSubmit", prompt="always\0prefer tabs")
        call_hook(peer, "Stop", last_assistant_message="Done.")
        peer.close()
        peer.end()
    machine.now += timedelta(days=3_650)
    machine.learn()
    assert machine.contents() == ['The user said: "always prefer tabs"']


def test_session_that_clear_begins_is_the_one_that_works(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """The process and its environment stay; only the hooks are told of the new session."""
    machine = make_machine()
    with served(machine, claude) as peer:
        call(peer, "memory_store", content="The printer is called Gutenberg.")
        call_hook(peer, "UserPromptSubmit", prompt="hello there", session_id="after-clear")
        call_hook(peer, "UserPromptSubmit", prompt="go on", session_id="${session_id}")
        call(peer, "memory_store", content="Release notes are written by Ada.")
        order = call(peer, "hook", event="PreCompact", session_id="after-clear", trigger="manual")
    assert "Release notes are written by Ada." in order
    assert "Gutenberg" not in order


@pytest.mark.parametrize("purge", [False, True])
def test_what_is_forgotten_after_clear_does_not_come_back(
    make_machine: Callable[..., Learning], claude: StandIn, *, purge: bool
) -> None:
    """The memory is of the session before `/clear`, the words are of the one that goes on."""
    machine = make_machine(MEMORY_LEARN_JUDGE="off")
    words, new = "I always drink my tea with oat milk.", "after-clear"
    put(machine.store, "Milk goes into my tea, always.", session="this-session")
    with at_rest(machine), served(machine, claude) as peer:
        call_hook(peer, "UserPromptSubmit", prompt=words, session_id=new)
        call_hook(peer, "Stop", last_assistant_message="Noted.", session_id=new)
        assert turns_in(machine) == [[words]]
        call_hook(peer, "UserPromptSubmit", prompt="Forget that about my tea.", session_id=new)
        call(peer, "memory_delete", id="L1", purge=purge)
        assert turns_in(machine) == []


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "stdin"])
def test_server_that_ends_while_the_judge_works_loses_no_turn(
    make_machine: Callable[..., Learning], claude: StandIn, end: str
) -> None:
    """The judge dies with it, and the turn is ready for whoever learns next."""
    machine = make_machine(claude.path)
    machine.hear(CUE)
    claude.hangs()
    with served(machine, claude) as peer:
        pids = claude.wait_until_started()
        if end == "stdin":
            peer.close()
        else:
            peer.process.send_signal(getattr(signal, end))
        assert peer.end() == 0
        assert peer.errors() == ""
    assert all(map(ends, pids))
    assert turns.count(machine.store) == (1, 0)
    assert turns.ready_in(machine.store, machine.now) == 0
