"""What comes from a server, as a person sees it."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.errors import AnswerLost
from claude_memory.service import upkeep
from claude_memory.store import restored
from claude_memory.store.connection import write

from tests.support.desk import Desk
from tests.support.hook_calls import asked, context_in
from tests.support.line import SERVER, Line, engine, row, synced
from tests.support.promises import promise
from tests.support.vault_stand_in import TOKEN as VAULT_TOKEN
from tests.support.vault_stand_in import VaultStandIn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from claude_memory.sync.transport import Response

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


def received(tmp_path: Path, *supersedes: int) -> Desk:
    """Return a session that was given memories numbered from 1; each supersedes the one named."""
    uids = [str(row(number, "")["uid"]) for number in range(len(supersedes) + 1)]
    line, desk = Line(), Desk(tmp_path, **SERVER)
    facts: list[dict[str, Any]] = [
        {**row(number, f"Office {number}"), "supersedes": uids[other] if other else None}
        for number, other in enumerate(supersedes, 1)
    ]
    line.pages, line.version = [facts], len(facts)
    synced(desk, line)
    return desk


@promise("recall.one-of-a-circle-is-shown")
@pytest.mark.parametrize(
    ("supersedes", "shown"),
    [
        ((2, 1), ["#2"]),
        ((2, 3, 1), ["#3"]),
        ((3, 1, 2), ["#3"]),
        ((1,), ["#1"]),
        ((2, 1, 2), ["#3"]),
        ((2, 1, 1), ["#3", "#2"]),
        ((0, 1, 2), ["#3"]),
    ],
)
def test_circle_of_memories_shows_its_newest(
    tmp_path: Path, supersedes: tuple[int, ...], shown: list[str]
) -> None:
    """Two machines let each supersede the other: one stays, the same on all of them."""
    desk = received(tmp_path, *supersedes)
    assert [text[:2] for text in desk.texts()] == shown
    assert sorted(text[:2] for text in desk.texts("memory_recall", context="Office")) == sorted(
        shown
    )


def test_newest_of_a_circle_can_be_superseded(tmp_path: Path) -> None:
    """It is the one to replace, and nothing else of the circle comes back with that."""
    desk = received(tmp_path, 2, 1)
    assert "#1 is already superseded by #2" in desk.refused(
        "memory_store", content="Office 3", supersedes="#1"
    )
    label = desk.store("Office 3", supersedes="#2")
    assert [text[:2] for text in desk.texts()] == [label]


def test_upkeep_does_not_slow_down_the_first_sync(tmp_path: Path) -> None:
    """What the memories mean is written once all are here."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    line.pages = [[row(1, "The office is in Bern")], [row(2, "The office has a garden")]]
    synced(desk, line, until="pull", times=2)
    counted = "SELECT count(*) FROM meanings"
    upkeep.run(desk.place, desk.door)
    assert desk.connection.execute(counted).fetchone() == (0,)
    line.pages = [[row(2, "The office has a garden")]]
    synced(desk, line)
    upkeep.run(desk.place, desk.door)
    assert desk.connection.execute(counted).fetchone() == (2,)


class NotingLine(Line):
    """A line that notes which operations come."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.kinds: list[str] = []
        self.bases: list[int] = []

    def _result(self, op: dict[str, Any]) -> dict[str, Any]:
        self.kinds.append(op["kind"])
        self.bases.append(op["base"])
        return super()._result(op)


@promise("sync.conflicts-show-both-texts")
@pytest.mark.parametrize(("there", "base"), [("First", 2), ("Theirs", 1)])
def test_edit_made_while_another_is_on_its_way_builds_on_what_its_author_saw(
    tmp_path: Path, there: str, base: int
) -> None:
    """If the answer to the former shows other words, the server has to see the conflict."""
    line, desk = NotingLine(), Desk(tmp_path, **SERVER)
    line.rows, line.version = {"x": row(1, "As it was")}, 1
    synced(desk, line)
    desk.call("memory_update", id="#1", content="First")
    line.outcome = {"status": "applied", "current": row(2, there, str(row(1, "")["uid"]))}
    for step in engine(desk, line).cycle():
        if step == "settle" and len(line.bases) == 1:
            desk.call("memory_update", id="#1", content="Second")
            line.outcome = {"status": "applied"}
    assert line.bases == [1, base]


class SlowLine(Line):
    """A line that breaks before more than some operations are answered, which are applied."""

    def __init__(self, most: int) -> None:
        """Begin with as many as pass."""
        super().__init__()
        self.most = most
        self.batches: list[int] = []

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """Answer one request, or run out of time."""
        answer = super().request(method, path, headers, body)
        if method == "POST":
            self.batches.append(len(json.loads(body or b"")["ops"]))
            if self.batches[-1] > self.most:
                message = "No answer came within 15 s."
                raise AnswerLost(message)
        return answer


def test_slow_server_is_sent_less_until_it_keeps_up(tmp_path: Path) -> None:
    """Else the same batch would be too much for it for ever, and nothing would be pulled either."""
    line, desk = SlowLine(most=15), Desk(tmp_path, **SERVER)
    synced(desk, line)
    for number in range(60):
        desk.store(f"Office {number}")
    syncing = engine(desk, line)
    for _ in range(3):
        list(syncing.cycle())
    assert line.batches == [60, 30, 15, 19]
    line.most = 200
    list(syncing.cycle())
    assert line.batches[4:] == [10, 13, 17, 5]
    assert desk.connection.execute("SELECT count(*) FROM pending_ops").fetchone() == (0,)


@pytest.mark.parametrize(("status", "headers"), [(503, {}), (502, {"retry-after": "7"})])
def test_page_of_a_proxy_is_waited_out_as_silence_is(
    tmp_path: Path, status: int, headers: dict[str, str]
) -> None:
    """Only a server that is busy itself says for how long."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    synced(desk, line)
    desk.store("The office is in Bern")
    line.problem, line.headers = (status, {}), headers
    synced(desk, line)
    assert f"The server answered {status}. Check the network" in desk.call("memory_status")
    line.problem = None
    synced(desk, line)
    assert [one["content"] for one in line.rows.values()] == ["The office is in Bern"]


def test_operation_that_a_wrong_clock_put_off_is_sent(tmp_path: Path) -> None:
    """A year ahead when it was to be tried again: set right, it need not wait for a year."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    synced(desk, line)
    desk.store("The office is in Bern")
    line.outcome = {"status": "retry", "code": "unavailable", "detail": ""}
    desk.clock += timedelta(days=365)
    synced(desk, line)
    desk.clock -= timedelta(days=365)
    line.outcome = {"status": "applied"}
    synced(desk, line)
    assert [one["content"] for one in line.rows.values()] == ["The office is in Bern"]


def test_secret_that_does_not_open_is_tried_less_and_less(tmp_path: Path) -> None:
    """A keeper that is away for a morning is not asked at every pass."""
    with VaultStandIn() as vault:
        desk = Desk(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=VAULT_TOKEN, **SERVER)
        line = Line()
        syncing = engine(desk, line)
        list(syncing.cycle())
        desk.store(f"The token is {TOKEN}")
        vault.fault = (503, b"")
        before = len(vault.paths)
        for _ in range(6 * 60):
            desk.clock += timedelta(minutes=1)
            list(syncing.cycle())
        assert 6 < len(vault.paths) - before < 60
        assert line.rows == {}
        vault.fault = None
        for _ in range(15):
            desk.clock += timedelta(minutes=1)
            list(syncing.cycle())
    assert len(line.rows) == 1


def test_edit_whose_secret_opens_no_more_is_named_although_the_server_has_its_words(
    tmp_path: Path,
) -> None:
    """The words are the same for another secret: to drop the edit would lose the newer one."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    there = {**row(1, "The token is [secret: github-token]"), "is_sensitive": True}
    line.rows, line.version = {"x": there}, 1
    synced(desk, line)
    desk.call("memory_update", id="#1", content=f"The token is {TOKEN}")
    (tmp_path / "keys" / "seal.key").unlink()
    synced(desk, line)
    said = desk.call("memory_status")
    assert "#1 is not sent, because its secret cannot be opened: The seal needs key" in said


def test_copy_that_vault_did_not_destroy_is_named_and_destroyed_later(tmp_path: Path) -> None:
    """The server keeps the secret by then, and no memory here points to the copy any more."""
    with VaultStandIn() as vault:
        desk = Desk(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=VAULT_TOKEN, **SERVER)
        line = Line()
        desk.store(f"The token is {TOKEN}")
        for step in engine(desk, line).cycle():
            if step == "settle":
                vault.fault = (503, b"")
        [path] = vault.values
        vault.fault = None
        upkeep.run(desk.place, desk.door)
        assert vault.values == {}
    assert len(line.rows) == 1
    assert f"vault kv metadata delete secret/{path}" in desk.call("memory_status")


@pytest.mark.parametrize(
    ("change", "kind"),
    [(("memory_update", {"content": "Edited since"}), "update"), (("memory_delete", {}), "delete")],
)
def test_change_made_after_a_refused_replay_is_sent(
    tmp_path: Path, change: tuple[str, dict[str, str]], kind: str
) -> None:
    """The server has not lost the memory and takes the replay for done, whatever it says now."""
    line, desk = NotingLine(), Desk(tmp_path, **SERVER)
    line.rows = {"x": row(1, "As it was")}
    line.version = 1
    syncing = engine(desk, line)
    changed = {"code": "epoch_changed", "epoch": "e2", "lost_after": 0, "detail": "Restored."}
    for problem in (None, (410, changed), (413, {})):
        line.problem = problem
        list(syncing.cycle())
    tool, fields = change
    desk.call(tool, id="#1", **fields)
    line.problem = None
    list(syncing.cycle())
    assert line.kinds == ["replay", kind]
    contents = [one["content"] for one in line.rows.values() if one["id"] > 1]
    assert kind == "delete" or contents == ["Edited since"]


@promise("sync.deletes-are-final")
def test_damaged_version_does_not_tell_what_a_restore_lost(tmp_path: Path) -> None:
    """The server's state says itself which version it is: what was not lost is not given back."""
    line, desk = NotingLine(), Desk(tmp_path, **SERVER)
    line.rows = {"x": row(1, "Deleted on another machine"), "y": row(2, "Lost by the restore")}
    line.version = 2
    syncing = engine(desk, line)
    list(syncing.cycle())
    desk.connection.execute("UPDATE memories SET sv = CASE no WHEN 1 THEN 1 << 50 ELSE 1 END")
    changed = {"code": "epoch_changed", "epoch": "e2", "lost_after": 1, "detail": "Restored."}
    line.problem, line.rows = (410, changed), {}
    list(syncing.cycle())
    line.problem = None
    list(syncing.cycle())
    assert line.kinds == ["replay"]
    assert list(line.rows) == [row(2, "")["uid"]]


class CheckedLine(Line):
    """A line that tells with each page what all its rows are, and notes what it is asked."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        super().__init__()
        self.full_dumps = 0

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """Answer one request."""
        self.full_dumps += "/sync?" in path and "cursor=" not in path
        return super().request(method, path, headers, body)

    def _said(self, answer: dict[str, Any]) -> Response:
        if "memories" in answer:
            digest = 0
            for one in self.rows.values():
                text = f"{one['uid']}:{one['version']}".encode()
                digest ^= int(blake2b(text, digest_size=8).hexdigest(), 16)
            answer["check"] = {"live": len(self.rows), "digest": f"{digest:016x}"}
        return super()._said(answer)


def test_all_is_asked_for_anew_only_when_something_differs(tmp_path: Path) -> None:
    """Once in the life of a store that is in step, and once for a row that it has alone."""
    line, desk = CheckedLine(), Desk(tmp_path, **SERVER)
    lost = row(1, "Lost by the server")
    line.rows, line.version = {"x": lost, "y": row(2, "There")}, 2
    for number in range(3):
        desk.store(f"Office {number}")
        synced(desk, line)
    assert line.full_dumps == 1
    del line.rows["x"]
    synced(desk, line)
    assert line.full_dumps == 2
    assert lost["content"] not in desk.call("memory_list")


class ConfusedLine(NotingLine):
    """A line whose first answer also speaks of an operation that was not sent with it."""

    def __init__(self, desk: Desk) -> None:
        """Begin with nothing answered."""
        super().__init__()
        self.desk = desk

    def _result(self, op: dict[str, Any]) -> dict[str, Any]:
        if not self.kinds:
            self.desk.store("Stored meanwhile")
        return super()._result(op)

    def _said(self, answer: dict[str, Any]) -> Response:
        if answer.get("results") and len(self.kinds) == 1:
            [(other,)] = self.desk.connection.execute(
                "SELECT op_id FROM pending_ops WHERE op_id <> ?", (answer["results"][0]["op_id"],)
            )
            refused = {"op_id": other, "current": None, "status": "rejected", "code": "no"}
            answer["results"].append(refused)
        return super()._said(answer)


def test_answer_on_what_was_not_sent_counts_for_nothing(tmp_path: Path) -> None:
    """The server cannot know it: it is still to be sent."""
    desk = Desk(tmp_path, **SERVER)
    synced(desk, Line())
    desk.store("Stored before")
    line = ConfusedLine(desk)
    for _ in range(2):
        synced(desk, line)
    contents = [one["content"] for one in line.rows.values()]
    assert contents == ["Stored before", "Stored meanwhile"]
    assert desk.connection.execute("SELECT count(*) FROM pending_ops").fetchone() == (0,)


def test_refused_operation_stays_refused_after_a_restore(tmp_path: Path) -> None:
    """It is still for a person to mend; what the server has lost is given back without it."""
    line, desk = NotingLine(), Desk(tmp_path, **SERVER)
    line.rows, line.version = {"x": row(1, "As it was")}, 1
    syncing = engine(desk, line)
    list(syncing.cycle())
    desk.call("memory_update", id="#1", content="Not to the server's liking")
    line.outcome = {"status": "rejected", "code": "bad", "detail": "Not so."}
    list(syncing.cycle())
    changed = {"code": "epoch_changed", "epoch": "e2", "lost_after": 0, "detail": "Restored."}
    line.problem, line.rows, line.outcome = (410, changed), {}, {"status": "applied"}
    list(syncing.cycle())
    line.problem = None
    list(syncing.cycle())
    assert line.kinds == ["update", "replay"]
    waiting = desk.connection.execute("SELECT kind, state, error FROM pending_ops").fetchall()
    assert waiting == [("update", "rejected", "bad: Not so.")]


def test_secret_of_an_unsent_edit_goes_with_the_purge_that_it_loses_to(tmp_path: Path) -> None:
    """A page may tell of the purge before the edit is answered; Vault is asked to destroy it."""
    line = Line()
    with VaultStandIn() as vault:
        desk = Desk(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=VAULT_TOKEN, **SERVER)
        line.rows, line.version = {"x": row(1, "As it was")}, 1
        synced(desk, line)
        desk.call("memory_update", id="#1", content=f"The token is {TOKEN}")
        assert list(vault.values.values()) == [f"The token is {TOKEN}"]
        purged = {**row(1, ""), "version": 2, "deleted_at": "2026-03-01T12:00:00Z", "purged": True}
        line.rows, line.version = {"x": purged}, 2
        line.outcome = {"status": "retry", "code": "unavailable", "detail": ""}
        synced(desk, line)
        upkeep.run(desk.place, desk.door)
        assert vault.values == {}
        assert desk.connection.execute("SELECT count(*) FROM pending_ops").fetchone() == (0,)
        assert "no earlier state" in desk.refused("memory_update", id="#1", restore=True)


def test_purge_takes_no_change_along_where_none_was_made(tmp_path: Path) -> None:
    """What is given back to a restored server was sent before: the greeting tells of no loss."""
    line, desk = Line(), Desk(tmp_path, **SERVER)
    line.rows, line.version = {"x": row(1, "As it was")}, 1
    synced(desk, line)
    with write(desk.connection) as store:
        restored.begin_new_life(store, "e", 0, desk.clock)
    assert desk.connection.execute("SELECT kind FROM pending_ops").fetchall() == [("replay",)]
    purged = {**row(1, ""), "version": 2, "deleted_at": "2026-03-01T12:00:00Z", "purged": True}
    line.rows, line.outcome = {"x": purged}, {"status": "conflict", "current": purged}
    synced(desk, line)
    assert desk.texts() == []
    event = {"event": "SessionStart", "source": "startup", "session_id": "later"}
    around = context_in(desk.place.home, desk.connection, SERVER, now=desk.clock)
    assert "a change made here" not in str(asked(event, around))
