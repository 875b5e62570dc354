"""The official SDK's lines and modes, each able to play a journey."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import components

if TYPE_CHECKING:
    from collections.abc import Callable

    Play = Callable[..., Any]

PROGRAM = Path(__file__).with_name("sdk_client.py")
HANG = 120.0  # seconds; a guard against hanging, not a promise


@pytest.fixture(
    params=[
        "2.x auto",
        "2.x legacy",
        pytest.param("1.x legacy", marks=pytest.mark.heavy),
    ]
)
def play(request: pytest.FixtureRequest) -> Play:
    """Return a function that plays a plan with one line and mode, and returns what it saw."""
    line, mode = request.param.split()
    python = components.mcp_line_one_python() if line == "1.x" else Path(sys.executable)

    def play_plan(**plan: object) -> Any:  # noqa: ANN401  (a JSON boundary)
        done = subprocess.run(
            [str(python), str(PROGRAM)],
            input=json.dumps({"mode": mode, **plan}),
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return play_plan
