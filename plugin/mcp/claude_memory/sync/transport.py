"""The seam to the network: one request, one answer. What an answer means is `remote`'s to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Response(NamedTuple):
    """An answer as it came: header names are lower-case, the body is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Carries requests to one server."""

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """Send a request and return the answer, whatever its status.

        Raises:
            RemoteUnreachable: no whole answer came, or a redirect, which is not followed.
            AnswerLost: the same, and the request may have arrived.
        """

    def close(self) -> None:
        """Let go of the connection; a later request opens another, a running one fails."""
