"""Bodies packed with gzip, both ways: the same limits hold as for plain ones."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from backend.middleware import IMPORT_BODY_LIMIT
from backend.schemas import BODY_LIMIT
from tests.support.api import stored

if TYPE_CHECKING:
    import httpx

    from tests.support.api import Api

pytestmark = pytest.mark.anyio
PACKED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
MEBIBYTES = 64  # of blanks in a bomb


async def post(
    client: httpx.AsyncClient, body: bytes, path: str = "/api/memories", **headers: str
) -> httpx.Response:
    """Send a body as it is."""
    return await client.post(path, content=body, headers={**PACKED, **headers})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a problem."""
    return answer.status_code, answer.json()["code"]


async def contents(client: httpx.AsyncClient) -> list[str]:
    """Return what is stored."""
    return [one["content"] for one in (await client.get("/api/memories")).json()["memories"]]


async def test_packed_body_is_stored(api: Api) -> None:
    """It is what was packed, and the answer says that this is spoken here."""
    body = gzip.compress(json.dumps({"content": "Packed for the way"}).encode())
    answer = await post(api.alice, body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["accept-encoding"] == "gzip"
    assert api.logged()[-1]["route"] == "/api/memories"  # where numbers count it, too
    assert await contents(api.alice) == ["Packed for the way"]


async def test_body_that_is_called_plain_is_taken_as_it_is(api: Api) -> None:
    """`identity` means what no word means."""
    named = {"Content-Encoding": "identity"}
    answer = await post(api.alice, b'{"content": "Plain"}', **named)
    assert answer.status_code == 200, answer.text


async def test_bomb_is_refused_before_it_is_unpacked(api: Api) -> None:
    """A few KiB that would become 64 MiB are over the limit of any body."""
    bomb = gzip.compress(b" " * (MEBIBYTES * BODY_LIMIT))
    assert len(bomb) < BODY_LIMIT
    await post(api.alice, b"")  # what is loaded once is none of its cost
    tracemalloc.start()
    try:
        assert refusal(await post(api.alice, bomb)) == (413, "too_large")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * BODY_LIMIT


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
async def test_limit_is_that_of_the_unpacked_body(api: Api, size: int, status: int) -> None:
    """To the byte: what a plain body may be, a packed one may become."""
    body = json.dumps({"context": "anything"}).encode()
    packed = gzip.compress(body + b" " * (size - len(body)))
    answer = await post(api.alice, packed, "/api/memories/recall")
    assert answer.status_code == status, answer.text


async def test_import_may_unpack_to_more(api: Api) -> None:
    """It has a limit of its own, which holds as well."""
    rows = json.dumps([{"content": f"Row {number}"} for number in range(3)]).encode()
    large = gzip.compress(rows + b" " * BODY_LIMIT)
    answer = await post(api.alice, large, "/api/memories/import")
    assert answer.status_code == 200, answer.text
    bomb = gzip.compress(rows + b" " * IMPORT_BODY_LIMIT)
    refused = await post(api.alice, bomb, "/api/memories/import")
    assert refusal(refused) == (413, "too_large")
    assert refused.json()["fix"] == "Send at most 32 MiB at once."
    assert len(await contents(api.alice)) == 3


BODY = gzip.compress(b'{"content": "Never stored"}')


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        pytest.param(BODY[:-9], {}, (422, "malformed"), id="cut-off"),
        pytest.param(BODY[:20] + b"\xff\xff" + BODY[22:], {}, (422, "malformed"), id="damaged"),
        pytest.param(BODY + BODY, {}, (422, "malformed"), id="followed-by-more"),
        pytest.param(b'{"content": "x"}', {}, (422, "malformed"), id="not-packed"),
        pytest.param(b"", {}, (422, "malformed"), id="empty"),
        pytest.param(BODY, {"Content-Encoding": "br"}, (415, "wrong_media_type"), id="brotli"),
        pytest.param(
            BODY, {"Content-Encoding": "gzip, gzip"}, (415, "wrong_media_type"), id="twice"
        ),
    ],
)
async def test_body_that_cannot_be_unpacked_is_refused(
    api: Api, body: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    """With a code and a fix, and nothing is stored."""
    assert refusal(await post(api.alice, body, **headers)) == expected
    assert await contents(api.alice) == []


async def test_key_is_asked_for_before_anything_is_unpacked(api: Api) -> None:
    """A stranger's bomb costs nothing."""
    answer = await post(api.nobody, gzip.compress(b" " * (MEBIBYTES * BODY_LIMIT)))
    assert refusal(answer) == (401, "unauthorized")


async def test_long_answer_is_packed_for_those_who_ask(api: Api) -> None:
    """Others get it plain."""
    await stored(api.alice, "A long story, told again and again. " * 200)
    sizes: list[int] = []
    for coding in ("gzip", "identity"):
        request = api.alice.build_request(
            "GET", "/api/memories", headers={"Accept-Encoding": coding}
        )
        answer = await api.alice.send(request, stream=True)
        raw = b"".join([part async for part in answer.aiter_raw()])
        await answer.aclose()
        assert answer.headers.get("content-encoding", "identity") == coding
        shown: Any = json.loads(gzip.decompress(raw) if coding == "gzip" else raw)
        assert len(shown["memories"]) == 1
        sizes.append(len(raw))
    assert sizes[0] * 10 < sizes[1]
