"""Recorded exchanges hold both ways: for an earlier plugin, and for an earlier server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from claude_memory.errors import RemoteError
from claude_memory.sync import wire
from claude_memory.sync.remote import Remote
from claude_memory.sync.transport import Response
from hypothesis import given
from hypothesis import strategies as st

from backend.schemas import PushBody
from tests.support import golden
from tests.support.postgres import LOGIN, Server
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.golden import Json

pytestmark = pytest.mark.once
NEWER = {"from_the_future": {"nested": [1, None]}}
# What each server makes up by itself, and what people read.
VOLATILE = {
    *golden.MADE_UP,
    *("created_at", "updated_at", "deleted_at", "request_id", "type"),
    *("title", "detail", "fix", "errors"),
}
RESTORED = 2**20  # versions from here on come of the time of a restore


class Scripted:
    """A transport that gives one recorded answer."""

    def __init__(self, answer: Json) -> None:
        """Keep what to answer."""
        self._answer = answer
        self.asked: tuple[str, str, Mapping[str, str], bytes | None] | None = None

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """Note the request, and answer."""
        self.asked = (method, path, headers, body)
        text = json.dumps(self._answer["body"]).encode()
        return Response(self._answer["status"], self._answer["headers"], text)

    def close(self) -> None:
        """Do nothing."""


def exchanges() -> Iterator[tuple[str, Json, Json]]:
    """Give what the plugin asked in each story, with its request as it was sent."""
    for path in golden.stories():
        known = {"token": golden.TOKEN}
        for one in golden.read(path)["exchanges"]:
            if "means" in one:
                yield f"{path.stem}: {one['says']}", one, golden.filled(one["request"], known)
            golden.learn(one["answer"]["body"], known)


ANSWERED = [pytest.param(one, request, id=name) for name, one, request in exchanges()]
# Requests that no plugin makes, such as one too large, have no headers of its own.
SENT = [one for one in ANSWERED if "headers" in one.values[1]]  # type: ignore[operator]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a PostgreSQL for this module."""
    with Server(tmp_path_factory.mktemp("golden")) as server:
        yield server


@pytest.fixture
def urls(postgres: Server) -> tuple[str, str]:
    """Return the URLs of an empty database, for the server and for the owner."""
    postgres.create("golden")
    return postgres.url("golden", LOGIN), postgres.url("golden")


def test_recorded_files_are_what_was_recorded() -> None:
    """None was changed, none is missing, none was added unrecorded."""
    found = {path.name: golden.digest(path) for path in golden.stories()}
    assert found == golden.manifest()


@promise("compatibility.old-and-new-understand-each-other")
@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in golden.stories()])
@pytest.mark.anyio
async def test_server_still_answers_an_earlier_plugin(path: Path, urls: tuple[str, str]) -> None:
    """Each recorded request has an answer with everything that the recorded answer had."""
    story = golden.read(path)
    answers = await golden.play(story, *urls)
    for one, answer in zip(story["exchanges"], answers, strict=True):
        assert_holds(answer, one["answer"], one["says"])


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in golden.stories()])
@pytest.mark.anyio
async def test_server_passes_over_what_a_later_plugin_adds(
    path: Path, urls: tuple[str, str]
) -> None:
    """Headers, query parameters and fields of memories that it does not know change nothing."""
    story = golden.read(path)
    for one in story["exchanges"]:
        request = one["request"]
        request["headers"] = {**request.get("headers", {}), "x-memory-future": "1"}
        request["path"] += ("&" if "?" in request["path"] else "?") + "future=1"
        for op in (request.get("body") or {}).get("ops", ()):
            op["body"] = {**op["body"], **NEWER}
    answers = await golden.play(story, *urls)
    for one, answer in zip(story["exchanges"], answers, strict=True):
        assert_holds(answer, one["answer"], one["says"])


@promise("compatibility.old-and-new-understand-each-other")
@pytest.mark.parametrize(("one", "request_"), ANSWERED)
def test_plugin_still_reads_an_earlier_server(one: Json, request_: Json) -> None:
    """Each recorded answer means to it what it meant then."""
    assert_means(ask(one["answer"], request_)[0], one)


@pytest.mark.parametrize(("one", "request_"), ANSWERED)
def test_plugin_passes_over_what_a_later_server_adds(one: Json, request_: Json) -> None:
    """Fields that it does not know, in any object of an answer, change nothing."""
    newer = {**one["answer"], "body": widened(one["answer"]["body"])}
    assert_means(ask(newer, request_)[0], one)


@pytest.mark.parametrize(("one", "request_"), SENT)
def test_plugin_still_asks_as_it_did(one: Json, request_: Json) -> None:
    """What it sends is what was recorded, but for the size of a page."""
    _, (method, path, headers, body) = ask(one["answer"], request_)
    assert (method, place(path)) == (request_["method"], place(request_["path"]))
    spoken = {"x-memory-protocol"}  # another is asked for only to be refused
    for name, value in request_.get("headers", {}).items():
        assert name in spoken or headers[name] == value, name
    assert headers["x-memory-protocol"] == "1"
    assert (json.loads(body) if body else None) == request_.get("body")


@pytest.mark.parametrize("names", [("results",), ("memories",), ("cursor", "version")])
def test_answer_without_what_is_needed_is_no_answer_of_the_server(names: tuple[str, ...]) -> None:
    """An answer that lacks a needed field is not half believed."""
    for _, one, request in exchanges():
        body = {name: value for name, value in one["answer"]["body"].items() if name not in names}
        if one["answer"]["status"] == 200 and body != one["answer"]["body"]:
            found, _ = ask({**one["answer"], "body": body}, request)
            assert type(found).__name__ == "AnswerLost", one["says"]


OPS = st.builds(
    wire.Op,
    op_id=st.uuids().map(str),
    uid=st.uuids().map(str),
    kind=st.sampled_from(["create", "update", "delete", "replay"]),
    base=st.none() | st.integers(0, 2**63 - 1),
    body=st.dictionaries(
        st.sampled_from(["content", "tags", "importance", "expires_at", "purge"]),
        st.none() | st.booleans() | st.floats(0, 1) | st.text(),
    ),
)


@given(st.lists(OPS, max_size=5))
def test_whatever_the_plugin_writes_the_server_reads(ops: list[wire.Op]) -> None:
    """Every operation that can be encoded arrives as it was."""
    found = PushBody.model_validate_json(wire.encode_push(ops))
    assert [one.model_dump(mode="json") for one in found.ops] == [one._asdict() for one in ops]


def ask(answer: Json, request: Json) -> tuple[object, Any]:
    """Let the plugin make a request and read the answer; return what it read, and asked."""
    transport = Scripted(answer)
    headers = request.get("headers", {})
    account, epoch = headers.get("x-memory-account", ""), headers.get("x-memory-epoch", "")
    remote = Remote(transport, "key")
    found: object
    try:
        if request["path"] == "/api/sync/hello":
            found = remote.hello()
        elif request["method"] == "POST":
            ops = [wire.Op(**op) for op in (request.get("body") or {}).get("ops", ())]
            found = remote.push(account, epoch, ops)
        else:
            cursor = dict(parse_qsl(urlsplit(request["path"]).query)).get("cursor", "")
            found = remote.pull(account, epoch, cursor)
    except RemoteError as error:
        found = error
    return found, transport.asked


def assert_means(found: object, one: Json) -> None:
    """Check that an answer was read as what the story says, with what stands in it."""
    body = one["answer"]["body"]
    if isinstance(found, RemoteError):
        assert type(found).__name__ == one["means"]
        assert str(found) == body["detail"]
        for name in ("epoch", "lost_after"):
            assert getattr(found, name, None) == body.get(name)
    elif isinstance(found, wire.Hello):
        assert one["means"] == "hello"
        limits = (found.ops_limit, found.bytes_limit)
        assert limits == (body["limits"]["ops"], body["limits"]["bytes"])
        assert {found.account_id, found.epoch} == {body["account_id"], body["epoch"]}
    elif isinstance(found, wire.Page):
        assert one["means"] == "page"
        assert [row["uid"] for row in found.rows] == [row["uid"] for row in body["memories"]]
        assert (found.cursor, found.version) == (body["cursor"], body["version"])
        check = body["check"]
        assert found.check == (check and (check["live"], check["digest"]))
    else:
        assert one["means"] == "results"
        read = [(one.op_id, one.status, one.code or None) for one in found]  # type: ignore[attr-defined]
        assert read == [(row["op_id"], row["status"], row["code"]) for row in body["results"]]


def assert_holds(answer: Any, recorded: Any, where: str) -> None:  # noqa: ANN401  (any JSON)
    """Check that an answer has everything that a recorded one had; more is allowed."""
    if isinstance(recorded, dict):
        assert set(recorded) <= set(answer), where
        for name, value in recorded.items():
            if name in VOLATILE or (name == "id" and isinstance(value, str)):  # of a key
                assert type(answer[name]) is type(value), f"{where}: {name}"
            else:
                assert_holds(answer[name], value, f"{where}: {name}")
    elif isinstance(recorded, list):
        assert len(answer) == len(recorded), where
        for number, value in enumerate(recorded):
            assert_holds(answer[number], value, f"{where} [{number}]")
    elif isinstance(recorded, int) and recorded >= RESTORED and where.endswith("version"):
        assert answer >= RESTORED, where
    else:
        assert answer == recorded, where


def widened(value: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Return a JSON value with one more field in each of its objects."""
    if isinstance(value, dict):
        return {**{name: widened(one) for name, one in value.items()}, **NEWER}
    return [widened(one) for one in value] if isinstance(value, list) else value


def place(path: str) -> tuple[str, dict[str, str]]:
    """Return an address and what is asked there, whatever the size of a page."""
    parts = urlsplit(path)
    return parts.path, {**dict(parse_qsl(parts.query)), "limit": ""}
