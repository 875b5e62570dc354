"""Nothing is lost, doubled or brought back while clients, server and database are killed."""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING

import pytest

from tests.support import chaos
from tests.support.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.heavy, pytest.mark.once, pytest.mark.timeout(900)]
SECONDS = 60.0


@promise("sync.survives-everything-killed")
def test_minute_of_kills_breaks_no_promise(tmp_path: Path) -> None:
    """Five sessions, four folders, two users: in the end all hold the same, and all of it."""
    seed = SystemRandom().getrandbits(32)
    print(f"seed {seed}")  # shown where it fails
    found = chaos.run(tmp_path, SECONDS, seed, print)
    assert found.broken == [], f"seed {seed}: {found}"
    assert found.calls > 50, f"seed {seed}: {found}"
    assert all(found.kills[kind] for kind in ("client", "worker")), f"seed {seed}: {found}"
