"""The OpenAPI document, read by a fuzzer: what it sends is answered as the document says."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from backend.app import create_app
from backend.settings import Settings
from backend.telemetry import Telemetry
from tests.support.api import ENCRYPTION_KEY, KEYS, PLENTY
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).with_name("st")
EXAMPLES = "5"  # for each operation, besides the edges of every value


@pytest.fixture
def address(app_url: str, tmp_path: Path) -> Iterator[str]:
    """Serve the app on a port, from a thread."""
    settings = Settings(
        database_url=app_url,
        migrate="off",
        keys=KEYS,
        encryption_key=ENCRYPTION_KEY,
        rate=PLENTY,
        burst=PLENTY,
    )
    with (tmp_path / "log").open("w") as log:
        app = create_app(settings, telemetry=Telemetry(log))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)  # until it listens
        (listener,) = server.servers[0].sockets
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@promise("server.documented-answers")
def test_answers_are_as_documented(address: str, tmp_path: Path) -> None:
    """Statuses, types and schemas of answers, for good and for bad requests alike."""
    command = [
        *(str(PROGRAM), "run", f"{address}/openapi.json", "--no-color", "--seed", "1"),
        *("--header", f"Authorization: Bearer {KEYS['alice']}", "--phases", "coverage,fuzzing"),
        *("--max-examples", EXAMPLES, "--suppress-health-check", "all"),
        # A cursor is opaque: no schema can say which ones are good.
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-30_000:] + done.stderr[-1_000:]
    assert "Tested: 24" in done.stdout
    assert '"defect"' not in (tmp_path / "log").read_text()
