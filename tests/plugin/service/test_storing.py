"""How a fact becomes a memory, seen through the tools."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from claude_memory.keeper.interface import Sealed

from tests.support.desk import Desk
from tests.support.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


def test_stored_memory_is_listed_with_all_that_was_given(tmp_path: Path) -> None:
    """What goes in comes out."""
    desk = Desk(tmp_path)
    answer = desk.call(
        "memory_store",
        content="The API runs on Fly.io",
        category="projects",
        tags="infra, hosting,infra",
        importance=0.9,
        expanded_keywords="deploy hosting platform",
    )
    assert answer == "Stored memory L1 in category 'projects'."
    assert desk.texts() == [
        'L1 [projects] 2026-03-01 "The API runs on Fly.io"  tags: infra, hosting'
    ]


def test_numbers_go_up_and_are_never_used_again(tmp_path: Path) -> None:
    """A purged memory leaves its number behind."""
    desk = Desk(tmp_path)
    assert [desk.store("one"), desk.store("two")] == ["L1", "L2"]
    desk.call("memory_delete", id="L2", purge=True)
    assert desk.store("three") == "L3"


@promise("store.same-text-once")
@pytest.mark.parametrize(
    "again",
    [
        "Use pnpm, not npm",
        "Use pnpm, not npm.",
        "  Use   pnpm,\n not npm ",
        "Use pnpm, not npm .",
    ],
)
def test_same_text_is_one_memory_and_the_answer_says_so(tmp_path: Path, again: str) -> None:
    """White space and one full stop make no second memory."""
    desk = Desk(tmp_path)
    desk.store("Use pnpm, not npm")
    answer = desk.call("memory_store", content=again, category="preferences")
    assert answer.startswith("Already stored as memory L1 in category 'facts'.")
    assert len(desk.texts()) == 1


def test_composed_and_decomposed_letters_are_one_text(tmp_path: Path) -> None:
    """NFC decides, not bytes."""
    desk = Desk(tmp_path)
    desk.store("Ren\u00e9 reviews the schema")
    assert desk.store("Rene\u0301 reviews the schema") == "L1"


@pytest.mark.parametrize("other", ["Use pnpm, not NPM", "Use pnpm, not npm..", "Use pnpm not npm"])
def test_text_that_differs_is_a_second_memory(tmp_path: Path, other: str) -> None:
    """Case, punctuation inside and an ellipsis make a difference."""
    desk = Desk(tmp_path)
    desk.store("Use pnpm, not npm")
    assert desk.store(other) == "L2"


@promise("store.twin-is-named")
def test_near_duplicate_is_stored_and_its_twin_is_named(tmp_path: Path) -> None:
    """Nothing is merged on a guess; Claude decides."""
    desk = Desk(tmp_path)
    desk.store("The staging database runs on port 5433")
    answer = desk.call("memory_store", content="The staging database runs on port 6543")
    assert answer.startswith("Stored memory L2")
    assert "Very like L1" in answer
    assert len(desk.texts()) == 2


def test_unrelated_memory_names_no_twin(tmp_path: Path) -> None:
    """Sharing a word or two is not likeness."""
    desk = Desk(tmp_path)
    desk.store("The staging database runs on port 5433")
    answer = desk.call("memory_store", content="Anna owns the staging budget of the data team")
    assert answer == "Stored memory L2 in category 'facts'."


def test_superseded_memory_gives_way_and_comes_back_when_its_successor_goes(tmp_path: Path) -> None:
    """The successor stands in its place, everywhere."""
    desk = Desk(tmp_path)
    desk.store("The office is in Lyon")
    answer = desk.call("memory_store", content="The office is in Nantes", supersedes="L1")
    assert answer == "Stored memory L2 in category 'facts', superseding L1."
    assert ", 1 superseded, so not shown" in desk.call("memory_status")
    assert desk.texts("memory_recall", context="office") == desk.texts()
    assert [text[:2] for text in desk.texts()] == ["L2"]
    answer = desk.call("memory_delete", id="L2")
    assert "L1, which it had superseded, is shown again" in answer
    assert "so not shown" not in desk.call("memory_status")
    assert [text[:2] for text in desk.texts()] == ["L1"]


def test_stored_memory_can_be_told_afterwards_what_it_replaces(tmp_path: Path) -> None:
    """As the answer to its store has named it."""
    desk = Desk(tmp_path)
    desk.store("The office is in Lyon, at the big square by the river")
    answer = desk.call(
        "memory_store", content="The office is in Nantes, at the big square by the river"
    )
    assert "Very like L1" in answer
    again = "The office is in Nantes, at the big square by the river"
    answer = desk.call("memory_store", content=again, supersedes="L1")
    assert answer.splitlines() == [
        "Already stored as memory L2 in category 'facts'.",
        "It supersedes L1 from now on.",
    ]
    assert [text[:2] for text in desk.texts()] == ["L2"]
    desk.store("The office has a garden")
    answer = desk.call("memory_store", content=again, supersedes="L3")
    assert "It supersedes another memory already; delete L3 if it is outdated." in answer
    assert [text[:2] for text in desk.texts()] == ["L3", "L2"]


def test_superseding_what_is_superseded_names_the_one_to_supersede(tmp_path: Path) -> None:
    """A chain has one end."""
    desk = Desk(tmp_path)
    desk.store("The office is in Lyon")
    desk.store("The office is in Nantes", supersedes="L1")
    said = desk.refused("memory_store", content="The office is in Brest", supersedes="L1")
    assert "L1 is already superseded by L2" in said
    assert len(desk.texts()) == 1


def test_superseding_an_unknown_memory_stores_nothing(tmp_path: Path) -> None:
    """A wrong id is no reason to store half of what was meant."""
    desk = Desk(tmp_path)
    assert "no memory L9" in desk.refused("memory_store", content="x y", supersedes="L9")
    assert desk.call("memory_list") == "No memories yet."


@promise("store.other-projects-stay-out")
def test_project_memory_is_seen_in_its_project_only(tmp_path: Path) -> None:
    """Other projects' memories do not get into this one."""
    here, there = Desk(tmp_path, project="acme/site"), Desk(tmp_path, project="acme/api")
    here.store("This project indents with tabs", scope="project")
    here.store("Anna likes short commit messages")
    assert len(here.texts()) == 2
    assert there.texts() == ['L2 [facts] 2026-03-01 "Anna likes short commit messages"']
    assert there.call("memory_recall", context="indents tabs").startswith("No memories match")
    assert len(there.texts(scope="all")) == 2


def test_same_text_in_two_projects_is_two_memories(tmp_path: Path) -> None:
    """Each project has its own; deleting one leaves the other."""
    here, there = Desk(tmp_path, project="acme/site"), Desk(tmp_path, project="acme/api")
    assert here.store("Indent with tabs", scope="project") == "L1"
    assert there.store("Indent with tabs", scope="project") == "L2"
    here.call("memory_delete", id="L1")
    assert len(there.texts()) == 1


def test_project_memory_told_again_for_everywhere_becomes_global(tmp_path: Path) -> None:
    """The wider wish wins, and the answer says so."""
    here, there = Desk(tmp_path, project="acme/site"), Desk(tmp_path, project="acme/api")
    here.store("Indent with tabs", scope="project")
    answer = here.call("memory_store", content="Indent with tabs")
    assert "is global now" in answer
    assert len(there.texts()) == 1


def test_project_scope_without_a_project_is_global_and_says_so(tmp_path: Path) -> None:
    """A folder outside any project cannot hide a memory from all projects."""
    answer = Desk(tmp_path).call("memory_store", content="Indent with tabs", scope="project")
    assert "belongs to no project, so the memory is global" in answer
    assert len(Desk(tmp_path, project="acme/api").texts()) == 1


def test_expired_memory_is_not_shown(tmp_path: Path) -> None:
    """What ends by itself ends."""
    desk = Desk(tmp_path)
    desk.store("The freeze lasts until Friday", expires_at="2026-03-06")
    assert len(desk.texts()) == 1
    desk.clock = desk.clock.replace(day=8)
    assert desk.call("memory_list") == "No memories yet."
    assert desk.call("memory_recall", context="freeze") == "No memories match."
    status = desk.call("memory_status")
    assert "Memories: 0 (0 global" in status
    assert "1 expired (L1; memory_update with a later expires_at shows it again)" in status
    desk.call("memory_update", id="L1", expires_at="2026-03-09")
    assert len(desk.texts()) == 1


def test_date_is_over_with_its_day_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Los Angeles Friday ends eight hours after it does in London."""
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        desk = Desk(tmp_path)
        desk.clock = desk.clock.replace(day=6, hour=23)  # in UTC, and it is Friday there
        desk.store("The freeze lasts until Friday", expires_at="2026-03-06")
        desk.clock += timedelta(hours=8)
        assert len(desk.texts()) == 1
        desk.clock += timedelta(hours=2)
        assert desk.call("memory_list") == "No memories yet."
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "UTC", "Pacific/Auckland"])
def test_first_and_last_day_of_the_calendar_are_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """The last one is how many write "never"; where the sun is late, it ends in another year."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        desk = Desk(tmp_path)
        desk.store("The freeze has no end", expires_at="9999-12-31")
        assert len(desk.texts()) == 1
        said = desk.refused("memory_store", content="The freeze is over", expires_at="0001-01-01")
        assert said.startswith("expires_at, 0001-01-01, is past; nothing was stored.")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_edit_cannot_end_a_memory_in_the_past(tmp_path: Path) -> None:
    """It would vanish; a delete is what is meant, and can be undone."""
    desk = Desk(tmp_path)
    desk.store("The freeze is on")
    said = desk.refused("memory_update", id="L1", expires_at="2026-02-28")
    assert said.startswith("expires_at, 2026-02-28, is past; nothing was changed.")
    assert len(desk.texts()) == 1


def test_what_comes_with_a_known_text_and_is_not_taken_over_is_told(tmp_path: Path) -> None:
    """Whoever asked for it learns how to have it."""
    desk = Desk(tmp_path)
    desk.store("The freeze is on", tags="ci")
    again = {"content": "The freeze is on.", "tags": " ci ", "importance": 0.9}
    answer = desk.call("memory_store", **again, category="decisions")
    assert "Its category, importance stayed as before; memory_update changes that." in answer
    assert "stayed" not in desk.call("memory_store", content="The freeze is on", tags="ci")


def test_list_says_what_it_leaves_out(tmp_path: Path) -> None:
    """Nothing that fits is not nothing at all, and a hundred is not all."""
    desk = Desk(tmp_path)
    for number in range(101):
        desk.store(f"Drawer {number}")
    assert desk.call("memory_list", tag="none") == "No memories match."
    assert "There may be more: an answer holds 100 at most." in desk.call("memory_list", limit=500)
    assert "There may be more" not in desk.call("memory_list", limit=100)


@promise("store.same-text-once")
def test_text_that_has_expired_can_be_stored_again(tmp_path: Path) -> None:
    """What nobody is shown any more is no reason to keep nothing."""
    desk = Desk(tmp_path)
    desk.store("The freeze is on", expires_at="2026-03-06")
    desk.clock = desk.clock.replace(day=10)
    assert desk.call("memory_store", content="The freeze is on").startswith("Stored memory L2")
    assert [text[:2] for text in desk.texts()] == ["L2"]


@pytest.mark.parametrize("later", ["", "2026-04-01"])
def test_same_text_is_kept_as_long_as_it_was_last_asked_for(tmp_path: Path, later: str) -> None:
    """A memory that was to expire holds on when it is told again without an end, or a later one."""
    desk = Desk(tmp_path)
    desk.store("The freeze is on", expires_at="2026-03-06")
    answer = desk.call("memory_store", content="The freeze is on.", expires_at=later)
    assert answer.splitlines()[0].startswith("Already stored as memory L1")
    assert "It was to expire on 2026-03-06 and is kept longer now." in answer
    desk.call("memory_store", content="The freeze is on.", expires_at="2026-03-02")
    desk.clock = desk.clock.replace(day=20)
    assert [text[:2] for text in desk.texts()] == ["L1"]


def test_memory_that_nobody_would_ever_see_is_refused(tmp_path: Path) -> None:
    """A time in the past is a mistake."""
    desk = Desk(tmp_path)
    said = desk.refused("memory_store", content="The freeze is on", expires_at="2026-02-28")
    assert said.startswith("expires_at, 2026-02-28, is past; nothing was stored.")
    assert desk.call("memory_list") == "No memories yet."


def test_clock_set_back_a_little_keeps_newest_first(tmp_path: Path) -> None:
    """A correction of the clock does not shuffle memories."""
    desk = Desk(tmp_path)
    desk.store("first of all")
    desk.clock = desk.clock.replace(hour=3)
    desk.store("second in turn")
    assert [text[:2] for text in desk.texts()] == ["L2", "L1"]


def test_clock_that_was_far_ahead_is_shown_in_status(tmp_path: Path) -> None:
    """A memory from next year says that a clock is wrong."""
    desk = Desk(tmp_path)
    desk.clock = desk.clock.replace(year=2027)
    desk.store("made with a wrong clock")
    desk.clock = desk.clock.replace(year=2026)
    desk.store("made with a right clock")
    assert "dated 2027-03-01: the clock of the machine that stored it" in desk.call("memory_status")


def test_long_memory_is_stored_with_advice_to_split(tmp_path: Path) -> None:
    """1,400 characters is where finding gets worse."""
    desk = Desk(tmp_path)
    assert "several memories" not in desk.call("memory_store", content="a" * 1_400)
    assert "several memories" in desk.call("memory_store", content="b" * 1_401)
    assert desk.call("memory_store", content="c" * 16_384).startswith("Stored")
    assert "16,385 characters" in desk.refused("memory_store", content="d" * 16_385)


@promise("secrets.redacted-first")
def test_secret_is_redacted_sealed_and_opened_only_on_request(tmp_path: Path) -> None:
    """Recall, list and the file show the placeholder; secret_get the text, and is recorded."""
    desk = Desk(tmp_path)
    answer = desk.call("memory_store", content=f"The bot's token is {TOKEN}", tags=f"bot,{TOKEN}")
    assert "Redacted before anything was written: github-token." in answer
    assert TOKEN not in answer + desk.call("memory_list") + desk.call(
        "memory_recall", context="bot"
    )
    assert desk.call("secret_get", id="L1").splitlines()[0] == f"The bot's token is {TOKEN}"
    rows = desk.connection.execute("SELECT action, session FROM audit").fetchall()
    assert rows == [("secret_get", "a session")]
    assert not [file for file in tmp_path.rglob("*.db*") if TOKEN.encode() in file.read_bytes()]


def test_whole_text_can_be_sealed(tmp_path: Path) -> None:
    """force_sensitive hides a text in which no rule sees a secret."""
    desk = Desk(tmp_path)
    desk.store("The safe opens with the year of the fire", force_sensitive=True, tags="safe")
    assert "year of the fire" not in desk.call("memory_list")
    assert desk.call("secret_get", id="L1") == "The safe opens with the year of the fire"


def test_same_placeholder_with_another_secret_is_another_memory(tmp_path: Path) -> None:
    """Equal redacted texts are one memory only when the sealed values are equal too."""
    desk = Desk(tmp_path)
    other = "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2"
    assert desk.store(f"The bot's token is {TOKEN}") == "L1"
    assert desk.store(f"The bot's token is {other}") == "L2"
    assert desk.store(f"The bot's token is {TOKEN}.") == "L1"
    assert other in desk.call("secret_get", id="L2")


@promise("secrets.never-silently-lost")
def test_without_a_keeper_the_note_is_kept_the_value_is_not_and_the_answer_says_so(
    tmp_path: Path,
) -> None:
    """Nothing is lost in silence, nothing is kept in clear."""
    desk = Desk(tmp_path, keeper=None)
    answer = desk.call("memory_store", content=f"The bot's token is {TOKEN}")
    assert answer.startswith("Stored memory L1")
    assert "NOT kept" in answer
    assert "cryptography" in answer
    assert "was not kept" in desk.refused("secret_get", id="L1")


def test_secret_of_an_ordinary_memory_is_refused(tmp_path: Path) -> None:
    """secret_get is for sensitive memories."""
    desk = Desk(tmp_path)
    desk.store("Nothing to hide")
    assert "holds no secret" in desk.refused("secret_get", id="L1")


class CountingKeeper:
    """A keeper that tells how many secrets it holds."""

    name = "counting"

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.held: set[str] = set()

    def seal(self, uid: str, clear: str) -> Sealed:
        """Hold one more."""
        self.held.add(uid)
        del clear
        return Sealed(self.name, "k", b"")

    def open(self, uid: str, sealed: Sealed) -> str:
        """Tell nothing."""
        del uid, sealed
        return ""

    def forget(self, uid: str, sealed: Sealed) -> None:
        """Hold one less."""
        del sealed
        self.held.discard(uid)

    def check(self) -> str:
        """Find nothing wrong."""
        return ""


def test_secret_of_a_memory_that_could_not_be_written_is_not_left_with_its_keeper(
    tmp_path: Path,
) -> None:
    """A store that fails leaves nothing behind, in a Vault either."""
    keeper = CountingKeeper()
    desk = Desk(tmp_path, keeper=keeper)
    desk.connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON memories BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    assert "disk is full" in desk.refused("memory_store", content=f"The bot's token is {TOKEN}")
    assert keeper.held == set()
