"""What a person is told of syncing: memory_status and the greeting, in each state there is."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from claude_memory.hooks.greeting import WELCOME
from claude_memory.service import upkeep
from claude_memory.store import feed, outbox, ownership
from claude_memory.store.bindings import fingerprint
from claude_memory.store.connection import open_store, write
from claude_memory.sync.files import Files

from tests.support import shell
from tests.support.desk import START, Desk
from tests.support.hook_calls import added, asked, context_in, through_doorway
from tests.support.line import OURS, SERVER, Line, engine, row, synced

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A session with a server's address and key."""
    return Desk(tmp_path, **SERVER)


def status(desk: Desk) -> dict[str, str]:
    """Return what memory_status says, by name; what needs attention under the name `!`."""
    facts, _, trouble = desk.call("memory_status").partition("\nNeeds attention:\n")
    named = dict(line.split(": ", 1) for line in facts.splitlines() if ": " in line)
    return {**named, "!": trouble}


def told(desk: Desk, **environ: str) -> str:
    """Return what the greeting of a new session shows the user."""
    event = {"event": "SessionStart", "source": "startup", "session_id": str(desk.tick())}
    around = context_in(desk.place.home, desk.connection, environ or SERVER, now=desk.clock)
    said = str(asked(event, around).get("systemMessage", ""))
    return " | ".join(line for line in said.splitlines() if line != WELCOME)


def test_server_that_has_not_answered_yet(desk: Desk) -> None:
    """What will be sent is counted; there is nothing to do, so the greeting is silent."""
    desk.store("One")
    desk.store("Two")
    said = status(desk)
    assert said["Server"] == "https://memory.example.com"
    assert said["Sync"] == "waiting for the server's first answer; no success yet"
    assert (said["Queue"], said["!"]) == ("2 changes to send", "")
    assert "sync" not in told(desk)


def test_store_in_step(desk: Desk) -> None:
    """With when that was seen last, and how long ago that is."""
    desk.store("One")
    synced(desk, Line())
    desk.clock += timedelta(minutes=2)
    said = status(desk)
    assert said["Sync"] == "in step; last success 2026-03-01T12:00Z (2 minutes ago)"
    assert (said["Queue"], said["!"]) == ("everything is sent", "")
    assert told(desk) == ""


def test_store_that_was_never_synced(desk: Desk) -> None:
    """It is in step once the server's memories are here, and not when it is merely known."""
    synced(desk, Line(), until="pull")
    assert status(desk)["Sync"] == "not synced yet, the first exchange is under way; no success yet"


def test_session_that_has_not_asked_yet(desk: Desk) -> None:
    """What another one saw last week is not said of today."""
    synced(desk, Line())
    desk.clock += timedelta(days=7)
    assert status(desk)["Sync"].startswith(
        "in step when the server was last asked; last success 2026-03-01T12:00Z (7 days ago)"
    )


def test_store_that_asks_for_everything_anew(desk: Desk) -> None:
    """What may differ from the server is not called in step."""
    synced(desk, Line())
    with write(desk.connection):
        feed.ask_for_all(desk.connection, START)
    assert status(desk)["Sync"].startswith("asking for everything anew; ")


def test_server_out_of_reach(desk: Desk) -> None:
    """The next try, the reason and the fix, till it answers; the greeting waits a day with it."""
    desk.store("One")
    line = Line()
    synced(desk, line)
    desk.store("Two")
    line.is_cut = True
    for _ in range(6):
        synced(desk, line)
    said = status(desk)
    assert said["Sync"].startswith("interrupted, and tried again by itself within ")
    assert said["Queue"] == "1 change to send; 1 of 2 memories are on the server"
    assert "Connection refused. Check the network and the server address" in said["!"]
    assert told(desk) == ""
    desk.clock += timedelta(days=2)
    assert told(desk).startswith("claude-memory does not sync (1 change waits): memory.example")
    line.is_cut = False
    synced(desk, line)
    said = status(desk)
    assert said["Sync"].startswith("in step; last success ")
    assert (said["Queue"], said["!"], told(desk)) == ("everything is sent", "", "")


@pytest.mark.parametrize("is_bound", [True, False])
def test_key_that_is_not_accepted(tmp_path: Path, desk: Desk, *, is_bound: bool) -> None:
    """Said at once, by the greeting too, with where a key is set; not once the key is removed."""
    line = Line()
    if is_bound:
        synced(desk, line)
    line.problem = (401, {"code": "unauthorized", "detail": "This needs a valid API key."})
    synced(desk, line)
    said = status(desk)
    assert said["Sync"].startswith("stopped, the key is not accepted; ")
    assert "needs a valid API key. Give the plugin a key" in said["!"]
    greeting = told(desk)
    assert "claude-memory does not sync" in greeting
    assert "/plugin configure memory" in greeting
    other = Desk(tmp_path, **{**SERVER, "MEMORY_API_KEY": "another key"})
    assert "stopped" not in status(other)["Sync"]
    assert "does not sync" not in told(desk, **{**SERVER, "MEMORY_API_KEY": ""})
    greeted = told(desk, **{**SERVER, "MEMORY_API_KEY": "another key"})
    assert "valid API key" not in greeted  # it may be the right one


def test_server_that_speaks_another_protocol(desk: Desk) -> None:
    """Which of the two is older, and that work goes on meanwhile."""
    line = Line()
    line.hello["protocol"] = {"min": 3, "max": 4}
    synced(desk, line)
    said = status(desk)
    assert said["Sync"].startswith("stopped, server and plugin speak no common version; ")
    wanted = "The server speaks protocol 3 to 4, this plugin 1. Update the older of the two."
    assert wanted in said["!"]
    assert wanted in told(desk)


def test_key_that_may_only_read(desk: Desk) -> None:
    """What is stored here waits; as long as nothing does, the greeting is silent."""
    line = Line()
    line.hello["scopes"] = ["read"]
    synced(desk, line)
    assert told(desk) == ""
    desk.store("One")
    said = status(desk)
    assert said["Sync"].startswith("in step; ")
    assert said["Queue"] == "1 change to send; 0 of 1 memories are on the server"
    assert "this key may only read. What is stored here stays here until" in said["!"]
    assert told(desk) == "claude-memory only receives (1 change waits): its key may only read."


def test_change_that_the_server_refuses(desk: Desk) -> None:
    """Which one, why, and both ways out; a discarded one is not spoken of again."""
    line = Line()
    line.outcome = {"status": "rejected", "code": "invalid", "detail": "Not like this."}
    label = desk.store("One")
    synced(desk, line)
    said = status(desk)
    wanted = f"The server refused to store {label} (invalid: Not like this.). It is kept here: "
    assert wanted in said["!"]
    assert told(desk) == "The server refused 1 change: /memory:status shows why."
    desk.call("memory_delete", id=label)
    assert status(desk)["!"] == ""


def test_conflict_with_another_machine(desk: Desk) -> None:
    """Both texts, and how to take the other one back; told until that is settled."""
    line = Line()
    label = desk.store("One")
    synced(desk, line)
    desk.call("memory_update", id=label, content="Mine")
    line.rows = {}
    line.outcome = {"status": "conflict", "current": row(7, "Theirs", uid_of(desk))}
    synced(desk, line)
    said = status(desk)["!"]
    assert 'Kept: "Theirs". Yours: "Mine"; memory_update with id #7 and restore=true' in said
    assert "1 change lost against another machine's" in told(desk)
    desk.call("memory_update", id="#7", restore=True)
    assert status(desk)["!"] == ""


def test_same_change_made_elsewhere_too_is_no_conflict(desk: Desk) -> None:
    """Nothing was lost, so nobody is told of it."""
    line = Line()
    label = desk.store("One")
    synced(desk, line)
    desk.call("memory_update", id=label, content="Ours")
    line.outcome = {"status": "conflict", "current": row(7, "Ours", uid_of(desk))}
    synced(desk, line)
    assert status(desk)["!"] == ""


@pytest.mark.parametrize(
    ("theirs", "wanted"), [("One", ""), ("Theirs", 'Kept: "Theirs". Yours: "One"; memory_update')]
)
def test_restored_server_that_another_machine_was_faster_to_give_back_to(
    desk: Desk, theirs: str, wanted: str
) -> None:
    """It is told only what differs, and in words."""
    line = Line()
    syncing = engine(desk, line)
    desk.store("One")
    list(syncing.cycle())
    changed = {"code": "epoch_changed", "epoch": "e2", "lost_after": 0, "detail": "Restored."}
    line.problem = 410, changed
    list(syncing.cycle())
    line.problem, line.rows = None, {}
    line.outcome = {"status": "conflict", "current": row(9, theirs, uid_of(desk))}
    list(syncing.cycle())
    assert status(desk)["Queue"] == "everything is sent"
    said = status(desk)["!"]
    assert wanted in said
    assert bool(said) == bool(wanted)


def test_conflict_with_a_delete_elsewhere(desk: Desk) -> None:
    """It is settled once the text was taken back, under the new uid that this gives it."""
    line = Line()
    label = desk.store("One")
    synced(desk, line)
    desk.call("memory_update", id=label, content="Mine")
    line.rows = {}
    gone = {**row(7, "", uid_of(desk)), "content": None, "deleted_at": "2026-03-01T12:00:00Z"}
    line.outcome = {"status": "conflict", "current": gone}
    synced(desk, line)
    assert 'Kept: deleted. Yours: "Mine"' in status(desk)["!"]
    assert "Restored memory L1." in desk.call("memory_update", id="#7", restore=True)
    assert status(desk)["!"] == ""


def test_purge_elsewhere_takes_an_edit_along_that_was_not_sent_yet(desk: Desk) -> None:
    """What was kept before it is erased, and so is the edit that lost against it; this is told."""
    line = Line()
    label = desk.store("One")
    synced(desk, line)
    desk.call("memory_update", id=label, content="Two")
    synced(desk, line)
    desk.call("memory_update", id=uid_of(desk), content=f"Mine {TOKEN}")
    gone = {**row(7, "", uid_of(desk)), "content": None, "deleted_at": "2026-03-01T12:00:00Z"}
    line.rows = {}
    line.outcome = {"status": "conflict", "current": {**gone, "purged": True}}
    synced(desk, line)
    assert "Yours" not in status(desk).get("!", "")
    assert "Memory #7 was purged on another machine, and with it a change made here" in told(desk)
    upkeep.run(desk.place, desk.door)
    held = "".join(desk.connection.iterdump())
    assert [text for text in ("One", "Two", "Mine") if text in held] == []
    assert "no earlier state" in desk.refused("memory_update", id="#7", restore=True)


def test_edit_elsewhere_is_undone_here(desk: Desk) -> None:
    """Where a secret is in it, the server is told to which version it belonged."""
    line = Line()
    desk.store("One")
    desk.store("Other")
    synced(desk, line)
    one, other = line.rows
    line.rows = {
        one: row(8, "Two", one) | {"id": 1},
        other: row(9, "[secret: x] of theirs", other) | {"id": 2, "is_sensitive": True},
    }
    line.version = 9
    synced(desk, line)
    line.rows[other] = row(10, "Nothing secret", other) | {"id": 2, "is_sensitive": False}
    line.version = 10
    synced(desk, line)
    assert "Restored the earlier state" in desk.call("memory_update", id="#1", restore=True)
    assert "One" in "".join(desk.texts())
    desk.call("memory_update", id="#2", restore=True)
    (op,) = outbox.of_memory(desk.connection, other)
    assert op.body["content"] == "[secret: x] of theirs"
    assert op.body["restores"] == {"uid": other, "version": 9}


def test_edit_elsewhere_after_an_undo_is_what_an_undo_undoes(desk: Desk) -> None:
    """What was undone before is earlier then, and no latest text."""
    line = Line()
    desk.store("One")
    synced(desk, line)
    (uid,) = line.rows
    desk.call("memory_update", id=uid, content="Two")
    desk.call("memory_update", id=uid, restore=True)
    synced(desk, line)
    line.rows, line.version = {uid: row(20, "Theirs", uid)}, 20
    synced(desk, line)
    for text in ("One", "Two"):
        assert "the earlier state" in desk.call("memory_update", id=uid, restore=True)
        assert desk.texts()[0].endswith(f'"{text}"')
    assert "No state is earlier" in desk.call("memory_update", id=uid, restore=True)
    assert desk.texts()[0].endswith('"Theirs"')


def test_what_is_kept_of_a_memory_that_was_deleted_elsewhere_goes(desk: Desk) -> None:
    """Nobody can bring it back here; what was deleted here can be, for thirty days."""
    line = Line()
    for text in ("One", "Two"):
        desk.store(text)
    synced(desk, line)
    uid, mine = line.rows
    for one in (uid, mine):
        desk.call("memory_update", id=one, content=f"Edited {one[-1]}")
    synced(desk, line)
    desk.call("memory_delete", id=mine)
    gone = row(11, "", uid) | {"id": 1, "content": None, "deleted_at": "2026-03-01T12:00:00Z"}
    line.rows, line.version = {uid: gone}, 11
    synced(desk, line)
    upkeep.run(desk.place, desk.door)
    kept = "SELECT count(*) FROM history WHERE uid = ?"
    assert desk.connection.execute(kept, (uid,)).fetchone() == (0,)
    assert "Restored memory" in desk.call("memory_update", id=mine, restore=True)


def test_edit_that_lost_leaves_the_secret_of_a_later_one_alone(desk: Desk) -> None:
    """It was sent before the secret came: undone to it, the memory is plain, here and there."""
    line = Line()
    label = desk.store("One")
    synced(desk, line)
    desk.call("memory_update", id=label, content="Mine")
    synced(desk, line, until="push")
    desk.call("memory_update", id=label, content=f"Mine too: {TOKEN}")
    line.outcome = {"status": "conflict", "current": row(7, "Theirs", uid_of(desk))}
    synced(desk, line, until="pick", times=2)
    assert TOKEN in desk.call("secret_get", id="#7")
    desk.call("memory_update", id="#7", restore=True)
    said = [(op.body, op.sealed) for op in outbox.of_memory(desk.connection, uid_of(desk))]
    assert said == [({"content": "Mine", "is_sensitive": False}, None)]
    assert "holds no secret" in desk.refused("secret_get", id="#7")
    for _ in ("Mine, as it was edited", "One", "the latest"):
        desk.call("memory_update", id="#7", restore=True)
    assert TOKEN in desk.call("secret_get", id="#7")


def test_delete_of_one_of_two_successors(desk: Desk) -> None:
    """Of two that were made on two machines the other one still supersedes the memory."""
    line = Line()
    old = row(1, "We deploy on Mondays.")
    later = [{**row(number, f"Text {number}"), "supersedes": old["uid"]} for number in (2, 3)]
    line.rows = {one["uid"]: one for one in (old, *later)}
    synced(desk, line)
    assert "shown again" not in desk.call("memory_delete", id="#2")
    assert "#1, which it had superseded, is shown again." in desk.call("memory_delete", id="#3")
    assert "Mondays" in desk.texts()[0]


def uid_of(desk: Desk) -> str:
    """Return the uid of the one memory there is."""
    return str(desk.connection.execute("SELECT uid FROM memories").fetchone()[0])


def test_first_sending_of_a_large_store(desk: Desk) -> None:
    """How many are there of how many, after each batch."""
    for number in range(5):
        desk.store(f"Fact number {number}")
    line = Line()
    line.hello["limits"]["ops"] = 2
    synced(desk, line, until="pick", times=2)
    said = status(desk)
    assert said["Sync"] == "sending; no success yet"
    assert said["Queue"] == "3 changes to send; 2 of 5 memories are on the server"


def test_first_receiving_of_a_large_store(desk: Desk) -> None:
    """How many are here of how many, after each page."""
    line = Line()
    line.hello["live"] = line.version = 5
    facts = [row(number, f"Fact number {number}") for number in range(1, 6)]
    line.pages = [facts[:2], facts[2:4], facts[4:]]
    synced(desk, line, until="pull", times=2)
    assert status(desk)["Sync"] == "receiving: 2 of 5 memories are here; no success yet"
    assert status(desk)["Memories"].startswith("2 ")
    synced(desk, line)
    assert status(desk)["Sync"].startswith("in step; ")


@pytest.mark.parametrize(("hours", "side"), [(-3, "ahead of"), (50, "behind")])
def test_clock_that_is_wrong(desk: Desk, hours: int, side: str) -> None:
    """By how much, against the server's, and what follows it; a correct one is not spoken of."""
    line = Line()
    line.headers["date"] = format_datetime(START + timedelta(hours=hours), usegmt=True)
    synced(desk, line)
    span = "3 hours" if hours < 0 else "2 days"
    assert f"This computer's clock is {span} {side} the server's: set it" in status(desk)["!"]
    line.headers["date"] = format_datetime(desk.clock, usegmt=True)
    synced(desk, line)
    assert status(desk)["!"] == ""


def test_memory_of_a_machine_whose_clock_is_wrong(desk: Desk) -> None:
    """The server's clock says that it is not this one's, which is not blamed."""
    line = Line()
    line.rows = {"x": {**row(1, "Of tomorrow"), "created_at": "2026-03-04T12:00:00Z"}}
    synced(desk, line)
    assert status(desk)["!"] == ""
    line.headers = {"date": format_datetime(desk.clock - timedelta(days=2))}
    synced(desk, line)
    assert "2026-03-04: the clock of the machine that stored it was or is" in status(desk)["!"]


def test_queue_of_a_store_whose_key_was_removed(tmp_path: Path, desk: Desk) -> None:
    """It goes on to be filled, and says for what it waits."""
    synced(desk, Line())
    alone = Desk(tmp_path)
    alone.store("One")
    said = status(alone)
    assert said["Queue"] == "1 change to send, once a server and its key are set again"
    assert "Sync" not in said


def test_queue_of_a_store_whose_key_was_removed_before_the_first_exchange(
    tmp_path: Path, desk: Desk
) -> None:
    """All of it goes out once the key is back: it is no local store, which says nothing of that."""
    alone = Desk(tmp_path)
    alone.store("Before there was a key")
    assert status(alone)["Queue"] == "nothing to send: this store is local"
    Files(str(tmp_path), OURS).path()
    desk.store("Under the key")
    assert status(alone)["Queue"] == "2 changes to send, once a server and its key are set again"


def test_memories_stored_under_a_mistaken_key(tmp_path: Path, desk: Desk) -> None:
    """They are counted, in status and greeting, until they were imported."""
    with write(desk.connection):
        ownership.bind(desk.connection, "s", "a", "e", START)
    mistaken = Files(str(tmp_path), fingerprint(SERVER["MEMORY_API_URL"], "a-mistaken-key")).path()
    desk.store("One")
    assert status(desk)["!"] == ""
    copied = Desk(tmp_path / "elsewhere")
    copied.store("Stored under a mistaken key")
    other = open_store(mistaken)
    with write(other), write(copied.connection):
        ownership.move(copied.connection, other, START)
    other.close()

    said = status(desk)["!"]
    assert "1 memory stored under another key or server address" in said
    assert f"`server.py import '{mistaken}'`" in said
    assert told(desk).startswith("1 memory waits in memory-new-")


def with_server(home: Path, key: str = OURS) -> Desk:
    """Return a session that works in the file which its key is assigned."""
    return Desk(home, locate=Files(str(home), key).path, **SERVER)


def test_usual_restart_says_nothing_of_other_files(tmp_path: Path) -> None:
    """Neither with memories here and on the server, nor beside another person's file."""
    first = with_server(tmp_path)
    first.store("One")
    synced(first, Line())
    line = Line()
    line.hello["account_id"] = "b"
    other = with_server(tmp_path, "another key")
    other.store("Another person's")
    synced(other, line, key="another key")
    assert len(list((tmp_path / "memory").glob("memory*.db"))) == 2
    for _ in range(2):
        again = with_server(tmp_path)
        assert (status(again)["!"], told(again)) == ("", "")
        synced(again, Line())
        assert (status(again)["!"], told(again)) == ("", "")


def test_key_that_opens_another_account_than_before(tmp_path: Path) -> None:
    """Where the memories of the former one lie is said until they are imported, or deleted here."""
    before = with_server(tmp_path)
    for text in ("Sent", "Sent too", "Deleted"):
        before.store(text)
    before.call("memory_delete", id="L3")
    synced(before, Line())
    before.store("Never sent")
    former = before.place.database
    line = Line()
    event = {"hook_event_name": "SessionStart", "source": "startup", "session_id": "s"}
    for account in ("b", "c"):  # the server is restored without the account, and once more
        line.hello["account_id"] = account
        synced(before, line)
        first = through_doorway("session-start", event, tmp_path, **SERVER).said["systemMessage"]
        assert first.startswith("3 memories wait in memory.db")  # and no newcomer's welcome
        said = status(before)["!"]
        assert "3 memories that this key's former account had on this machine wait in" in said
        assert f"`server.py import '{former}'` (/memory:setup runs it) brings all of it" in said
        assert told(before) == (
            "3 memories wait in memory.db, synced with another account than the one that this key "
            "opens now: /memory:status says how to bring them here."
        )
    assert before.place.database != former
    line.hello["account_id"] = "a"  # the right backup
    before.store("Stored meanwhile")
    synced(before, line)
    label = before.store("Under c")
    line.hello["account_id"] = "a"
    assert (before.place.database, told(before).count("wait")) == (former, 1)
    assert "1 memory waits in memory-c.db" in told(before)
    assert label == "L5"


def test_copy_that_a_shared_folder_made_is_named_until_it_is_imported(tmp_path: Path) -> None:
    """Two machines wrote at once, and one's store was put aside under another name."""
    home = tmp_path / "home"
    here, there = Desk(home), Desk(tmp_path / "other")
    here.store("Stored here")
    for text in ("Stored there", "Stored there too"):
        there.store(text)
    there.connection.close()
    copy = home / "memory" / "memory (Bob's conflicted copy 2026-03-01).db"
    shutil.copy(there.place.database, copy)
    event = {"hook_event_name": "SessionStart", "source": "startup", "session_id": "s"}
    said = through_doorway("session-start", event, home).said["systemMessage"]
    assert said.startswith(f"2 memories wait in {copy.name}, a copy made by another program: ")
    trouble = status(here)["!"]
    assert f"2 memories that this store lacks wait in {copy}" in trouble
    command, *named = shlex.split(trouble.split("`")[1])
    assert command == "server.py"
    assert "2 memories imported" in shell.said(shell.run(home, *named))
    assert (status(here)["!"], told(here)) == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="others know no such names")
def test_what_waits_in_a_folder_whose_name_is_no_utf8(tmp_path: Path) -> None:
    """It is counted like in any other, and the greeting comes."""
    home = tmp_path / os.fsdecode(b"caf\xe9 %? #")
    desk, line = with_server(home), Line()
    desk.store("One")
    synced(desk, Line())
    line.hello["account_id"] = "b"
    synced(desk, line)
    event = {"hook_event_name": "SessionStart", "source": "startup", "session_id": "s"}
    said = through_doorway("session-start", event, home, **SERVER).said
    assert said["systemMessage"].startswith("1 memory waits in memory.db, synced with another")
    assert "1 memory that this key's former account had" in status(desk)["!"]


def test_new_key_beside_memories_that_may_be_its_own(tmp_path: Path) -> None:
    """They are hidden until the server has answered: greeting and status say so, offline too."""
    first, line = with_server(tmp_path), Line()
    first.store("One")
    first.store("Two")
    synced(first, line)
    new = with_server(tmp_path, "rotated")
    synced(new, Line(), until="bind", key="rotated")
    waits = "2 memories wait in memory.db, synced under another key or server address: shown as"
    for _ in range(2):
        event = {"event": "SessionStart", "source": "startup", "session_id": str(new.tick())}
        said = asked(event, context_in(tmp_path, new.connection, SERVER, now=new.clock))
        for text in (said["systemMessage"], added(said)):
            assert text.startswith("claude-memory: this key or server address is new on this mach")
            assert waits in text
        assert "is ready" not in said["systemMessage"]
    assert "2 memories synced under another key or server address wait in" in status(new)["!"]
    new.store("Three")
    assert told(new).startswith("claude-memory: this key or server address is new on this mach")
    synced(new, line, key="rotated")
    assert (status(new)["!"], told(new)) == ("", "")
    assert len(new.texts()) == 3


def test_first_session_with_another_key_is_told_what_waits(tmp_path: Path, desk: Desk) -> None:
    """Before its server has answered, and before the server here has made its store."""
    Files(str(tmp_path), OURS).path()
    desk.store("One")
    desk.store("Two")
    there = sorted(path.name for path in (tmp_path / "memory").iterdir())
    other = {**SERVER, "MEMORY_API_KEY": "another-key"}
    event = {"hook_event_name": "SessionStart", "source": "startup", "session_id": "s"}
    said = through_doorway("session-start", event, tmp_path, **other).said
    for text in (said["systemMessage"], added(said)):
        assert text == (
            "claude-memory: this key or server address is new on this machine. Its memories are "
            "here as soon as the server has answered.\n"
            "2 memories wait in memory.db, stored under another key or server address: "
            "/memory:status says how to bring them here."
        )
    assert sorted(path.name for path in (tmp_path / "memory").iterdir()) == there


def test_corrected_address_goes_on_with_the_same_store(tmp_path: Path) -> None:
    """Who misspelt the address and corrects it sees what was stored; another key does not."""
    wrong, right = (fingerprint(f"https://{host}.example.com", "key") for host in ("w", "r"))
    first = Files(str(tmp_path), wrong).path()
    assert Files(str(tmp_path), right).path() == first
    other = fingerprint("https://r.example.com", "another key")
    assert Files(str(tmp_path), other).path() != first
