"""The server's calls on single memories, and what its refusals mean.

For a client that keeps nothing itself; what syncs uses `remote`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from claude_memory import errors
from claude_memory.sync import remote, wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_memory.sync.transport import Response, Transport

MEMORIES = "/api/memories"
# Refusals of the request itself; whatever else is no 200 says that the server cannot be used.
REFUSALS = frozenset(
    "conflict idempotency_key_reused malformed no_keeper secret_lost stale_version".split()
)


class Rest:
    """One server, asked with one key."""

    def __init__(self, transport: Transport, key: str, agent: str) -> None:
        """Keep how to reach the server and what to show it."""
        self._transport = transport
        self._headers = {
            "authorization": f"Bearer {key}",
            "accept": "application/json",
            "user-agent": agent,
        }

    def get(self, path: str, asked: Mapping[str, str] | None = None) -> wire.Fields:
        """Ask for something.

        Raises:
            NotFound: there is no such memory.
            BadInput: the server refuses what is asked for.
            RemoteError: it cannot be asked.
        """
        query = f"?{urlencode(asked)}" if asked else ""
        return self._call("GET", path + query, None, "")

    def post(self, path: str, body: wire.Fields, *, once: str = "") -> wire.Fields:
        """Send something; what comes again with the same `once` is done once.

        Raises:
            NotFound, BadInput, RemoteError: as for `get`.
        """
        return self._call("POST", path, body, once)

    def patch(self, path: str, body: wire.Fields, *, once: str) -> wire.Fields:
        """Change something, once.

        Raises:
            NotFound, BadInput, RemoteError: as for `get`.
        """
        return self._call("PATCH", path, body, once)

    def delete(self, path: str) -> wire.Fields:
        """Delete something; a repetition does no harm.

        Raises:
            NotFound, BadInput, RemoteError: as for `get`.
        """
        return self._call("DELETE", path, None, "")

    def close(self) -> None:
        """Let go of the connections; a running call fails."""
        self._transport.close()

    def _call(self, method: str, path: str, body: wire.Fields | None, once: str) -> wire.Fields:
        headers = dict(self._headers)
        sent = None
        if body is not None:
            sent = json.dumps(body, ensure_ascii=False).encode()
            headers["content-type"] = "application/json"
        if once:
            headers["idempotency-key"] = once
        try:
            response = self._transport.request(method, path, headers, sent)
            if response.status != 200:  # noqa: PLR2004
                raise _refusal(response)
            return wire.json_object(response.body)
        except errors.AnswerLost as error:
            if once or method == "DELETE":
                raise
            raise errors.RemoteUnreachable(str(error), error.fix) from error  # it changes nothing


def place(memory_id: str, *below: str) -> str:
    """Return the path of a memory, or of something that belongs to it."""
    return "/".join([MEMORIES, quote(memory_id, safe=""), *below])


def _refusal(response: Response) -> errors.ClaudeMemoryError:
    problem = wire.decode_problem(response.body)
    code, said = problem.get("code"), str(problem.get("detail") or "The server refuses that.")
    fix = str(problem.get("fix") or "")
    if code == "not_found":
        return errors.NotFound(said, fix)
    if code in REFUSALS:
        return errors.BadInput(f"{said} Nothing was done.", fix)
    return remote.meaning(response)
