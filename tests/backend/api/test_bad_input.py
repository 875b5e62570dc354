"""Whatever is sent, the answer is a problem with a code and a fix, and never a 500."""

from __future__ import annotations

import asyncio
import json
from itertools import product
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from backend import errors, middleware
from tests.support.api import KEYS, stored
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx

    from tests.support.api import Api

pytestmark = pytest.mark.anyio

FEED, IMPORT = "/api/memories/sync", "/api/memories/import"
AS_LINES = "JSON lines as 'application/x-ndjson'"
NUL, LONE = "a\x00b", "a\ud800b"
BAD_IDS = ["0", "-1", "abc", "9" * 19, "9" * 30, "9" * 5_000, str(2**63), "%00", "%ff", "1e3", "L7"]
BAD_IDS += ["00000000-0000-0000-0000-000000000000", "{}", "%F0%9F%92%A9", "1%202", "'%20OR%201=1"]
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/api/memories"): {"content": "x"},
    ("POST", "/api/memories/recall"): {"context": "x"},
    ("PATCH", "/api/memories/1"): {"content": "x"},
    ("PUT", "/api/memories/1"): {"content": "x"},
    ("POST", "/api/memories/sync"): {"ops": []},
    ("POST", "/api/memories/import"): [{"content": "x"}],
    ("POST", "/api/keys"): {"name": "x"},
}
TEXT_FIELDS = {
    "/api/memories": ["content", "tags", "expanded_keywords", "project", "session", "supersedes"],
    "/api/memories/recall": ["context", "expanded_query", "project"],
    "/api/memories/1": ["content", "tags", "expanded_keywords", "project"],
    "/api/keys": ["name"],
}
WRONG: dict[str, list[Any]] = {
    "content": [None, "", "   ", 5, ["x"], {"a": 1}, "x" * 16_385, True],
    "category": ["unknown", 5, None, "", [], "FACTS"],
    "tags": [5, ["a"], "t" * 1_001, {}],
    "expanded_keywords": [5, "k" * 4_001],
    "importance": [-1e-3, True, "0.5", 1.1, "much", None, [], 1e308, 10**400],
    "force_sensitive": ["yes", 1, None],
    "scope": ["everything", 5, None],
    "project": [5, "p" * 501],
    "session_seq": [-1, True, 2**31, "x", 1.5, 10**30],
    "supersedes": [5.5, True, "", "x" * 65, []],
    "expires_at": [
        0,
        "1700000000",
        "yesterday",
        "2026-13-01T00:00:00Z",
        [],
        "0001-01-01T00:00:00+14:00",
        1e300,
    ],
    "created_at": ["9999-12-31T23:59:59-12:00", "now", {}],
    "source": ["elsewhere", 5],
    "uid": ["5", 5, "x" * 36, []],
    "surprise": ["field"],
}
BAD_QUERIES = [
    ("/api/memories", "limit", ["0", "-1", "x", "1e3", "99999999999999999999", "501", "1.5", ""]),
    ("/api/memories", "category", ["unknown", "%00"]),
    ("/api/memories", "tag", ["%00", "", "t" * 201]),
    (
        "/api/memories",
        "cursor",
        ["x", "%00", "%23%23%23%23", "e30", "W10", "bnVsbA", "x" * 501, "é"],
    ),
    ("/api/memories/sync", "limit", ["0", "-1", "x", "1001", "9" * 40]),
    ("/api/memories/sync", "since", ["yesterday", "%00", "0", "1" * 90, "2026-99-01", "x" * 101]),
    ("/api/memories/sync", "since", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00"]),
    (
        "/api/memories/sync",
        "cursor",
        ["x", "%00", "%23%23%23%23", "W10", "bnVsbA", "é", "WzEsMiwzLDQsNV0"],
    ),
    ("/api/memories/1", "purge", ["later"]),
]


def assert_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """Check that an answer is a complete problem with one of the statuses."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    for name in ("type", "title", "status", "detail", "code", "fix", "request_id"):
        assert found[name] not in (None, ""), name
    assert found["status"] == answer.status_code
    assert found["type"].endswith(f"#{found['code']}")
    assert answer.headers["x-request-id"] == found["request_id"]
    return found


def routes(api: Api) -> Iterator[tuple[str, str]]:
    """Yield every method and address that needs a key, with an id filled in."""
    for path, operations in api.app.openapi()["paths"].items():
        for method, operation in operations.items():
            if operation.get("security"):
                address = path.replace("{memory_id}", "1").replace("{key_id}", "abc")
                yield method.upper(), address


def encoded(body: object) -> bytes:
    """Write JSON that may hold lone surrogates."""
    return json.dumps(body).encode()


HEADERS = {"Content-Type": "application/json"}


async def test_every_endpoint_refuses_who_has_no_right_key(api: Api) -> None:
    """Missing, wrong, wrongly schemed and mistyped keys get one and the same answer."""
    alice = KEYS["alice"]
    wrong = ["", "Bearer", "Bearer ", "Bearer wrong-key-of-some-length", f"Basic {alice}", alice]
    wrong += [f"Token {alice}", f"Bearer {alice}x", f"Bearer cmk_abc_{'x' * 49}", "Bearer \xff"]
    wrong += ["Bearer " + "x" * 5_000, f"Bearer {alice} {alice}"]
    for method, path in routes(api):
        for header in wrong:
            headers = {b"Authorization": header.encode("latin-1")} if header else {}
            answer = await api.nobody.request(method, path, headers=headers, content=b"{")
            found = assert_problem(answer, 401)
            assert found["code"] == "unauthorized"
            assert answer.headers["www-authenticate"] == "Bearer"
            found.pop("request_id")
            assert found == {
                "type": "docs/api/errors.md#unauthorized",
                "title": "This needs a valid API key.",
                "status": 401,
                "detail": "This needs a valid API key.",
                "code": "unauthorized",
                "fix": errors.Unauthorized.fix,
            }


@promise("server.bad-input-is-refused")
@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"{", (422,)),
        (b"nonsense", (422,)),
        (b'{"content": "x"', (422,)),
        (b"\xff\xfe\x00", (422,)),
        (b"null", (422,)),
        (b"5", (422,)),
        (b'"text"', (422,)),
        (b"[[]]", (422,)),
        (b'{"a": ' + b"9" * 5_000 + b"}", (422,)),
        (b'{"content": NaN}', (422,)),
        (b"[" * 1_000 + b"]" * 1_000, (422,)),
        (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, (422,)),
        (b"[" * 500_000, (422,)),
        (b'{"content": "' + b"x" * 2_000_000 + b'"}', (413, 422)),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
async def test_broken_bodies_are_refused(api: Api, body: bytes, statuses: tuple[int, ...]) -> None:
    """A body that is no JSON, of the wrong shape, too deep or too large is named as such."""
    for method, path in BODIES:
        answer = await api.alice.request(method, path, content=body, headers=HEADERS)
        assert_problem(answer, *statuses)


@pytest.mark.parametrize(("levels", "status"), [(10, "applied"), (30, "malformed")])
async def test_depth_is_limited_whatever_takes_the_body(api: Api, levels: int, status: str) -> None:
    """Fields of newer clients may be nested, but not without end; brackets in texts are text."""
    nested: Any = '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ \\" {'
    for level in range(levels):
        nested = [nested] if level % 2 else {"a": nested}
    op = {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "create", "base": 0}
    body = {"ops": [{**op, "body": {"content": "x", "newer": nested}}]}
    answer = await api.alice.post("/api/memories/sync", json=body)
    told = answer.json()
    assert status == (told["code"] if "code" in told else told["results"][0]["status"])


@pytest.mark.parametrize("escaped", [b'\\"', b"\\\\", b"\\n", b'"', b'["'])
async def test_text_without_an_end_is_refused_in_one_reading(api: Api, escaped: bytes) -> None:
    """A body that begins text after text, or one without an end, must not be read for each anew."""
    body = b'{"content": "' + escaped * 400_000
    answer = await api.alice.post("/api/memories", content=body, headers=HEADERS)
    assert_problem(answer, 422)


async def test_body_of_too_many_values_is_refused_unparsed(api: Api) -> None:
    """Millions of small values would take a hundred times the memory of their text."""
    names = ", ".join(f'"f{number}": 1' for number in range(30_000)).encode()
    answer = await api.alice.post("/api/memories", content=b"{" + names + b"}", headers=HEADERS)
    assert "more than 20000 values" in assert_problem(answer, 422)["detail"]
    for row in (b'{"content": "x"}', b"{}", b"1", b'""'):
        body = b"[" + b",".join([row] * 600_000) + b"]"
        answer = await api.alice.post("/api/memories/import", content=body, headers=HEADERS)
        assert "values" in assert_problem(answer, 422)["detail"]


async def test_answers_are_kept_in_no_cache_and_taken_for_nothing_else(api: Api) -> None:
    """Good answers and problems alike say so, whoever asked and for what."""
    for method, path in routes(api):
        for client in (api.alice, api.nobody):
            answer = await client.request(method, path)
            assert answer.headers.get_list("cache-control") == ["no-store"], path
            assert answer.headers.get_list("x-content-type-options") == ["nosniff"], path


async def test_body_over_the_limit_is_refused_before_it_is_read(api: Api) -> None:
    """2 MB get 413 at every address, announced or in pieces; an import may be larger."""

    async def pieces() -> Any:  # noqa: ANN401
        for _ in range(32):
            yield b"x" * 65_536

    for method, path in routes(api):
        if path == "/api/memories/import":
            continue
        sent = b"x" * 2_000_000
        assert_problem(await api.alice.request(method, path, content=sent, headers=HEADERS), 413)
        answer = await api.alice.request(method, path, content=pieces(), headers=HEADERS)
        assert assert_problem(answer, 413)["code"] == "too_large"
    huge = {"Content-Type": "application/json", "Content-Length": str(10**12)}
    answer = await api.alice.post("/api/memories/import", content=b"[]", headers=huge)
    assert_problem(answer, 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "multipart/form-data"])
async def test_other_media_types_are_refused(api: Api, kind: str) -> None:
    """Only JSON is taken."""
    for (method, path), body in BODIES.items():
        headers = {"Content-Type": kind} if kind else {}
        answer = await api.alice.request(method, path, content=encoded(body), headers=headers)
        assert assert_problem(answer, 415)["code"] == "wrong_media_type"


@pytest.mark.parametrize(
    ("path", "limit", "types"),
    [
        ("/api/memories", "1 MiB", "application/json"),
        ("/api/memories/import", "32 MiB", "application/json or application/x-ndjson"),
    ],
)
async def test_refused_body_is_told_what_is_taken_there(
    api: Api, path: str, limit: str, types: str
) -> None:
    """An import takes more, and of one more type; its refusals say so."""
    huge = {"Content-Type": "application/json", "Content-Length": str(10**12)}
    large = assert_problem(await api.alice.post(path, content=b"[]", headers=huge), 413)
    plain = {"Content-Type": "text/plain"}
    other = assert_problem(await api.alice.post(path, content=b"[]", headers=plain), 415)
    packed = {"Content-Type": "application/json", "Content-Encoding": "br"}
    coded = assert_problem(await api.alice.post(path, content=b"[]", headers=packed), 415)
    assert [one["fix"] for one in (large, other, coded)] == [
        f"Send at most {limit} at once.",
        f"Send 'Content-Type: {types}'.",
        "Pack it with gzip, or send it as it is.",
    ]


async def test_json_with_a_charset_is_taken(api: Api) -> None:
    """Parameters of the media type are no reason to refuse."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = await api.alice.post("/api/memories", content=b'{"content":"x"}', headers=headers)
    assert answer.status_code == 200


@promise("server.bad-input-is-refused")
async def test_text_that_cannot_be_stored_is_refused(api: Api) -> None:
    """NUL and lone surrogates are malformed wherever a text is taken."""
    await stored(api.alice, "x")
    for (method, path), body in BODIES.items():
        for name, text in product(TEXT_FIELDS.get(path, ()), (NUL, LONE)):
            sent = encoded({**body, name: text})
            answer = await api.alice.request(method, path, content=sent, headers=HEADERS)
            assert_problem(answer, 422, *((404,) if name == "supersedes" else ()))
    for text in (NUL, LONE):
        sent = encoded([{"content": "fine"}, {"content": text}])
        answer = await api.alice.post("/api/memories/import", content=sent, headers=HEADERS)
        assert assert_problem(answer, 422)["errors"][0]["row"] == 2


async def test_wrong_values_are_named_but_not_repeated(api: Api) -> None:
    """Each wrong field is named in `errors`; what was sent is not echoed."""
    await stored(api.alice, "x")
    for (method, path), body in BODIES.items():
        if path not in ("/api/memories", "/api/memories/1"):
            continue
        for name, values in WRONG.items():
            for value in values:
                sent = encoded({**body, name: value})
                answer = await api.alice.request(method, path, content=sent, headers=HEADERS)
                found = assert_problem(answer, 422)
                assert name in json.dumps(found["errors"])
                assert "tttt" not in answer.text
    answer = await api.alice.post("/api/memories", json={"content": {"deep": "hunter2-like"}})
    assert "hunter2" not in answer.text


@promise("server.bad-input-is-refused")
async def test_ids_of_no_memory_are_not_found(api: Api) -> None:
    """Any id that names nothing is 404, however it looks."""
    for bad in BAD_IDS:
        for method, tail in (
            *(("GET", ""), ("DELETE", ""), ("PATCH", ""), ("PUT", "")),
            *(("GET", "/history"), ("POST", "/restore"), ("POST", "/secret")),
        ):
            body = {"content": "x"} if method in ("PATCH", "PUT") else None
            answer = await api.alice.request(method, f"/api/memories/{bad}{tail}", json=body)
            assert assert_problem(answer, 404)["code"] == "not_found", bad
        assert_problem(await api.alice.delete(f"/api/keys/{bad}"), 404)


@promise("server.bad-input-is-refused")
@pytest.mark.parametrize(("path", "name", "values"), BAD_QUERIES)
async def test_wrong_queries_are_refused(api: Api, path: str, name: str, values: list[str]) -> None:
    """Limits, cursors, times and filters that make no sense get 4xx."""
    method = "DELETE" if name == "purge" else "GET"
    for value in values:
        answer = await api.alice.request(method, f"{path}?{name}={value}")
        if (path, name, value) in {("/api/memories", "cursor", ""), ("/api/memories", "limit", "")}:
            continue
        assert_problem(answer, 422, *((410,) if name == "cursor" else ()))


@promise("server.bad-input-is-refused")
@pytest.mark.parametrize(
    ("method", "address", "unknown", "fix"),
    [
        ("GET", "/api/memories?limt=5", "limt", "Did you mean 'limit'?"),
        ("GET", "/api/memories?limit=5&Category=facts", "Category", "Did you mean 'category'?"),
        ("GET", "/api/memories/sync?sinc=2026-03-14", "sinc", "Did you mean 'since'?"),
        ("GET", "/api/memories/sync?wait=1", "wait", "It takes cursor, limit, since."),
        ("DELETE", "/api/memories/1?purged=now", "purged", "Did you mean 'purge'?"),
        ("GET", "/api/memories/1?%ff=%00", "\ufffd", "It takes none: leave it out."),
        (
            "POST",
            "/api/memories/migrate-secrets?dry_run",
            "dry_run",
            "It takes none: leave it out.",
        ),
        ("DELETE", "/api/account?confirm=no", "confirm", "It takes none: leave it out."),
    ],
)
async def test_unknown_query_parameters_are_refused(
    api: Api, method: str, address: str, unknown: str, fix: str
) -> None:
    """A misspelt one is named with the nearest that is known, and nothing is done."""
    await stored(api.alice, "still there")
    found = assert_problem(await api.alice.request(method, address), 422)
    assert found["detail"] == f"There is no query parameter '{unknown}' here; nothing was done."
    assert found["fix"] == fix
    assert found["errors"] == [{"where": f"query.{unknown}", "message": "is unknown"}]
    assert (await api.alice.get("/api/memories/1")).status_code == 200


async def test_every_address_refuses_parameters_that_it_does_not_take(api: Api) -> None:
    """None is forgotten, and each takes those that its document names."""
    for method, path in routes(api):
        answer = await api.alice.request(method, f"{path}?nobody-knows-this=1")
        assert "'nobody-knows-this'" in assert_problem(answer, 422)["detail"], path
    for path, operations in api.app.openapi()["paths"].items():
        for method, operation in operations.items():
            for one in operation.get("parameters", []):
                if one["in"] == "query":
                    answer = await api.alice.request(method, f"{path}?{one['name']}=%00")
                    assert "no query parameter" not in answer.text


async def test_parameter_that_is_given_twice_is_refused(api: Api) -> None:
    """One of both would be passed over."""
    answer = await api.alice.get("/api/memories?tag=a&limit=1&tag=b")
    found = assert_problem(answer, 422)
    assert found["detail"] == "The query parameter 'tag' is given 2 times; nothing was done."
    assert found["errors"][0]["where"] == "query.tag"


async def test_body_where_none_is_taken_is_refused(api: Api) -> None:
    """What somebody asks for there would not be done; an empty object asks for nothing."""
    await stored(api.alice, "still there")
    for method, path, body in (
        ("DELETE", "/api/memories/1", {"purge": True}),
        ("POST", "/api/memories/1/restore", {"version": 3}),
        ("POST", "/api/memories/migrate-secrets", {"dry_run": True}),
        ("DELETE", "/api/account", {"confirm": False}),
        ("GET", "/api/memories", {"limit": 1}),
    ):
        found = assert_problem(await api.alice.request(method, path, json=body), 422)
        assert found["detail"] == "This address takes no body; nothing was done."
    assert (await api.alice.get("/api/memories/1")).status_code == 200
    for content in (b"{}", b" null\n", b""):
        answer = await api.alice.request(
            "DELETE", "/api/memories/1", content=content, headers=HEADERS
        )
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("path", "sent", "fix"),
    [
        ("/api/memories?cursor=x", {}, "Leave it out: the list begins anew."),
        (f"{FEED}?since=never", {}, "Write it as 2026-03-14T10:00:00Z, or leave it out."),
        (f"{FEED}?cursor=x", {}, "Ask again without a cursor: that is a full dump."),
        (IMPORT, {"json": {"content": "x"}}, f"Send a JSON list of rows, or {AS_LINES}."),
        (IMPORT, {"json": [{"content": "x"}] * 20_001}, "Send at most 20000 at once."),
        ("/api/memories", {"content": b"[" * 30}, "Send whole JSON that is less deep."),
        ("/api/memories", {"content": b'{"content": "\xff"}'}, "Send JSON in UTF-8."),
        ("/api/memories", {"content": b"[" + b"1," * 30_000 + b"1]"}, "Send less at once."),
        ("/api/memories", {"json": {"content": 5}}, errors.Malformed.fix),
        (
            "/api/memories",
            {"json": {"content": "other", "uid": "01900000-0000-7000-8000-000000000001"}},
            "Leave 'uid' out, and a new one is made; or change the memory that has it.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_fix_is_that_of_the_case(api: Api, path: str, sent: dict[str, Any], fix: str) -> None:
    """It does not point to fields where none are named, nor to another trouble's way out."""
    await stored(api.alice, "first", uid="01900000-0000-7000-8000-000000000001")
    headers = HEADERS if "content" in sent else {}
    method = "POST" if sent else "GET"
    answer = await api.alice.request(method, path, headers=headers, **sent)
    assert assert_problem(answer, 409, 410, 422)["fix"] == fix


async def test_wrong_headers_are_refused(api: Api) -> None:
    """If-Match and the headers of the protocol may hold anything."""
    made = await stored(api.alice, "x")
    for value in ("x", '"-1"', '"1', "9" * 30, "9" * 19, f'W/"{2**63}"', "", '"1", "2"', "\xff"):
        answer = await api.alice.patch(
            f"/api/memories/{made['id']}",
            json={"content": "y"},
            headers={b"If-Match": value.encode("latin-1")},
        )
        assert_problem(answer, 422, 412)
    key = {"Idempotency-Key": "k" * 201}
    assert_problem(await api.alice.post("/api/memories", json={"content": "x"}, headers=key), 422)
    for name, status in (("Protocol", 426), ("Account", 409), ("Epoch", 410)):
        for value in ("x", "-1", "9" * 40, "\xff", str(uuid4())):
            headers = {f"X-Memory-{name}".encode(): value.encode("latin-1")}
            assert_problem(await api.alice.get("/api/memories/sync", headers=headers), status)
            answer = await api.alice.post("/api/memories/sync", json={"ops": []}, headers=headers)
            assert_problem(answer, status)


async def test_wrong_operations_are_rejected_one_by_one(api: Api) -> None:
    """A bad operation is answered as rejected and stops no other one."""
    bodies: list[dict[str, Any]] = [
        {},
        {"content": ""},
        {"content": NUL},
        {"content": LONE},
        {"content": "x" * 16_385},
        {"content": "x", "category": "unknown"},
        {"content": "x", "importance": 7},
        {"content": "x", "tags": "t" * 1_001},
        {"content": "x", "supersedes": 5},
        {"content": "x", "expires_at": "0001-01-01T00:00:00+14:00"},
        {"content": "x", "session_seq": 2**40},
    ]
    ops = [
        {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "create", "base": 0, "body": body}
        for body in [*bodies, {"content": "good", "unknown_field": 1}]
    ]
    replay = {"was": 2**70, "lost_after": 0, "fields": {"content": "x"}}
    ops += [
        {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "replay", "body": replay},
        {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "update", "body": {"content": None}},
    ]
    answer = await api.alice.post(
        "/api/memories/sync", content=encoded({"ops": ops}), headers=HEADERS
    )
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [one["status"] for one in results] == ["rejected"] * 11 + ["applied"] + ["rejected"] * 2
    assert all(one["code"] for one in results if one["status"] == "rejected")


async def test_wrong_batches_are_refused(api: Api) -> None:
    """Operations without ids, of unknown kinds or too many of them are malformed."""
    good = {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "delete", "body": {}}
    batches: list[Any] = [
        [{**good, "op_id": "x"}],
        [{**good, "kind": "explode"}],
        [{**good, "base": -1}],
        [{**good, "base": 2**63}],
        [{**good, "uid": None}],
        [good] * 201,
        "text",
        [[]],
    ]
    for ops in batches:
        answer = await api.alice.post("/api/memories/sync", json={"ops": ops})
        assert_problem(answer, 422)


async def test_unknown_addresses_and_methods_are_problems_too(api: Api) -> None:
    """404 and 405 have the same form; 405 names what is allowed."""
    for path in ("/", "/api", "/api/memories/", "/api/nothing", "/api/memories/1/nothing", "/%00"):
        assert assert_problem(await api.alice.get(path), 404)["code"] == "no_endpoint"
    answer = await api.alice.put("/api/memories", json={})
    assert assert_problem(answer, 405)["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "GET, HEAD, POST"
    for method, verb, allowed in (  # which are no ids
        ("OPTIONS", "import", "POST"),
        ("GET", "recall?context=x", "POST"),
        ("DELETE", "migrate-secrets", "POST"),
        ("PUT", "sync", "GET, HEAD, POST"),
    ):
        answer = await api.alice.request(method, f"/api/memories/{verb}")
        assert (assert_problem(answer, 405)["code"], answer.headers["allow"]) == (
            "method_not_allowed",
            allowed,
        )
    answer = await api.alice.get("/api/memories/sync/history")
    assert assert_problem(answer, 404)["code"] == "not_found"


async def test_head_is_answered_as_get_without_the_body(api: Api) -> None:
    """Wherever GET is taken: the same status and headers, as what watches a server asks for."""
    await stored(api.alice, "x" * 2_000)
    for path in ("/health", "/docs", "/openapi.json", "/api/memories", "/api/memories/1", "/nope"):
        get, head = await api.alice.get(path), await api.alice.head(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        differ = {"x-request-id"}
        assert {k: v for k, v in head.headers.items() if k not in differ} == {
            k: v for k, v in get.headers.items() if k not in differ
        }
    assert (await api.alice.head("/api/account")).headers["allow"] == "DELETE"
    assert api.logged()[-1]["method"] == "HEAD"


@promise("server.bad-input-is-refused")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/memories", b'{"content": "first", "content": "second"}'),
        ("/api/memories/recall", b'{"context": "x", "context": "y"}'),
        (FEED, b'{"ops": [{"body": {"content": "first", "content": "second"}}]}'),
        (IMPORT, b'[{"content": "first", "content": "second"}]'),
        ("/api/keys", b'{"name": "x", "scopes": ["read"], "scopes": ["admin"]}'),
    ],
)
async def test_field_that_is_given_twice_is_refused(api: Api, path: str, body: bytes) -> None:
    """One of both values would be lost."""
    answer = await api.alice.post(path, content=body, headers=HEADERS)
    found = assert_problem(answer, 422)
    assert found["detail"].endswith("' is given more than once; nothing was done.")
    assert found["errors"][0]["message"] == "is given more than once"
    assert (await api.alice.get("/api/memories")).json()["memories"] == []


async def test_line_of_an_import_with_a_field_twice_is_named(api: Api) -> None:
    """As any other line that is not what an import takes."""
    lines = b'{"content": "good"}\n{"content": "first", "content": "second"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    found = assert_problem(await api.alice.post(IMPORT, content=lines, headers=headers), 422)
    assert found["detail"] == "Row 2: content: is given more than once"
    assert (await api.alice.get("/api/memories")).json()["memories"] == []


async def test_caller_that_stops_in_the_middle_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told that nothing was done, and its connection ends."""
    monkeypatch.setattr(middleware, "BODY_PATIENCE", 0.01)
    never = asyncio.Event()

    async def sent() -> AsyncIterator[bytes]:
        yield b'{"content": '
        await never.wait()

    answer = await api.alice.post("/api/memories", content=sent(), headers=HEADERS)
    assert assert_problem(answer, 408)["code"] == "request_timeout"
    assert answer.headers["connection"] == "close"
    assert (await stored(api.alice, "whole"))["id"] == 1


async def test_request_id_is_taken_over_only_if_it_is_harmless(api: Api) -> None:
    """A caller's id comes back; anything odd is replaced."""
    given = await api.alice.get("/livez", headers={"X-Request-Id": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    odd = await api.alice.get("/livez", headers={"X-Request-Id": 'a"b{}\\'})
    assert odd.headers["x-request-id"] not in ('a"b{}\\', "")
