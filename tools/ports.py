"""Ports for programs that have to be told theirs before they listen."""

from __future__ import annotations

import random
import socket

# Below those that systems give out by themselves: such a one may belong to somebody's connection by
# the time the program listens.
GIVEN_TO_NOBODY = range(20_000, 32_768)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on, and that comes to nobody who names none."""
    while True:
        port = random.choice(GIVEN_TO_NOBODY)
        if is_free(port, host):
            return port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a program could listen there."""
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True
