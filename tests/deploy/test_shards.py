"""The server's statements stay on one shard: the contract's tests on tables in partitions."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.partitions import ROOT, TABLES, noted
from tests.support.postgres import LOGIN

if TYPE_CHECKING:
    from pathlib import Path

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
    command += ["-k", "not refills"]  # that one is about time, which writing all plans down costs
    command += [f"--basetemp={tmp_path / 'run'}", f"--partitioned={plans}"]
    names = [f"tests/backend/api/{name}.py" for name in CONTRACT]
    done = subprocess.run([*command, *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 100
    statements = [one for one in noted(plans) if one.user == LOGIN]
    assert {table for one in statements for table in one.tables} == set(TABLES)
    assert len({one.text for one in statements}) > 40
    wide = {one.text for one in statements if len(one.partitions) > 1}
    assert wide == set()
