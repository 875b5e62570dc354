"""The protocol's JSON as values, both ways: no I/O. What it does not know it passes over.

The shapes are the server's (its OpenAPI document); a row keeps its JSON as it came, so that fields
of a newer server survive here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from claude_memory.errors import AnswerLost

if TYPE_CHECKING:
    from collections.abc import Sequence

PROTOCOL = 1
STATUSES = ("applied", "conflict", "rejected", "retry")

Fields = dict[str, Any]


class Op(NamedTuple):
    """One operation to push: create, update, delete or replay."""

    op_id: str
    uid: str
    kind: str
    base: int | None
    body: Fields


class Result(NamedTuple):
    """What became of an operation; `current` is the row as the server has it now."""

    op_id: str
    status: str
    code: str
    detail: str
    current: Fields | None


class Page(NamedTuple):
    """A page of the change feed; `check` is the count and the digest of the live rows."""

    rows: tuple[Fields, ...]
    cursor: str
    version: int
    has_more: bool
    check: tuple[int, str] | None


class Hello(NamedTuple):
    """Who the server is, what it takes, how many memories it has, and its clock (0: not told)."""

    server_id: str
    account_id: str
    epoch: str
    scopes: tuple[str, ...]
    ops_limit: int
    bytes_limit: int
    lowest: int
    highest: int
    live: int = 0
    clock: float = 0.0  # seconds since 1970


def encode_push(ops: Sequence[Op]) -> bytes:
    """Write a batch as the body of a push."""
    return _bytes({"ops": [op._asdict() for op in ops]})


def size(op: Op) -> int:
    """Return how many bytes an operation takes in a push."""
    return len(_bytes(op._asdict())) + 1


def decode_push(body: bytes, ops: Sequence[Op]) -> tuple[Result, ...]:
    """Read the answer to a push of `ops`: one result for each, in any order.

    Raises:
        AnswerLost: this is not our server's answer to these operations.
    """
    results = [_result(one) for one in _list(json_object(body), "results")]
    if sorted(one.op_id for one in results) != sorted(op.op_id for op in ops):
        raise foreign("its results are not those of the operations sent")
    return tuple(results)


def decode_page(body: bytes) -> Page:
    """Read a page of the feed.

    Raises:
        AnswerLost: this is not our server's answer.
    """
    found = json_object(body)
    check = found.get("check")
    return Page(
        rows=tuple(_row(one) for one in _list(found, "memories")),
        cursor=_text(found, "cursor"),
        version=_whole(found, "version"),
        has_more=bool(found.get("has_more")),
        check=(_whole(check, "live"), _text(check, "digest")) if isinstance(check, dict) else None,
    )


def decode_hello(body: bytes) -> Hello:
    """Read a server's greeting.

    Raises:
        AnswerLost: this is not our server's answer.
    """
    found = json_object(body)
    limits, protocol = found.get("limits"), found.get("protocol")
    if not isinstance(limits, dict) or not isinstance(protocol, dict):
        raise foreign("it names no limits")
    return Hello(
        server_id=_text(found, "server_id"),
        account_id=_text(found, "account_id"),
        epoch=_text(found, "epoch"),
        scopes=tuple(map(str, _list(found, "scopes"))),
        ops_limit=max(1, _whole(limits, "ops")),
        bytes_limit=max(1, _whole(limits, "bytes")),
        lowest=_whole(protocol, "min"),
        highest=_whole(protocol, "max"),
        live=_whole(found, "live") if "live" in found else 0,
    )


def decode_secret(body: bytes) -> str:
    """Read the clear text of a sensitive memory.

    Raises:
        AnswerLost: this is not our server's answer.
    """
    return _text(json_object(body), "content")


def decode_problem(body: bytes) -> Fields:
    """Read a problem document (RFC 9457); whatever else comes is one without a code."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("code"), str) else {}


def json_object(body: bytes) -> Fields:
    """Read an answer.

    Raises:
        AnswerLost: this is not our server's answer.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise foreign("it is no JSON") from None
    if not isinstance(found, dict):
        raise foreign("it is no JSON object")
    return found


def foreign(why: str) -> AnswerLost:
    """Return the error for an answer that is none of our server's, which may have been asked."""
    message = f"What answered is not a claude-memory server: {why}."
    return AnswerLost(message)


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _list(found: Fields, name: str) -> list[Any]:
    value = found.get(name)
    if not isinstance(value, list):
        raise foreign(f"it has no {name}")
    return value


def _text(found: Fields, name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise foreign(f"it has no {name}")
    return value


def _whole(found: Fields, name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise foreign(f"it has no {name}")
    return value


def _row(one: object) -> Fields:
    if not isinstance(one, dict):
        raise foreign("a row is no object")
    _text(one, "uid")
    _whole(one, "version")
    _whole(one, "id")
    return one


def _result(one: object) -> Result:
    if not isinstance(one, dict) or one.get("status") not in STATUSES:
        raise foreign("a result has no status")
    current = one.get("current")
    return Result(
        op_id=_text(one, "op_id"),
        status=one["status"],
        code=str(one.get("code") or ""),
        detail=str(one.get("detail") or ""),
        current=None if current is None else _row(current),
    )
