"""Where the server is: an address read into its parts; no key may travel to it in clear."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from claude_memory.errors import SettingWrong

NAME = "MEMORY_API_URL"
ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]?#%]+)"
    r"(?::(?P<port>\d{1,5}))?(?P<prefix>(?:/[\w.~%!$&'()*+,;=:@-]+)*)/*",
    re.ASCII | re.IGNORECASE,
)
PLACE = f"the server address ({NAME})"  # its option is called "Server address"
EXAMPLE = (
    "Write it as https://HOST or https://HOST:PORT/PATH, there or as 'Server address' in "
    "/plugin configure memory."
)


class Address(NamedTuple):
    """A server's address; `prefix` is empty or begins with a slash and ends without."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def is_secure(self) -> bool:
        """Tell whether what is sent there is encrypted."""
        return self.scheme == "https"

    @property
    def is_here(self) -> bool:
        """Tell whether it is on this machine."""
        return is_loopback(self.host)


def read(url: str) -> Address:
    """Read the address that the settings name.

    Raises:
        SettingWrong: it is none, or one to which a key must not be sent.
    """
    if not url:
        message = f"{NAME} is not set."
        raise SettingWrong(message, EXAMPLE)
    found = ADDRESS.fullmatch(url.strip())
    if found is None or not is_place(found["host"], found["port"]):
        message = f"{NAME} is no address of a server."
        raise SettingWrong(message, EXAMPLE)
    scheme, host = found["scheme"].lower(), found["host"].strip("[]")
    port = int(found["port"] or (443 if scheme == "https" else 80))
    address = Address(scheme, host, port, found["prefix"])
    if not address.is_secure and not address.is_here:
        message = f"{NAME} would send the key and the memories unencrypted to {host}."
        fix = f"Set {NAME} to https://{host}; http:// is for a server on this machine only."
        raise SettingWrong(message, fix)
    return address


def is_place(host: str, port: str | None) -> bool:
    """Tell whether a host and a port may be asked for at all, whether or not they are there."""
    try:
        host.encode("idna")  # as the system does: no part may be empty, nor too long
    except UnicodeError:
        return False
    return int(port or 1) in range(1, 65_536)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by name or by number."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
