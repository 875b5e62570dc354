"""The server's statements stay on one shard: the contract's tests on tables in partitions."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.partitions import ROOT, TABLES, noted
from tests.support.postgres import LOGIN

CONTRACT = (
    *("test_memories", "test_sync", "test_transfer", "test_keys", "test_secrets"),
    *("test_isolation", "test_seed", "test_health"),
)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_every_statement_touches_one_partition(tmp_path: Path) -> None:
    """The contract holds on partitioned tables, and no statement looks into two partitions."""
    plans = tmp_path / "plans.log"
    tmp_path.chmod(0o777)  # PostgreSQL runs as another user than root
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # The one is about time, which writing all plans down costs; the other reads the log that then
    # lies elsewhere.
    command += ["-k", "not refills and not log_of_postgresql"]
    with tempfile.TemporaryDirectory(prefix="s-") as short:  # sockets in it have 107 bytes at most
        Path(short).chmod(0o755)
        names = [f"tests/backend/api/{name}.py" for name in CONTRACT]
        command += [f"--basetemp={short}/run", f"--partitioned={plans}", *names]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 100
    statements = [one for one in noted(plans) if one.user == LOGIN]
    assert {table for one in statements for table in one.tables} == set(TABLES)
    assert len({one.text for one in statements}) > 40
    wide = {one.text for one in statements if len(one.partitions) > 1}
    assert wide == set()
