"""What memories mean is kept beside them, and finds them where no word is shared."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from backend import meaning
from backend.db import Database
from backend.errors import Unavailable
from backend.services import meanings
from tests.support.api import Api, running, stored, until
from tests.support.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    Superuser = psycopg.Connection[Any]

pytestmark = pytest.mark.anyio
RULE = "Always use pnpm, never npm, in the frontend"
QUESTION = "which package manager should I take"
SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
OTHERS = [
    "The staging database is called heron",
    "Invoices are written on the first of a month",
    "Ann prefers tabs to spaces",
]


async def recall(api: Api, context: str) -> list[str]:
    """Return the contents that a recall finds, best first."""
    answer = await api.alice.post("/api/memories/recall", json={"context": context})
    return [one["content"] for one in answer.json()["memories"]]


async def push(api: Api, contents: list[str]) -> list[dict[str, Any]]:
    """Create memories as a device does, all in one request."""
    ops = [
        {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "create", "body": {"content": one}}
        for one in contents
    ]
    answer = await api.alice.post("/api/memories/sync", json={"ops": ops})
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


async def fill(api: Api) -> meanings.Filled:
    """Do what the server does in the background."""
    database = Database(api.url)
    await database.open()
    try:
        return await meanings.fill(database)
    finally:
        await database.close()


def numbers(superuser: Superuser) -> list[int]:
    """Return the numbers of the memories of which it is written what they mean."""
    rows = superuser.execute("SELECT no FROM meanings WHERE vector <> '' ORDER BY no")
    return [number for (number,) in rows.fetchall()]


@promise("server.meaning-finds-without-shared-words")
async def test_memory_is_found_by_what_it_means(api: Api) -> None:
    """No word of the question is in it, and it comes first."""
    for content in (*OTHERS, RULE):
        await stored(api.alice, content)
    assert (await recall(api, QUESTION))[0] == RULE


async def test_changed_text_means_something_else(api: Api) -> None:
    """An edit of the text counts at once; of anything else, the meaning stays."""
    made = await stored(api.alice, RULE)
    url = f"/api/memories/{made['id']}"
    await api.alice.patch(url, json={"importance": 0.9})
    assert await recall(api, QUESTION) == [RULE]
    await api.alice.patch(url, json={"content": OTHERS[0]})
    assert await recall(api, QUESTION) == []
    await api.alice.post(f"{url}/restore")
    assert await recall(api, QUESTION) == [RULE]


async def test_meaning_goes_with_the_memory(api: Api, superuser: Superuser) -> None:
    """Nothing is left of it after a delete, nor after the account is erased."""
    first = await stored(api.alice, RULE)
    await stored(api.alice, OTHERS[0])
    assert numbers(superuser) == [1, 2]
    await api.alice.delete(f"/api/memories/{first['id']}")
    assert numbers(superuser) == [2]
    assert (await api.alice.delete("/api/account")).status_code == 200
    assert numbers(superuser) == []


@promise("server.secrets-have-no-meaning")
async def test_secret_is_never_read(api: Api, superuser: Superuser) -> None:
    """Neither when it is stored, nor in the background, nor when a text becomes one."""
    await stored(api.alice, f"The token is {SECRET}")
    await stored(api.alice, "The safe is behind the painting", force_sensitive=True)
    made = await stored(api.alice, RULE)
    assert numbers(superuser) == [made["id"]]
    await api.alice.patch(f"/api/memories/{made['id']}", json={"content": f"pnpm with {SECRET}"})
    await fill(api)
    assert superuser.execute("SELECT count(*) FROM meanings").fetchone() == (0,)


@pytest.mark.parametrize("change", ["content = 'Tea at four'", "is_sensitive = true"])
async def test_server_of_before_leaves_no_vector_behind(
    api: Api, superuser: Superuser, change: str
) -> None:
    """It knows of none, and works on the same database for a while."""
    made = await stored(api.alice, RULE)
    await stored(api.alice, OTHERS[0])
    superuser.execute(f"UPDATE memories SET {change} WHERE no = %s", (made["id"],))
    assert numbers(superuser) == [2]


async def test_many_at_once_are_read_in_the_background(api: Api, superuser: Superuser) -> None:
    """A large push does not wait for it; until then words find them."""
    results = await push(api, [*(f"Note number {n}" for n in range(150)), RULE])
    assert {one["status"] for one in results} == {"applied"}
    assert numbers(superuser) == []
    assert RULE in await recall(api, "pnpm")
    assert await recall(api, QUESTION) == []
    done = await fill(api)
    assert (done.accounts, done.memories) == (1, 151)
    assert len(numbers(superuser)) == 151
    assert (await recall(api, QUESTION))[0] == RULE
    assert (await fill(api)).memories == 0


async def test_background_goes_on_where_it_stopped(api: Api, superuser: Superuser) -> None:
    """What was read before is not read again."""
    await push(api, [f"Note number {n}" for n in range(130)])

    def stop(_far: meanings.Filled) -> None:
        raise InterruptedError

    database = Database(api.url)
    await database.open()
    with pytest.raises(InterruptedError):
        await meanings.fill(database, tell=stop)
    await database.close()
    assert len(numbers(superuser)) == meanings.PAGE
    assert (await fill(api)).memories == 130 - meanings.PAGE


async def test_background_tries_again_what_failed(
    api: Api, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database was away for a moment, what was stored waits for no look through all."""
    monkeypatch.setattr(meanings, "PAUSE", meanings.LAP)

    class Away(Database):
        """A database that is away when it is first asked."""

        was_asked = False

        async def read(self, *asked: Any, **named: Any) -> list[Any]:
            if not self.was_asked:
                self.was_asked = True
                raise Unavailable
            found: list[Any] = await super().read(*asked, **named)
            return found

    class Ready:
        """A model, so that what is noted is read soon."""

        loaded = SimpleNamespace(model="ready")

        async def vectors(self, texts: list[str]) -> list[bytes]:
            return [b"vector" for _ in texts]

    await stored(api.alice, RULE)
    superuser.execute("DELETE FROM meanings")
    database = Away(api.url)
    await database.open()
    [(account,)] = superuser.execute("SELECT account_id FROM memories").fetchall()
    database.note(account, 1)
    filling = asyncio.create_task(
        meanings.keep_filling(database, pytest.fail, Ready())  # type: ignore[arg-type]
    )
    await until(lambda: numbers(superuser) == [1, 1])
    filling.cancel()
    await asyncio.gather(filling, return_exceptions=True)
    await database.close()


async def test_text_that_changes_while_it_is_read_is_read_again(
    api: Api, superuser: Superuser
) -> None:
    """What the earlier text meant is not written beside the new one."""
    made = await stored(api.alice, RULE)

    class Slow:
        """A model during whose work somebody edits."""

        loaded = SimpleNamespace(model="slow")

        async def vectors(self, texts: list[str]) -> list[bytes]:
            if texts == [RULE]:
                body = {"content": OTHERS[0]}
                await api.alice.patch(f"/api/memories/{made['id']}", json=body)
            return [text.encode()[:8] for text in texts]

    database = Database(api.url)
    await database.open()
    for _ in range(2):
        rows = superuser.execute("SELECT vector FROM meanings WHERE model = 'slow'").fetchall()
        assert rows == []
        await meanings.fill(database, semantic=Slow())  # type: ignore[arg-type]
    await database.close()
    rows = superuser.execute("SELECT vector FROM meanings WHERE model = 'slow'").fetchall()
    assert rows == [(OTHERS[0].encode()[:8],)]


async def test_vectors_of_another_table_are_replaced(api: Api, superuser: Superuser) -> None:
    """They do not count, and are gone when all memories have been read anew."""
    await stored(api.alice, RULE)
    superuser.execute("UPDATE meanings SET model = 'earlier'")
    assert await recall(api, QUESTION) == []
    assert (await fill(api)).memories == 1
    assert await recall(api, QUESTION) == [RULE]
    models = superuser.execute("SELECT DISTINCT model FROM meanings").fetchall()
    assert len(models) == 1
    assert models != [("earlier",)]


async def test_words_of_earlier_servers_are_completed(api: Api, superuser: Superuser) -> None:
    """What a memory is to be found by is brought to what it would be now; its version stays."""
    made = await stored(api.alice, "See src/api/config.yaml for fetchUser")
    superuser.execute("UPDATE memories SET words = ''")
    superuser.execute("DELETE FROM meanings")
    assert await recall(api, "yaml") == []
    await fill(api)
    assert await recall(api, "yaml") == ["See src/api/config.yaml for fetchUser"]
    row = superuser.execute("SELECT words FROM memories").fetchone()
    assert row == ("fetch user src api config yaml",)
    row = (await api.alice.get(f"/api/memories/{made['id']}")).json()
    assert row["version"] == made["version"]


@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "damaged"])
async def test_server_without_its_table_goes_by_words_and_says_so(
    app_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """It stores and finds; what is the matter stands in the log, once."""
    table = tmp_path / "embedding.bin"
    if is_there:
        table.write_bytes(b"no table")
    monkeypatch.setattr(meaning, "PLACES", (table,))
    meaning.table.cache_clear()
    try:
        async with running(app_url) as api:
            await stored(api.alice, RULE)
            assert await recall(api, QUESTION) == []
            assert await recall(api, "pnpm") == [RULE]
            told = [line for line in api.logged() if line["event"] == "no recall by meaning"]
    finally:
        meaning.table.cache_clear()
    assert [line["problem"] for line in told] == [meaning.MISSING]


async def test_unknown_language_is_left_to_its_words(api: Api, superuser: Superuser) -> None:
    """The table knows no Georgian: it is read once, and found by its words."""
    await stored(api.alice, "შეხვედრა სამშაბათს არის")
    assert numbers(superuser) == []
    assert (await fill(api)).memories == 0
    assert await recall(api, "სამშაბათს") == ["შეხვედრა სამშაბათს არის"]


async def test_question_in_one_language_finds_what_was_said_in_another(api: Api) -> None:
    """Without a word in common: both mean the same English words."""
    for text in (*OTHERS, "会議は火曜日です"):
        await stored(api.alice, text)
    assert (await recall(api, "on which day is the meeting"))[0] == "会議は火曜日です"
    assert (await recall(api, "wann ist die Besprechung"))[0] == "会議は火曜日です"
