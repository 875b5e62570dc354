"""Which proxy leads to the server: HTTPS_PROXY, else HTTP_PROXY, unless NO_PROXY names the host.

As the client around this plugin reads them. What is on this machine is reached without one.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from claude_memory.errors import SettingWrong
from claude_memory.sync.address import is_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_memory.sync.address import Address

NAMES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
EXCEPTIONS = ("no_proxy", "NO_PROXY")
PROXY = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?:(?P<login>[^\s/]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]?#]+)(?::(?P<port>\d{1,5}))?/*",
    re.IGNORECASE,
)
EXAMPLE = "Write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT."


class Proxy(NamedTuple):
    """A proxy and the credentials it asks for, as a header carries them; empty for none."""

    host: str
    port: int
    login: str
    variable: str

    def __repr__(self) -> str:
        """Show where it is, never the credentials."""
        return f"Proxy({self.host}:{self.port})"


def choose(environ: Mapping[str, str], address: Address) -> Proxy | None:
    """Return the proxy through which to reach an address, if there is one.

    Raises:
        SettingWrong: the setting cannot be used.
    """
    name = next((name for name in NAMES if environ.get(name, "").strip()), "")
    exceptions = next((environ[name] for name in EXCEPTIONS if environ.get(name)), "")
    if not name or address.is_here or _is_excepted(address, exceptions):
        return None
    found = PROXY.fullmatch(environ[name].strip())
    if found is None or not is_place(found["host"], found["port"]):
        raise SettingWrong(f"{name} is no address of a proxy.", EXAMPLE)
    if (found["scheme"] or "http").lower() != "http":
        raise SettingWrong(f"{name} names a kind of proxy that is not spoken here.", EXAMPLE)
    port = int(found["port"] or 80)
    return Proxy(found["host"].strip("[]"), port, _credentials(found["login"]), name)


def _credentials(login: str | None) -> str:
    if not login:
        return ""
    import base64
    from urllib.parse import unquote

    user, _, password = login.partition(":")
    plain = f"{unquote(user)}:{unquote(password)}"
    return base64.b64encode(plain.encode()).decode()


def _is_excepted(address: Address, exceptions: str) -> bool:
    return any(_fits(one, address) for one in re.split(r"[\s,]+", exceptions.lower()) if one)


def _fits(exception: str, address: Address) -> bool:
    """Match `*`, a network, or a domain with or without a leading dot, and maybe a port."""
    if exception == "*":
        return True
    host = address.host.lower()
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(exception, strict=False)
    except ValueError:
        pass  # one of the two is a name
    named, _, port = exception.partition(":") if exception.count(":") == 1 else (exception, "", "")
    domain = named.strip("[]").removeprefix("*").lstrip(".")
    fits = host == domain or host.endswith("." + domain)
    return fits and port in {"", str(address.port)}
