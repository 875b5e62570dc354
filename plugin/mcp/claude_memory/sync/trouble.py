"""What went wrong on the way to the server, as a sentence with its fix; it never quotes the key."""

from __future__ import annotations

import http.client
import socket
import ssl
import zlib
from typing import TYPE_CHECKING

from claude_memory.errors import AnswerLost, RemoteUnreachable, SettingWrong
from claude_memory.sync.address import ADDRESS, PLACE
from claude_memory.sync.connecting import login_fix

if TYPE_CHECKING:
    from claude_memory.sync.address import Address
    from claude_memory.sync.connecting import Route

CHECK = f"Check the network and {PLACE}."
UNTRUSTED = (
    "Name the PEM file of the authority that signed it in SSL_CERT_FILE; behind a company's proxy "
    "that is the company's own. The check cannot be turned off."
)
PORTAL = f"Log in to the network if it asks for that, or correct {PLACE}."


class TooMuchError(Exception):
    """The answer is larger than any of ours."""


def closed_here(*, was_sent: bool) -> RemoteUnreachable:
    """Return the error of a request that was ended by a close of this side."""
    kind = AnswerLost if was_sent else RemoteUnreachable
    return kind("The connection was closed here before an answer came.")


def explained(error: Exception, route: Route, *, was_sent: bool) -> RemoteUnreachable:
    """Return what an error means, without quoting it: it may hold the key."""
    if isinstance(error, RemoteUnreachable):
        return error
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        fix = "Set it again, without line breaks and in plain letters."
        return SettingWrong("MEMORY_API_KEY holds a character that no request can carry.", fix)
    message, fix = _told(error, route)
    return (AnswerLost if was_sent else RemoteUnreachable)(message, fix)


def _told(error: Exception, route: Route) -> tuple[str, str]:
    host = f"{route.address.host}:{route.address.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} is not trusted: {error.verify_message}.", UNTRUSTED
    if isinstance(error, ssl.SSLError):
        return f"{host} does not speak TLS as it should.", f"Check {PLACE} and its port."
    if isinstance(error, OSError):
        return _told_by_system(error, route, host)
    if isinstance(error, TooMuchError):
        return f"The answer of {host} is larger than any of a claude-memory server.", CHECK
    if isinstance(error, zlib.error):
        return f"The answer of {host} cannot be unpacked.", CHECK
    if isinstance(error, http.client.IncompleteRead):
        return f"The answer of {host} broke off.", CHECK
    return f"What answers at {host} does not speak HTTP ({type(error).__name__}).", CHECK


def _told_by_system(error: OSError, route: Route, host: str) -> tuple[str, str]:
    if route.proxy is not None:
        host += f" through the proxy {route.proxy.host}:{route.proxy.port}"
    if isinstance(error, socket.gaierror):
        return f"The name in {host} is not known here.", CHECK
    if isinstance(error, (TimeoutError, socket.timeout)):  # one and the same only since 3.10
        return f"{host} did not answer in time.", CHECK
    if isinstance(error, http.client.RemoteDisconnected):
        return f"{host} closed the connection without an answer.", CHECK
    return f"{host} cannot be reached: {error.strerror or type(error).__name__}.", CHECK


def redirected(status: int, location: str, address: Address) -> RemoteUnreachable:
    """Return the error for a redirect, which is not followed: the key is for one server only."""
    found = ADDRESS.match(location.strip())
    if found is None or found["host"].lower() == address.host.lower():
        scheme = found["scheme"].lower() if found else address.scheme
        if scheme != address.scheme:
            fix = f"Write {PLACE} with {scheme}://."
            return RemoteUnreachable(f"The server sends on to its {scheme} address.", fix)
        message = f"The server sends on to another address of its own ({status})."
        return RemoteUnreachable(message, f"Correct the path in {PLACE}.")
    message = (
        f"Instead of the server's answer there came a way to {found['host'][:200]} ({status})."
    )
    return RemoteUnreachable(message, PORTAL)


def login_wanted(variable: str) -> RemoteUnreachable:
    """Return the error for a 407 that came in the place of an answer."""
    return RemoteUnreachable("A proxy on the way wants a login.", login_fix(variable))
