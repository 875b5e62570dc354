"""Operations as a client makes them, and their push."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.support.replica import FEED

if TYPE_CHECKING:
    import httpx


def op(kind: str, uid: str, base: int | None = None, **body: Any) -> dict[str, Any]:
    """Make an operation as a client does."""
    return {"op_id": str(uuid4()), "uid": uid, "kind": kind, "base": base, "body": body}


async def push(client: httpx.AsyncClient, *ops: dict[str, Any], **headers: str) -> list[Any]:
    """Push operations; return the results."""
    answer = await client.post(FEED, json={"ops": list(ops)}, headers=headers)
    assert answer.status_code == 200, answer.text
    results: list[Any] = answer.json()["results"]
    assert [one["op_id"] for one in results] == [one["op_id"] for one in ops]
    return results


async def created(client: httpx.AsyncClient, content: str = "text") -> dict[str, Any]:
    """Create a memory by a push; return its state."""
    (result,) = await push(client, op("create", str(uuid4()), 0, content=content))
    assert result["status"] == "applied"
    current: dict[str, Any] = result["current"]
    return current
