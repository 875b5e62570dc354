"""A network of its own, whose only way out is a cable to one server that can really be cut.

Processes inside have no other network than a loopback interface. Down, it has no address: nothing
can be reached at all. Up, what listens there leads to the server outside: the listening socket is
made inside and handed out to the process that forwards.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from tests.support.cable import Cable

if TYPE_CHECKING:
    from collections.abc import Sequence

HOLDER = """
import socket, subprocess, sys
link = socket.socket(fileno=int(sys.argv[1]))
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 0))
socket.send_fds(link, [b"x"], [listener.fileno()])
for line in sys.stdin:
    subprocess.run(["ip", "link", "set", "lo", line.strip()], check=True)
    print("done", flush=True)
"""


class Island:
    """Where sessions run that a test cuts off; it needs Linux and user namespaces."""

    def __init__(self, host: str, port: int) -> None:
        """Make the network; the cable to the server is in."""
        for program in ("unshare", "nsenter", "ip"):
            assert shutil.which(program), f"{program} is missing: apt install util-linux iproute2"
        ours, theirs = socket.socketpair()
        with ours, theirs:
            apart = ["unshare", "--user", "--map-root-user", "--net"]
            self._holder = subprocess.Popen(
                [*apart, sys.executable, "-c", HOLDER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            theirs.close()
            _, handed, _, _ = socket.recv_fds(ours, 1, 1)
        assert handed, "the network could not be made: are user namespaces allowed?"
        self.cable = Cable(host, port, socket.socket(fileno=handed[0]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cable.__exit__(None, None, None)
        assert self._holder.stdin
        assert self._holder.stdout
        self._holder.stdin.close()
        self._holder.wait(30)
        self._holder.stdout.close()

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs a program in that network."""
        entering = ["nsenter", "--target", str(self._holder.pid), "--user", "--net"]
        return [*entering, "--preserve-credentials", "--", *command]

    def cut(self) -> None:
        """Take the network away."""
        self._set("down")

    def join(self) -> None:
        """Give the network back."""
        self._set("up")

    def _set(self, state: str) -> None:
        assert self._holder.stdin
        assert self._holder.stdout
        self._holder.stdin.write(f"{state}\n")
        self._holder.stdin.flush()
        assert self._holder.stdout.readline() == "done\n"
