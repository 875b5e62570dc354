"""Edits, deletes and their undoing, seen through the tools."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import KeeperRefused
from claude_memory.keeper.interface import Sealed
from claude_memory.redaction.detector import redact
from claude_memory.service import upkeep
from claude_memory.store import proposals
from claude_memory.store.connection import write

from tests.support.desk import Desk
from tests.support.line import SERVER, Line, row, synced
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
NEWER = "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2"


def test_edit_changes_what_was_named_and_nothing_else(tmp_path: Path) -> None:
    """Absent fields stay."""
    desk = Desk(tmp_path)
    desk.store("Deploys are on Monday", tags="ops", category="decisions")
    answer = desk.call("memory_update", id="L1", content="Deploys are on Tuesday")
    assert answer.startswith("Updated memory L1: content.")
    assert desk.texts() == ['L1 [decisions] 2026-03-01 "Deploys are on Tuesday"  tags: ops']
    assert "Monday" not in desk.call("memory_recall", context="Monday")


@promise("store.edits-can-be-undone")
def test_edits_can_be_undone_one_after_the_other(tmp_path: Path) -> None:
    """Restore goes to the state before the last edit, and back again."""
    desk = Desk(tmp_path)
    desk.store("Deploys are on Monday")
    desk.call("memory_update", id="L1", content="Deploys are on Tuesday")
    assert "Restored the earlier state" in desk.call("memory_update", id="L1", restore=True)
    assert "Monday" in desk.texts()[0]
    desk.call("memory_update", id="L1", restore=True)
    assert "Tuesday" in desk.texts()[0]


@promise("store.edits-can-be-undone")
def test_each_restore_goes_one_edit_further_back(tmp_path: Path) -> None:
    """To the very first text; then the latest one comes back, and nothing is out of reach."""
    desk = Desk(tmp_path)
    desk.store("Deploys are on Monday")
    desk.call("memory_update", id="L1", content="Deploys are on Tuesday")
    desk.call("memory_update", id="L1", content="Deploys are on Friday")
    seen = []
    for _ in range(2):
        for words in ("the earlier state", "the earlier state", "No state is earlier"):
            assert words in desk.call("memory_update", id="L1", restore=True)
            seen.append(desk.texts()[0].split('"')[1].split()[-1])
    assert seen == ["Tuesday", "Monday", "Friday"] * 2
    desk.call("memory_update", id="L1", restore=True)
    desk.call("memory_update", id="L1", content="Deploys are on Sunday")
    for day in ("Tuesday", "Friday", "Monday", "Sunday"):  # what was undone is earlier now
        desk.call("memory_update", id="L1", restore=True)
        assert day in desk.texts()[0]


@promise("store.edits-can-be-undone")
def test_each_text_that_is_gone_back_to_has_its_own_secret(tmp_path: Path) -> None:
    """Also where an edit had left the secret alone."""
    desk = Desk(tmp_path)
    desk.store(f"The bot's token is {TOKEN}")
    desk.call("memory_update", id="L1", tags="bot")
    desk.call("memory_update", id="L1", content=f"The bot's token is {NEWER}")
    desk.call("memory_update", id="L1", importance=0.9)
    for token in [NEWER, TOKEN, TOKEN, NEWER] * 2:
        desk.call("memory_update", id="L1", restore=True)
        assert token in desk.call("secret_get", id="L1")


def test_edit_that_changes_nothing_says_so(tmp_path: Path) -> None:
    """No history entry is made for it."""
    desk = Desk(tmp_path)
    desk.store("Deploys are on Monday")
    answer = desk.call("memory_update", id="L1", content="Deploys are on Monday")
    assert "already says that" in answer
    assert "no earlier state" in desk.refused("memory_update", id="L1", restore=True)


def test_expiry_can_be_taken_back(tmp_path: Path) -> None:
    """An empty time means never."""
    desk = Desk(tmp_path)
    desk.store("The freeze lasts until Friday", expires_at="2026-03-06")
    desk.call("memory_update", id="L1", expires_at="")
    desk.clock = desk.clock.replace(day=20)
    assert len(desk.texts()) == 1


@promise("store.deletes-can-be-undone")
def test_deleted_memory_comes_back_under_its_number_with_its_past(tmp_path: Path) -> None:
    """All fields, the secret and the history return."""
    desk = Desk(tmp_path)
    desk.store(f"The bot's token is {TOKEN}", tags="bot", importance=0.9)
    desk.call("memory_update", id="L1", category="projects")
    before = desk.texts()
    assert "undoes it" in desk.call("memory_delete", id="L1")
    assert desk.call("memory_list") == "No memories yet."
    assert "is deleted" in desk.refused("memory_update", id="L1", tags="x")
    assert desk.call("memory_update", id="L1", restore=True).startswith("Restored memory L1.")
    assert desk.texts() == before
    assert TOKEN in desk.call("secret_get", id="L1")
    desk.call("memory_update", id="L1", restore=True)
    assert "[facts]" in desk.texts()[0]


def test_undone_delete_has_a_new_uid(tmp_path: Path) -> None:
    """A delete is final for the uid that other machines know."""
    desk = Desk(tmp_path)
    desk.store("Deploys are on Monday")
    (old,) = desk.connection.execute("SELECT uid FROM memories").fetchone()
    desk.call("memory_delete", id="L1")
    desk.call("memory_update", id="L1", restore=True)
    live = desk.connection.execute("SELECT uid FROM memories WHERE live = 1").fetchall()
    assert live != [(old,)]


def test_restored_memory_still_hides_what_it_superseded(tmp_path: Path) -> None:
    """Undoing a delete does not let an outdated fact back in."""
    desk = Desk(tmp_path)
    desk.store("The office is in Lyon")
    desk.store("The office is in Nantes", supersedes="L1")
    desk.call("memory_delete", id="L2")
    desk.call("memory_update", id="L2", restore=True)
    assert [text[:2] for text in desk.texts()] == ["L2"]


def test_outdated_memory_that_comes_back_stays_behind_its_successor(tmp_path: Path) -> None:
    """A delete and its undoing leave everything as it was."""
    desk = Desk(tmp_path)
    desk.store("The office is in Lyon")
    desk.store("The office is in Nantes", supersedes="L1")
    desk.call("memory_delete", id="L1")
    desk.call("memory_update", id="L1", restore=True)
    assert [text[:2] for text in desk.texts()] == ["L2"]


def test_id_from_before_an_undone_delete_leads_to_the_one_that_lives(tmp_path: Path) -> None:
    """The server's number goes to the grave; the memory gets a new one."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    line.rows = {"x": row(6, "Deploys are on Monday")}
    synced(desk, line)
    desk.call("memory_delete", id="#6")
    assert "restore=true" in desk.refused("memory_delete", id="#6")
    desk.call("memory_update", id="#6", restore=True)
    label = desk.texts()[0].split()[0]
    assert label != "#6"
    for asked in ({"content": "x"}, {"restore": True}):
        told = desk.refused("memory_update", id="#6", **asked)
        assert told.endswith(f"{label} has taken its place.")
        assert "restore=true" not in told
    assert f"{label} has taken" in desk.refused("memory_delete", id="#6")
    desk.call("memory_delete", id=label, purge=True)
    assert "Nothing is kept here" in desk.refused("memory_delete", id="#6")


def test_restored_text_stays_the_successor_of_a_memory_that_came_back(tmp_path: Path) -> None:
    """What a memory supersedes is no part of its text."""
    desk = Desk(tmp_path)
    desk.store("The office is in Lyon")
    desk.store("The office is in Nantes", supersedes="L1")
    desk.call("memory_update", id="L2", tags="office")
    desk.call("memory_delete", id="L1")
    desk.call("memory_update", id="L1", restore=True)
    desk.call("memory_update", id="L2", restore=True)
    assert [text[:2] for text in desk.texts()] == ["L2"]


@pytest.mark.parametrize("order", [("L1", "L2"), ("L2", "L1")])
def test_memory_and_successor_come_back_in_any_order(tmp_path: Path, order: list[str]) -> None:
    """The outdated one stays out of sight."""
    desk = Desk(tmp_path)
    desk.store("The office is in Lyon")
    desk.store("The office is in Nantes", supersedes="L1")
    desk.call("memory_delete", id=["L1", "L2"])
    for one in order:
        desk.call("memory_update", id=one, restore=True)
    assert [text[:2] for text in desk.texts()] == ["L2"]


class Meanwhile:
    """A keeper, and what another session does while it seals for the first time."""

    name = "meanwhile"

    def __init__(self, act: Callable[[], object]) -> None:
        """Keep what is done."""
        self._acts = [act]

    def seal(self, uid: str, clear: str) -> Sealed:
        """Let the other session act."""
        del uid, clear
        while self._acts:
            self._acts.pop()()
        return Sealed("aes", "none", b"")

    def open(self, uid: str, sealed: Sealed) -> str:
        """Open nothing."""
        del uid, sealed
        raise KeeperRefused("It is not here.")

    def forget(self, uid: str, sealed: Sealed) -> None:
        """Hold nothing."""

    def check(self) -> str:
        """Find nothing wrong."""
        return ""


def test_edit_during_an_edit_keeps_both(tmp_path: Path) -> None:
    """The one that comes later starts from what the other left, which stays in the history."""
    other = Desk(tmp_path)
    other.store("Deploys are on Monday")
    change = partial(other.call, "memory_update", id="L1", content="Deploys are on Tuesday")
    desk = Desk(tmp_path, keeper=Meanwhile(change))
    desk.call("memory_update", id="L1", tags=f"the token is {TOKEN}")
    assert "Tuesday" in desk.texts()[0]
    assert "the token is" in desk.texts()[0]
    desk.call("memory_update", id="L1", restore=True)
    assert desk.texts() == ['L1 [facts] 2026-03-01 "Deploys are on Tuesday"']


def test_delete_during_an_edit_can_be_undone(tmp_path: Path) -> None:
    """The edit is refused; the delete is the last thing that happened."""
    other = Desk(tmp_path)
    other.store("Deploys are on Monday")
    desk = Desk(tmp_path, keeper=Meanwhile(partial(other.call, "memory_delete", id="L1")))
    assert "is deleted" in desk.refused("memory_update", id="L1", content=f"It is {TOKEN}")
    desk.call("memory_update", id="L1", restore=True)
    assert "Monday" in desk.texts()[0]


def test_undo_that_loses_is_told_where_only_the_secret_differs(tmp_path: Path) -> None:
    """The server has the same words, and what they stand for may be another secret."""
    desk, line = Desk(tmp_path, **SERVER), Line()
    desk.store("One")
    synced(desk, line)
    (uid,) = line.rows
    for line.version, content in ((8, "[secret: x] of theirs"), (9, "Nothing secret")):
        line.rows = {uid: {**row(line.version, content, uid), "is_sensitive": content[0] == "["}}
        synced(desk, line)
    desk.call("memory_update", id=uid, restore=True)
    current = {**row(20, "[secret: x] of theirs", uid), "is_sensitive": True}
    line.rows, line.outcome = {}, {"status": "conflict", "current": current}
    synced(desk, line)
    assert 'Yours: "[secret: x] of theirs"' in desk.call("memory_status")


@promise("store.purge-leaves-nothing")
def test_edit_does_not_bring_back_what_was_purged_meanwhile(tmp_path: Path) -> None:
    """Its history would hold the text again."""
    other = Desk(tmp_path)
    other.store("The heirloom is under the zebrawood floor")
    purge = partial(other.call, "memory_delete", id="L1", purge=True)
    desk = Desk(tmp_path, keeper=Meanwhile(purge))
    assert "is deleted" in desk.refused("memory_update", id="L1", content=f"It is {TOKEN}")
    assert desk.connection.execute("SELECT count(*) FROM history").fetchone() == (0,)
    assert desk.connection.execute("SELECT count(*) FROM secrets").fetchone() == (0,)


@promise("ids.ambiguity-changes-nothing")
def test_deleting_several_is_all_or_nothing(tmp_path: Path) -> None:
    """One unknown id, and all stay."""
    desk = Desk(tmp_path)
    desk.store("one thing")
    desk.store("two things")
    for purge in (False, True):
        refused = desk.refused("memory_delete", id=["L1", "L9"], purge=purge)
        assert refused.startswith("There is no memory L9. Nothing was deleted.")
    refused = desk.refused("memory_delete", id=["L1"] * 101)
    assert refused == "101 ids at once; at most 100; nothing was done."
    assert len(desk.texts()) == 2
    desk.call("memory_delete", id=["L1", 2])
    assert desk.call("memory_list") == "No memories yet."


@promise("store.purge-leaves-nothing")
def test_purge_leaves_no_byte_of_the_text_anywhere(tmp_path: Path) -> None:
    """Not in the row, the earlier texts, the index or the log; other memories stay found."""
    desk = Desk(tmp_path)
    desk.store("Nothing to see here")
    desk.store(
        "The heirloom is under the zebrawood floor", tags="quokka", expanded_keywords="xylem"
    )
    desk.call("memory_update", id="L2", content="The heirloom is behind the yellowwood wall")
    desk.call("memory_delete", id="L2")
    answer = desk.call("memory_delete", id="L2", purge=True)
    assert "cannot be undone" in answer
    for word in (b"zebrawood", b"yellowwood", b"quokka", b"xylem", b"heirloom"):
        found = [
            file for file in tmp_path.rglob("*") if file.is_file() and word in file.read_bytes()
        ]
        assert not found, word
    assert "none after a purge" in desk.refused("memory_update", id="L2", restore=True)
    assert len(desk.texts("memory_recall", context="Nothing to see here")) == 1


def test_deleted_text_is_gone_after_thirty_days(tmp_path: Path) -> None:
    """Upkeep erases what can no longer be undone, byte for byte."""
    desk = Desk(tmp_path)
    desk.store("The heirloom is under the zebrawood floor")
    desk.call("memory_delete", id="L1")
    desk.clock += timedelta(days=29)
    upkeep.run(desk.place, desk.door)
    assert desk.call("memory_update", id="L1", restore=True).startswith("Restored")
    desk.call("memory_delete", id="L1")
    desk.clock += timedelta(days=31)
    upkeep.run(desk.place, desk.door)
    assert "no earlier state" in desk.refused("memory_update", id="L1", restore=True)
    assert not [f for f in tmp_path.rglob("*.db*") if b"zebrawood" in f.read_bytes()]


def test_new_secret_replaces_the_sealed_one_and_restore_brings_the_old_back(tmp_path: Path) -> None:
    """Each text has its own seal."""
    desk = Desk(tmp_path)
    desk.store(f"The bot's token is {TOKEN}")
    desk.call("memory_update", id="L1", content=f"The bot's token is {NEWER}")
    assert NEWER in desk.call("secret_get", id="L1")
    desk.call("memory_update", id="L1", tags="bot")
    assert NEWER in desk.call("secret_get", id="L1")
    desk.call("memory_update", id="L1", restore=True)
    desk.call("memory_update", id="L1", content="The bot has no token any more")
    assert "holds no secret" in desk.refused("secret_get", id="L1")
    desk.call("memory_update", id="L1", restore=True)
    assert NEWER in desk.call("secret_get", id="L1")


@promise("sync.nothing-is-lost")
def test_new_secret_in_the_same_words_is_sent(tmp_path: Path) -> None:
    """What is shown of it does not differ, but the server has the old one."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    held = redact(f"The bot's token is {TOKEN}").text
    line.rows = {"x": {**row(1, held), "is_sensitive": True}}
    synced(desk, line)
    desk.call("memory_update", id="#1", content=f"The bot's token is {NEWER}")
    query = "SELECT kind, json_extract(body, '$.content'), sealed IS NULL FROM pending_ops"
    assert desk.connection.execute(query).fetchall() == [("update", held, 0)]


@pytest.mark.parametrize("sentence", ["The bot's token is", "The token of another bot is"])
def test_undone_edit_sends_no_secret_of_its_own(tmp_path: Path, sentence: str) -> None:
    """The server has the secret of the text that is back, and this machine has it no more."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    held = redact(f"The bot's token is {TOKEN}").text
    line.rows = {"x": {**row(1, held), "is_sensitive": True}}
    synced(desk, line)
    desk.call("memory_update", id="#1", content=f"{sentence} {NEWER}")
    desk.call("memory_update", id="#1", restore=True)
    assert desk.connection.execute("SELECT sealed FROM pending_ops").fetchall() == [(None,)]


def test_secret_in_new_tags_joins_the_sealed_text(tmp_path: Path) -> None:
    """Editing tags does not cost the secret that is there already."""
    desk = Desk(tmp_path)
    desk.store(f"The bot's token is {TOKEN}")
    desk.call("memory_update", id="L1", tags=f"bot,{NEWER}")
    assert NEWER not in desk.call("memory_list")
    opened = desk.call("secret_get", id="L1")
    assert TOKEN in opened
    assert NEWER in opened


def test_update_with_nothing_or_with_two_wishes_is_refused(tmp_path: Path) -> None:
    """One call, one wish."""
    desk = Desk(tmp_path)
    desk.store("Deploys are on Monday")
    assert "nothing to change" in desk.refused("memory_update", id="L1")
    assert "at once" in desk.refused("memory_update", id="L1", restore=True, tags="x")
    assert "at once" in desk.refused("memory_update", id="L1", restore=True, review="accept")
    assert "Use accept or reject" in desk.refused("memory_update", id="L1", review="maybe")


def test_accepted_proposal_is_stored_under_its_number(tmp_path: Path) -> None:
    """Status shows it, accepting stores it, rejecting forgets it."""
    desk = Desk(tmp_path)
    for content in ("Prefers tabs in Go", "Prefers tea"):
        fields = {"content": content, "category": "preferences", "source": "auto-learn"}
        with write(desk.connection) as connection:
            proposals.add(connection, fields, "asked for review", desk.tick())
    status = desk.call("memory_status")
    assert 'L1 [preferences] "Prefers tabs in Go"' in status
    assert desk.call("memory_update", id="L1", review="accept").startswith(
        "Accepted the proposal L1"
    )
    assert "Rejected" in desk.call("memory_update", id="L2", review="reject")
    assert desk.texts() == ['L1 [preferences] 2026-03-01 "Prefers tabs in Go"']
    assert "To review" not in desk.call("memory_status")
    assert "Nothing waits for review" in desk.refused("memory_update", id="L1", review="accept")


def test_accepted_proposal_that_held_a_secret_says_that_the_value_is_not_kept(
    tmp_path: Path,
) -> None:
    """The value was redacted when it was heard; who accepts must not believe it kept."""
    desk = Desk(tmp_path)
    for content in ("The staging password is [secret: password]", "Prefers tea"):
        with write(desk.connection) as connection:
            proposals.add(connection, {"content": content}, "because", desk.tick())
    assert "value is not kept" in desk.call("memory_update", id="L1", review="accept")
    assert "not kept" not in desk.call("memory_update", id="L2", review="accept")
