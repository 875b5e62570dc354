"""HTTP-only mode against servers that do not do what ours does: each answer says what it means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.errors import AnswerLost, BadInput, ClaudeMemoryError, NotFound, RemoteError
from claude_memory.service.direct import DirectService
from claude_memory.service.interface import Edit, NewMemory, Page, Question
from claude_memory.service.opening import Opening
from claude_memory.service.place import Place
from claude_memory.settings import Settings
from claude_memory.sync.http_transport import HttpTransport
from claude_memory.sync.rest import Rest

from tests.support.scripted_server import ScriptedServer, Visit, reply
from tests.support.stores import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answers = Callable[[Visit], bytes]

OLD_ROW = {"id": 7, "uid": "u-7", "content": "From an older server", "category": "facts"}
UNREACHED = "Nothing was stored: in HTTP-only mode there is no store on this machine."


class Scene:
    """A service and the server it asks."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.answers: Answers = lambda _: told(200, {"memories": []})
        self.server = ScriptedServer(self._answer)
        self.transport = HttpTransport(self.server.url, {})
        place = Place(
            locate=lambda: str(home / "memory" / "memory.db"),
            home=str(home),
            project="",
            first_session="s",
            now=lambda: NOW,
            opening=Opening(str(home), lambda: NOW, lambda *_: (None, ())),
        )
        environ = {"MEMORY_API_KEY": "k", "MEMORY_SYNC_DISABLE": "1", "MEMORY_HOME": str(home)}
        self.service = DirectService(
            Rest(self.transport, "k", "tests"), place, Settings.from_env(environ)
        )

    def _answer(self, visit: Visit) -> bool:
        data = self.answers(visit)
        visit.sock.sendall(data)
        return bool(data)

    def seen(self) -> list[str]:
        """Return what was asked for."""
        return [f"{visit.method} {visit.target}" for visit in self.server.visits]


def told(status: int, document: object, **headers: str) -> bytes:
    """Write an answer in JSON."""
    return reply(status, json.dumps(document).encode(), **headers)


def problem(status: int, code: str, detail: str = "No.", **headers: str) -> bytes:
    """Write a refusal."""
    return told(status, {"code": code, "detail": detail, "fix": "Mend it."}, **headers)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Give a service whose server answers as the test says; nothing may be left on the disk."""
    made = Scene(tmp_path)
    with made.server:
        yield made
        made.transport.close()
    assert list(tmp_path.iterdir()) == []


CALLS: list[Callable[[DirectService], object]] = [
    lambda service: service.store(NewMemory("x")),
    lambda service: service.recall(Question("x")),
    lambda service: service.list_newest(Page()),
    lambda service: service.update(Edit("#1", content="x")),
    lambda service: service.update(Edit("#1", restore=True)),
    lambda service: service.delete(("#1",), purge=False),
    lambda service: service.delete(("#1",), purge=True),
    lambda service: service.open_secret("#1"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"<html>Welcome to the hotel</html>"),
        reply(404, b"<html>Not here</html>"),
        reply(200, b"[]"),
        reply(200, b'{"memories": [1], "id": "x"}'),
        reply(200, b'{"memories": [{"id": 1, "content": 2}], "id": 1, "content": 2}'),
        reply(500, b""),
        reply(200, b"[" * 100_000),
    ],
)
def test_answer_that_is_not_our_servers_is_an_error(
    scene: Scene, call: Callable[[DirectService], object], answer: bytes
) -> None:
    """A page of a hotel must not look like an empty memory, and nothing breaks."""
    scene.answers = lambda _: answer
    said = ""
    try:
        call(scene.service)
    except RemoteError as error:
        said = str(error)
    if said:
        assert "claude-memory server" in said or "answered" in said
    else:  # the answer to a delete is a number, and this is one
        assert b'"id": 1' in answer
        assert scene.seen()[-1].startswith("DELETE")


def test_lost_answer_leaves_it_open_whether_it_was_stored(scene: Scene) -> None:
    """And says what to do; a search is only not answered."""
    scene.answers = lambda visit: (
        b"" if visit.target == "/api/memories" else told(200, {"memories": []})
    )
    with pytest.raises(AnswerLost, match="not known whether it was stored") as caught:
        scene.service.store(NewMemory("A fact"))
    assert "done once" in caught.value.fix
    scene.answers = lambda _: b""
    with pytest.raises(RemoteError) as caught_too:
        scene.service.recall(Question("x"))
    assert "not known" not in str(caught_too.value)


@pytest.mark.parametrize(
    "answer",
    [
        reply(502, b"<html>Bad Gateway</html>"),
        reply(504, b""),
        problem(503, "outcome_unknown", "The database was lost at the very end.", Retry_After="2"),
        reply(200, b"<html>Your company has looked at this answer</html>"),
        reply(200, b'{"ok": true}'),
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_repetition_after_an_unknown_outcome_is_done_once(scene: Scene, answer: bytes) -> None:
    """Nor does a proxy that gave up, or hid the answer: it is asked again under the same name."""
    scene.answers = lambda visit: (
        told(200, {"memories": []})
        if visit.target != "/api/memories"
        else answer
        if len(stored_names(scene)) == 1
        else told(200, {"id": 1, "uid": "u"})
    )
    with pytest.raises(AnswerLost, match="not known whether it was stored"):
        scene.service.store(NewMemory("A fact"))
    scene.service.store(NewMemory("A fact"))
    first, second = stored_names(scene)
    assert first == second


def stored_names(scene: Scene) -> list[str]:
    """Return the names that stores were sent under."""
    return [
        json.loads(visit.body)["uid"]
        for visit in scene.server.visits
        if visit.target == "/api/memories"
    ]


def test_other_write_in_between_makes_the_repetition_a_new_one(scene: Scene) -> None:
    """Else an edit that was undone meanwhile would be taken for done already."""

    def answer(visit: Visit) -> bytes:
        if visit.target != "/api/memories":
            return told(200, {"memories": []})
        is_lost = len(stored_names(scene)) <= 2  # once, and once more on a new connection
        return b"" if is_lost else told(200, {"id": 1, "uid": "u"})

    scene.answers = answer
    with pytest.raises(AnswerLost):
        scene.service.store(NewMemory("A fact"))
    scene.service.store(NewMemory("Another"))
    scene.service.store(NewMemory("A fact"))
    assert len(set(stored_names(scene))) == 3


def first_lost(scene: Scene, *between: bytes) -> Answers:
    """Lose the answer to the first store, answer the next ones so, and take all others."""
    script = [b"", b"", *between]  # once more on a new connection

    def answer(visit: Visit) -> bytes:
        if visit.target != "/api/memories":
            return told(200, {"memories": [], "id": 1, "uid": "u", "content": "A fact"})
        asked = len(stored_names(scene)) - 1
        return script[asked] if asked < len(script) else told(200, {"id": 1, "uid": "u"})

    return answer


@pytest.mark.parametrize(
    "between", [problem(503, "unavailable", Retry_After="2"), reply(404, b"<html>Starting</html>")]
)
def test_repetition_that_comes_too_early_does_not_forget_the_name(
    scene: Scene, between: bytes
) -> None:
    """It is still not known whether the first was done; the next one has its name too."""
    scene.answers = first_lost(scene, between)
    for _ in range(2):
        with pytest.raises(AnswerLost, match="not known whether it was stored"):
            scene.service.store(NewMemory("A fact"))
    scene.service.store(NewMemory("A fact"))
    assert len(set(stored_names(scene))) == 1


def test_several_writes_that_were_not_answered_are_each_done_once(scene: Scene) -> None:
    """A client calls tools side by side; each finds its own name again."""
    scene.answers = first_lost(scene, b"", b"")
    for text in ("A fact", "Another"):
        with pytest.raises(AnswerLost):
            scene.service.store(NewMemory(text))
    scene.service.store(NewMemory("A fact"))
    scene.service.store(NewMemory("Another"))
    assert len(set(stored_names(scene))) == 2


def test_store_after_a_delete_is_a_new_one(scene: Scene) -> None:
    """What was deleted may be the very memory whose answer was lost."""
    scene.answers = first_lost(scene)
    with pytest.raises(AnswerLost):
        scene.service.store(NewMemory("A fact"))
    scene.service.delete(("#1",), purge=False)
    scene.service.store(NewMemory("A fact"))
    assert len(set(stored_names(scene))) == 2


def test_search_that_is_not_answered_leaves_no_doubt_about_the_store(scene: Scene) -> None:
    """It is made before anything is stored."""
    for answer in (b"", reply(200, b"<html>Welcome to the hotel</html>"), reply(502, b"")):
        scene.answers = lambda _, answer=answer: answer  # type: ignore[misc]
        with pytest.raises(RemoteError, match="Nothing was stored"):
            scene.service.store(NewMemory("A fact"))
    assert stored_names(scene) == []


@pytest.mark.parametrize(
    ("answer", "said", "fix"),
    [
        (problem(429, "too_many_requests", Retry_After="7"), UNREACHED, "Try again in 7 s."),
        (problem(503, "unavailable", Retry_After="2"), UNREACHED, "Try again in 2 s."),
        (problem(401, "unauthorized"), UNREACHED, "MEMORY_API_KEY"),
        (problem(403, "scope_missing"), UNREACHED, "that scope"),
        (problem(500, "internal"), UNREACHED, "Try again in a moment."),
    ],
)
def test_server_that_does_not_serve_now_says_when(
    scene: Scene, answer: bytes, said: str, fix: str
) -> None:
    """Nothing is tried again by itself here, so no answer says so."""
    scene.answers = lambda _: answer
    with pytest.raises(RemoteError, match="in HTTP-only mode") as caught:
        scene.service.store(NewMemory("A fact"))
    assert said in str(caught.value)
    assert fix in caught.value.fix
    assert "by itself" not in caught.value.sentence()


@pytest.mark.parametrize("code", ["malformed", "no_keeper", "secret_lost", "conflict"])
def test_refusal_of_the_server_comes_with_its_fix(scene: Scene, code: str) -> None:
    """It is about the request, not about the server."""
    scene.answers = lambda visit: (
        problem(409, code, "It may not be.")
        if visit.target == "/api/memories"
        else told(200, {"memories": []})
    )
    with pytest.raises(BadInput, match=r"It may not be\. Nothing was done\.") as caught:
        scene.service.store(NewMemory("A fact"))
    assert caught.value.fix == "Mend it."


def test_older_server_is_understood(scene: Scene) -> None:
    """What it does not send is empty."""
    scene.answers = lambda visit: told(
        200, {"memories": [OLD_ROW]} if visit.method == "GET" else {"id": 7, "memories": []}
    )
    [one] = scene.service.list_newest(Page()).memories
    assert (one.no, one.content, one.tags, one.importance) == (7, OLD_ROW["content"], "", 0.5)
    assert not scene.service.store(NewMemory("A fact")).secret_kept


def test_delete_that_fails_half_way_says_what_is_gone(scene: Scene) -> None:
    """One is, the other is not, and the caller learns which."""

    def answer(visit: Visit) -> bytes:
        number = int(visit.target.rpartition("/")[2])
        if visit.method == "DELETE" and number == 2:
            return problem(503, "unavailable", "The database does not answer.", Retry_After="2")
        return told(200, {**OLD_ROW, "id": number})

    scene.answers = answer
    with pytest.raises(
        ClaudeMemoryError, match=r"^Only #1 was deleted\. The database does not answer\.$"
    ):
        scene.service.delete(("#1", "2", "#3"), purge=False)
    assert [one for one in scene.seen() if one.startswith("DELETE")] == [
        "DELETE /api/memories/1",
        "DELETE /api/memories/2",
    ]


def test_nothing_is_deleted_when_one_is_not_there(scene: Scene) -> None:
    """All or none."""
    scene.answers = lambda visit: (
        problem(404, "not_found") if visit.target.endswith("/2") else told(200, OLD_ROW)
    )
    with pytest.raises(NotFound, match=r"#2; nothing was deleted"):
        scene.service.delete(("#1", "#2"), purge=False)
    assert [one for one in scene.seen() if one.startswith("DELETE")] == []


def test_missing_secret_is_told_as_the_server_tells_it(scene: Scene) -> None:
    """It alone knows whether there is no memory or no secret in it, and so what to do."""
    scene.answers = lambda _: problem(404, "not_found", "Memory #1 holds no secret.")
    with pytest.raises(NotFound) as caught:
        scene.service.open_secret("#1")
    assert caught.value.sentence() == "Memory #1 holds no secret. Mend it."


@pytest.mark.parametrize("memory_id", ["../keys", "#", "L7", "l7", "x" * 300, "7/../8", "-1", "٣"])
def test_id_that_is_none_is_never_put_into_an_address(scene: Scene, memory_id: str) -> None:
    """What is sent to the server is a number or a uid."""
    for call in (
        lambda: scene.service.open_secret(memory_id),
        lambda: scene.service.delete((memory_id,), purge=True),
        lambda: scene.service.update(Edit(memory_id, restore=True)),
        lambda: scene.service.store(NewMemory("x", supersedes=memory_id)),
    ):
        with pytest.raises(BadInput, match=r"is not a memory id|local store"):
            call()
    assert scene.seen() == []


@pytest.mark.parametrize("wrong", [{"importance": None}, {"session_seq": "x"}, {"id": "7"}])
def test_row_without_its_numbers_is_no_row_of_ours(scene: Scene, wrong: dict[str, Any]) -> None:
    """Something else answered in the server's place."""
    scene.answers = lambda _: told(200, {**OLD_ROW, **wrong})
    with pytest.raises(RemoteError, match="not a claude-memory server"):
        scene.service.recall(Question("#7"))


def test_edit_that_changes_nothing_is_not_sent(scene: Scene) -> None:
    """An undo would bring back the same text otherwise."""
    row: dict[str, Any] = {**OLD_ROW, "expires_at": "2999-01-01T00:00:00Z", "importance": 0.5}
    scene.answers = lambda _: told(200, row)
    same = Edit("7", content=row["content"], importance=0.5, expires_at="2999-01-01T00:00Z")
    assert "already says that" in scene.service.update(same).sentence
    assert scene.seen() == ["GET /api/memories/7"]
    scene.service.update(Edit("7", expires_at=""))
    assert json.loads(scene.server.visits[-1].body) == {"expires_at": None}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"restored": "earlier"}, "Restored the earlier state of memory #7."),
        ({"restored": "latest"}, "No state is earlier: restored the latest of memory #7."),
        ({"restored": "deleted"}, "Restored memory #7."),
        ({"restored": None}, "Restored memory #7."),
        ({}, "Restored memory #7."),
    ],
)
def test_restore_says_what_came_back(scene: Scene, answer: dict[str, Any], sentence: str) -> None:
    """As far as the server tells; one of before did not."""
    scene.answers = lambda _: told(200, {**OLD_ROW, **answer})
    assert scene.service.update(Edit("7", restore=True)).sentence == sentence


def test_question_that_no_text_can_be_finds_what_its_words_find(scene: Scene) -> None:
    """Half a sign, as a client that cuts between two leaves it, is no reason to fail."""
    scene.answers = lambda _: told(200, {"memories": []})
    scene.service.recall(Question("the key \ud83d", "a\0b"))
    body = json.loads(scene.server.visits[-1].body)
    assert (body["context"], body["expanded_query"]) == ("the key  ", "a b")


def test_recall_of_ids_asks_for_the_memories_that_they_name(scene: Scene) -> None:
    """One after the other, and no search."""
    scene.answers = lambda _: told(200, OLD_ROW)
    assert len(scene.service.recall(Question("#7, #8")).memories) == 2
    assert scene.seen() == ["GET /api/memories/7", "GET /api/memories/8"]
