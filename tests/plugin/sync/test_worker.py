"""The thread that syncs: when it goes on, and when it gives up."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest
from claude_memory.store.bindings import fingerprint
from claude_memory.sync.http_transport import HttpTransport
from claude_memory.sync.worker import Worker

from tests.support.desk import Desk
from tests.support.hook_calls import asked, context_in
from tests.support.line import SERVER, engine
from tests.support.scripted_server import ScriptedServer, reply, saying
from tests.support.stdio_peer import HANG

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = SERVER["MEMORY_API_URL"]
ADDRESS_WANTED = (
    "MEMORY_API_URL is no address of a server. Write it as https://HOST or https://HOST:PORT/PATH, "
    "there or as 'Server address' in /plugin configure memory."
)


def gives_up(desk: Desk, failed: list[Exception], **environ: str) -> bool:
    """Start the worker of a session as the server does, at work at once; tell whether it ends."""
    transport = HttpTransport(desk.settings.api_url, environ)
    key = fingerprint(desk.settings.api_url, desk.settings.api_key)
    worker = Worker(
        lambda: engine(desk, transport, key),
        desk.place,
        transport.close,
        60.0,
        random.Random(1),  # noqa: S311  (repeatable)
        now=desk.tick,
        on_failure=lambda _where, error: failed.append(error),
    )
    before = set(threading.enumerate())
    worker.wake()
    worker.start()
    mine = [one for one in set(threading.enumerate()) - before if one.name == "sync"]
    for thread in mine:  # none, if it was that fast
        thread.join(HANG)
    return not any(thread.is_alive() for thread in mine)


@pytest.mark.parametrize(
    ("url", "environ", "told"),
    [
        ("memory dot com", {}, "MEMORY_API_URL is no address of a server. Write it as https://"),
        ("https://memory..com", {}, ADDRESS_WANTED),
        ("http://memory.example.com", {}, "MEMORY_API_URL would send the key and the"),
        (RIGHT, {"HTTPS_PROXY": "socks5://proxy"}, "HTTPS_PROXY names a kind of proxy that"),
    ],
)
def test_setting_that_leads_nowhere_is_told_and_not_tried_again(
    tmp_path: Path, url: str, environ: dict[str, str], told: str
) -> None:
    """Nothing mends it but another setting: no status and no greeting promises more."""
    here = {**SERVER, "MEMORY_API_URL": url}
    desk = Desk(tmp_path, **here)
    failed: list[Exception] = []
    desk.store("One")

    assert gives_up(desk, failed, **environ)
    said = desk.call("memory_status")
    assert "Sync: stopped until a setting is corrected; no success yet" in said
    assert f"  Sync: {told}" in said
    event = {"event": "SessionStart", "source": "startup", "session_id": "next"}
    greeting = asked(event, context_in(tmp_path, desk.connection, here, now=desk.clock))
    assert f"does not sync yet: {told.partition(' Write')[0]}" in greeting["systemMessage"]
    assert failed == []


def test_key_that_no_request_can_carry_is_told_and_not_tried_again(tmp_path: Path) -> None:
    """Although something answers there."""
    with ScriptedServer(saying(reply(200, b"{}"))) as server:
        here = {"MEMORY_API_URL": server.url, "MEMORY_API_KEY": "a key\nof two lines"}
        desk = Desk(tmp_path, **here)
        desk.store("One")
        assert gives_up(desk, [])
        assert server.visits == []
    said = desk.call("memory_status")
    assert "Sync: stopped until a setting is corrected; no success yet" in said
    assert "MEMORY_API_KEY holds a character that no request can carry." in said
