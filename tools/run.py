"""What `./dev run` does: the server on this machine, proofs that it works, and what to do next.

The server runs on its private PostgreSQL and stays up until Ctrl-C; its data is kept between runs.
The plugin's own proof (tools.prove_plugin) comes first: it needs no server. Once the server is up,
two machines share memories through it (tools.prove_hybrid).
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from backend.folders import default_folder
from tools import prove_hybrid, prove_plugin
from tools.ports import free_port, is_free
from tools.prove_plugin import ROOT, show

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 120.0
STOP_SECONDS = 30.0
SIGNALLED = 128  # as shells count a program that a signal has ended
FACT = "The first memory of this server was stored by ./dev run, to show that it works."
QUESTION = "who stored the first memory"
ONCE_KEY = "dev-run"  # the same every time, so that the fact is stored once


def main() -> int:
    """Show the plugin and the server at work; keep the server until Ctrl-C."""
    asked = _asked()
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's `&` had it ignored
    if prove_plugin.prove() != 0:
        return 1
    with _server(asked.port) as (process, address):
        if not _is_ready(process, address):
            print("The server did not get ready; see above.", file=sys.stderr)
            return 1
        key = _key()
        headers = {"Authorization": f"Bearer {key}"}
        with _client(base_url=address, headers=headers, timeout=60) as client:
            if not _prove(client) or prove_hybrid.prove(address, key) != 0:
                return 1
        print(_next_steps(address, key), flush=True)
        if asked.once:
            return 0
        try:
            return process.wait()
        except KeyboardInterrupt:
            return 0


def _leave(number: int, _frame: object) -> None:
    """End by a signal as by Ctrl-C, so that the server and its PostgreSQL are stopped too."""
    sys.exit(SIGNALLED + number)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="default: 8000, or any free one")
    parser.add_argument("--once", action="store_true", help="stop after the proof")
    return parser.parse_args()


@contextmanager
def _server(port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the server as a process of its own, and stop it and its PostgreSQL at the end."""
    if port == 0 or not is_free(port):
        port = free_port()
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "-m", "backend", "serve", "--host", "127.0.0.1", "--port", str(port)]
    _folder().mkdir(parents=True, exist_ok=True)
    with (_folder() / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, start_new_session=True, stdout=log
        )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _folder() -> Path:
    """Return where the server keeps its data."""
    return Path(default_folder(os.environ.get("MEMORY_DATA", ""))).parent


def _is_ready(process: subprocess.Popen[bytes], address: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    with _client(base_url=address, timeout=2) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get("/readyz").status_code == httpx.codes.OK:
                    return True
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    return False


def _client(**options: Any) -> httpx.Client:
    """Return a client that asks no proxy: the server is on this machine."""
    return httpx.Client(trust_env=False, **options)


def _key() -> str:
    """Return the first key, which the server made on its first start."""
    own = os.environ.get("API_KEY", "")
    return own or (_folder() / "api-key").read_text("ascii").strip()


def _prove(client: httpx.Client) -> bool:
    """Store one memory over REST, once in the life of this server, and recall it."""
    before = client.get("/api/memories", params={"limit": 1}).raise_for_status().json()["memories"]
    stored = client.post(
        "/api/memories", json={"content": FACT}, headers={"Idempotency-Key": ONCE_KEY}
    )
    stored.raise_for_status()
    said = f"stored as #{stored.json()['id']}" + (" by an earlier run" if before else "")
    show(f'The server is told: "{FACT}"', said)
    answer = client.post("/api/memories/recall", json={"context": QUESTION}).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["memories"]
    show(f'and recalls "{QUESTION}":', "\n".join(one["content"] for one in found) or "nothing")
    if FACT not in {one["content"] for one in found}:
        print("\nThe memory did not come back. Please report this.", file=sys.stderr)
        return False
    return True


def _next_steps(address: str, key: str) -> str:
    return (
        f"\nIt works. The API is described at {address}/docs.\n"
        "Install the plugin in Claude Code:\n"
        f'    claude plugin install memory --marketplace "{ROOT}"\n'
        "or, from a git host:\n"
        "    claude plugin install memory --marketplace <owner>/<repo>\n"
        "Connect it, and every further machine of yours, to this server: put address and key into\n"
        "/plugin configure memory, or set\n"
        f"    export MEMORY_API_URL={address}\n"
        f"    export MEMORY_API_KEY={key}\n"
        "Then a new session syncs; /memory:status shows it. Or ask the server itself:\n"
        f'    curl -H "Authorization: Bearer $MEMORY_API_KEY" "$MEMORY_API_URL/api/memories"\n'
        f"Ctrl-C stops the server; its data and its log stay in {_folder()}."
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # in the middle of the proof
        sys.exit(SIGNALLED + signal.SIGINT)
