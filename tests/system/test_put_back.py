"""A server whose folder is put back to an earlier state, with machines that had been further."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.hybrid import all_sent, key_of, machine, on_server
from tests.support.promises import promise
from tests.support.serving import Serving
from tests.support.waiting import PATIENCE, comes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

USER = "owner"


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[str]:
    """Run a server with its own PostgreSQL in a folder; give its address."""
    keys = json.dumps({USER: key_of(USER)})
    settings = {"MEMORY_DATA": str(folder), "API_KEYS": keys}
    program = Serving(settings, "--port", str(port))
    try:
        yield program.address()
    finally:
        program.stop()


@promise("server.rollback-is-noticed")
def test_folder_put_back_without_a_word_gets_everything_back(tmp_path: Path) -> None:
    """Nobody ran `rotate-epoch`: what was stored since, and while nobody served, is there again."""
    data, copy, key = tmp_path / "data", tmp_path / "copy", key_of(USER)
    texts = ["Stored before the copy.", "Stored after the copy.", "Stored while nobody served."]
    with serving(data) as url:
        port = int(url.rpartition(":")[2])
    with machine(tmp_path / "a", url, key) as one:
        with serving(data, port):
            one.done("memory_store", content=texts[0])
            comes(lambda: "\n".join(on_server(url, key)), texts[0])
        shutil.copytree(data, copy, symlinks=True)
        with serving(data, port):
            one.done("memory_store", content=texts[1])
            comes(lambda: "\n".join(on_server(url, key)), texts[1])
            comes(lambda: one.call("memory_status").text, "Sync: in step")
        shutil.rmtree(data)
        shutil.copytree(copy, data, symlinks=True)
        one.done("memory_store", content=texts[2])
        with serving(data, port):
            comes(lambda: "\n".join(on_server(url, key)), texts[1])
            comes(lambda: one.call("memory_status").text, "Queue: everything is sent")
            assert sorted(on_server(url, key)) == sorted(texts)
        listed = one.done("memory_list")
        assert [text for text in texts if text not in listed] == []


@promise("server.rollback-is-noticed")
def test_purge_that_was_lost_is_made_again(tmp_path: Path) -> None:
    """What comes back with an earlier state of the server is erased there, its history too."""
    data, copy, key = tmp_path / "data", tmp_path / "copy", key_of(USER)
    with serving(data) as url:
        port = int(url.rpartition(":")[2])
    with machine(tmp_path / "a", url, key) as one:
        with serving(data, port):
            one.done("memory_store", content="The plumbago door has a code.")
            comes(lambda: "\n".join(on_server(url, key)), "plumbago")
        shutil.copytree(data, copy, symlinks=True)
        with serving(data, port):
            one.done("memory_delete", id="#1", purge=True)
            all_sent(one)
        shutil.rmtree(data)
        shutil.copytree(copy, data, symlinks=True)
        with serving(data, port):
            assert len(on_server(url, key)) == 1
            one.done("memory_store", content="Stored since.")
            comes(lambda: "\n".join(on_server(url, key)), "Stored since.")
            comes(lambda: str(on_server(url, key)), "['Stored since.']")
            asked = {"Authorization": f"Bearer {key}"}
            kept = httpx.get(f"{url}/api/memories/1/history", headers=asked, timeout=PATIENCE)
            assert kept.status_code == 200
            assert "plumbago" not in kept.text
