"""The server as the client sees it: its three calls, and what each of its answers means."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from claude_memory import errors
from claude_memory.sync import wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from claude_memory.sync.transport import Response, Transport

PAGE_ROWS = 500
LONGEST_WAIT = 3_600.0  # seconds that a server may ask to wait
SHORTEST_WAIT = 1.0
OK = 200


class Remote:
    """One server, spoken to with one key."""

    def __init__(self, transport: Transport, key: str, agent: str = "claude-memory") -> None:
        """Keep how to reach the server and what to show it."""
        self._transport = transport
        self._headers = {
            "authorization": f"Bearer {key}",
            "x-memory-protocol": str(wire.PROTOCOL),
            "accept": "application/json",
            "user-agent": agent,
        }

    def hello(self) -> wire.Hello:
        """Ask who the server is and which account the key belongs to.

        Raises:
            RemoteError: one of its kinds.
        """
        answer = self._ask("GET", "/api/sync/hello", {})
        clock = _seconds_since_1970(answer.headers.get("date", ""))
        found = wire.decode_hello(answer.body)._replace(clock=clock)
        if not found.lowest <= wire.PROTOCOL <= found.highest:
            message = (
                f"The server speaks protocol {found.lowest} to {found.highest}, "
                f"this plugin {wire.PROTOCOL}."
            )
            raise errors.UpgradeNeeded(message)
        return found

    def push(
        self, account: str, epoch: str, ops: Sequence[wire.Op], cursor: str = ""
    ) -> tuple[wire.Result, ...]:
        """Send operations; return what became of each, and of no other.

        The cursor tells the server how far it has been, in case it was put back since.

        Raises:
            RemoteError: one of its kinds; whether they were applied is not known.
        """
        names = _names(account, epoch, cursor)
        answer = self._ask("POST", "/api/memories/sync", names, wire.encode_push(ops))
        return wire.decode_push(answer.body, ops)

    def pull(self, account: str, epoch: str, cursor: str) -> wire.Page:
        """Return the page after a cursor; without one, the first of a full dump.

        Raises:
            RemoteError: one of its kinds.
        """
        asked = {"limit": str(PAGE_ROWS), **({"cursor": cursor} if cursor else {})}
        path = f"/api/memories/sync?{urlencode(asked)}"
        return wire.decode_page(self._ask("GET", path, _names(account, epoch)).body)

    def secret(self, uid: str) -> str:
        """Return the clear text of a sensitive memory.

        Raises:
            RemoteError: one of its kinds.
        """
        response = self._send("POST", f"/api/memories/{uid}/secret", {})
        problem = wire.decode_problem(response.body)
        if response.status != OK and problem.get("code") in OF_A_SECRET:
            raise errors.SecretRefused(str(problem.get("detail")), str(problem.get("fix") or ""))
        return wire.decode_secret(_answered(response).body)

    def close(self) -> None:
        """Let go of the connection; a running call fails."""
        self._transport.close()

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        return _answered(self._send(method, path, headers, body))

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        kind = {} if body is None else {"content-type": "application/json"}
        return self._transport.request(method, path, {**self._headers, **headers, **kind}, body)


def _answered(response: Response) -> Response:
    if response.status != OK:
        raise meaning(response)
    return response


def _names(account: str, epoch: str, cursor: str = "") -> dict[str, str]:
    named = {"x-memory-account": account, "x-memory-epoch": epoch, "x-memory-cursor": cursor}
    return {name: value for name, value in named.items() if value}


# What a problem's code means, whatever its status; the answer of a proxy has none of them.
BY_CODE = {
    "account_mismatch": errors.AccountMismatch,
    "cursor_expired": errors.CursorExpired,
    "outcome_unknown": errors.AnswerLost,
    "scope_missing": errors.ScopeMissing,
    "upgrade_needed": errors.UpgradeNeeded,
}
OF_A_SECRET = ("secret_lost", "no_keeper", "not_found")  # which is asked for by itself
BY_STATUS = {
    401: errors.KeyRefused,
    403: errors.KeyRefused,
    413: errors.RequestTooLarge,
    422: errors.RequestRefused,
    426: errors.UpgradeNeeded,
}
BUSY = (429, 503)
FORWARDED = (range(200, 300), range(500, 600))  # what a proxy says that may have passed it on


def meaning(response: Response) -> errors.RemoteError:
    """Return the error that an answer other than 200 stands for."""
    problem = wire.decode_problem(response.body)
    said = str(problem.get("detail") or f"The server answered {response.status}.")
    code = str(problem.get("code", ""))
    epoch, lost_after = problem.get("epoch"), problem.get("lost_after")
    if code == "epoch_changed" and isinstance(epoch, str) and isinstance(lost_after, int):
        return errors.EpochChanged(said, epoch, lost_after)
    if code in BY_CODE:
        return BY_CODE[code](said)
    wait = _seconds(response.headers.get("retry-after", ""))
    if response.status in BUSY and wait is not None:
        return errors.RemoteBusy(said, wait)
    if response.status in BY_STATUS:
        return BY_STATUS[response.status](said)
    if not code and any(response.status in some for some in FORWARDED):
        return errors.AnswerLost(said)
    return errors.RemoteUnreachable(said)


def _seconds_since_1970(date: str) -> float:
    """Read the Date header of an answer; 0 where there is none that can be read."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0


def _seconds(text: str) -> float | None:
    try:
        return min(LONGEST_WAIT, max(SHORTEST_WAIT, float(text)))
    except ValueError:
        return None
