"""A way to PostgreSQL that can be cut just after a commit, and that can forget connections."""

from __future__ import annotations

import contextlib
import re
import socket
import tempfile
import threading
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

CHUNK = 65_536
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # as a message of its own, which only writers send


class SeveredWay:
    """Carries connections to a server's socket; while it is armed, no answer to a COMMIT comes.

    Connections that it forgets stay open: what is asked arrives, and no answer ever comes.
    """

    def __init__(self, url: str) -> None:
        """Listen in a folder of its own, whose path is short; `url` is that of the server."""
        self._folder = tempfile.TemporaryDirectory(prefix="way-")
        told = conninfo_to_dict(url)
        name = f".s.PGSQL.{told.get('port', 5432)}"
        self._target = str(Path(str(told["host"])) / name)
        self.url = re.sub(r"host=[^&]+", f"host={self._folder.name}", url)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(Path(self._folder.name) / name))
        self._listener.listen()
        self.is_armed = False
        self.cut = 0
        self._forgotten = 0  # times

    def __enter__(self) -> SeveredWay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._folder.cleanup()

    def forget(self) -> None:
        """Bring no answer any more on the connections of now; new ones are well."""
        self._forgotten += 1

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._target)
        doomed = threading.Event()
        back = threading.Thread(target=self._bring, args=(server, client, doomed), daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                if self.is_armed and data == COMMIT:
                    doomed.set()
                server.sendall(data)
        for one in (server, client):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        back.join()
        server.close()
        client.close()

    def _bring(self, server: socket.socket, client: socket.socket, doomed: threading.Event) -> None:
        """Bring answers, until one says that a doomed transaction was committed."""
        times = self._forgotten
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK):
                if times != self._forgotten:
                    continue
                if doomed.is_set():
                    self.cut += 1
                    break
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
