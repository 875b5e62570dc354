"""What this server is called by those who call it, and from which pages a browser may do so.

A page of a stranger can let a browser call a server on its own machine or network, under a name
that the stranger owns. The header Host then has that name, and the header Origin that page.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.errors import WrongHost, WrongOrigin

METADATA = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True)
class Site:
    """The server as one request found it."""

    scheme: str
    host: str  # with its port, as the header has it
    public_url: str = ""  # what the operator says it is called
    is_local: bool = False  # reached over the loopback interface

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return self.public_url or f"{self.scheme}://{self.host}"

    @property
    def challenge(self) -> str:
        """Return how a caller without a key learns where to get one (RFC 9728)."""
        return f'Bearer resource_metadata="{self.url}{METADATA}/mcp"'

    def check(self, origin: str | None) -> None:
        """Let pass who calls the server by its name, from no page or from one of its own.

        Raises:
            WrongHost, WrongOrigin: it is otherwise.
        """
        name = _name(self.host)
        known = name == _name(_authority(self.public_url)) or is_loopback(name)
        if not name or not (known or (not self.public_url and not self.is_local)):
            raise WrongHost
        if origin is None:
            return
        page = _authority(origin)
        is_own = page != "" and page in {self.host, _authority(self.url)}
        if not is_own and not (is_loopback(name) and is_loopback(_name(page))):
            raise WrongOrigin


def is_loopback(name: str) -> bool:
    """Tell whether a name, or the address of a socket, is one of this machine alone."""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """Return a host without its port, in small letters; nothing if it is none."""
    try:
        parts = urlsplit(f"//{host}")
    except ValueError:
        return ""
    is_host_alone = parts.netloc == host and "@" not in host
    return (parts.hostname or "").rstrip(".") if is_host_alone else ""


def _authority(url: str) -> str:
    """Return the host and port of an address; nothing if it has none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
