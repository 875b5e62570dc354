"""The same tables, partitioned by the hash of the account, and which partitions a statement read.

What a database that is spread over many machines would do with the server's statements shows here
on one: PostgreSQL's own plans say which partitions were really looked at.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TABLES = ("account_epochs", "audit", "history", "memories", "ops", "rate_limits")
NUMBER = 4
CREATED = re.compile(
    rf"^(CREATE TABLE ({'|'.join(TABLES)}) \(\n.*?\n\));$", re.MULTILINE | re.DOTALL
)
PARTITION = re.compile(rf"^(?:{'|'.join(TABLES)})_(\d)$")
MARK = "noted"
ENTRY = re.compile(
    rf"^{MARK} (?P<user>\w+) LOG:  duration: [\d.]+ ms  plan:\n(?P<plan>(?:\t.*\n?)+)", re.MULTILINE
)


class Noted(NamedTuple):
    """One statement that was run: who ran it, what it was, and the partitions it touched."""

    user: str
    text: str
    tables: frozenset[str]
    partitions: frozenset[str]


def noted_in(file: str) -> tuple[str, ...]:
    """Return the options of a server that writes every plan into a file."""
    path = Path(file)
    return (
        "session_preload_libraries=auto_explain",
        "auto_explain.log_min_duration=0",
        "auto_explain.log_format=json",
        "auto_explain.log_nested_statements=on",
        "auto_explain.log_analyze=on",
        "auto_explain.log_timing=off",
        f"log_line_prefix={MARK} %u ",
        "logging_collector=on",
        f"log_directory={path.parent}",
        f"log_filename={path.name}",
        "log_file_mode=0666",
    )


def migrate(url: str, folder: Path) -> None:
    """Run a copy of the migrations in which the tables of tenants are partitioned."""
    for name in ("backend", "migrations"):
        shutil.copytree(ROOT / name, folder / name)
    tables = folder / "migrations" / "sql" / "0001" / "tables.sql"
    text, count = CREATED.subn(_partitioned, tables.read_text("utf-8"))
    assert count == len(TABLES)
    tables.write_text(text, "utf-8")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "DATABASE_URL": url}
    command = [sys.executable, "-m", "backend", "migrate"]
    subprocess.run(command, cwd=folder, env=environ, check=True)


def _partitioned(found: re.Match[str]) -> str:
    """Write one table as a partitioned one; row-level security holds on its parts as well."""
    name = found[2]
    lines = [f"{found[1]} PARTITION BY HASH (account_id);"]
    for number in range(NUMBER):
        part = f"{name}_{number}"
        share = f"MODULUS {NUMBER}, REMAINDER {number}"
        lines += [
            f"CREATE TABLE {part} PARTITION OF {name} FOR VALUES WITH ({share});",
            f"ALTER TABLE {part} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
        ]
    return "\n".join(lines)


def noted(log: Path) -> Iterator[Noted]:
    """Yield every statement on partitioned tables that a log tells of."""
    for entry in ENTRY.finditer(log.read_text("utf-8", "replace")):
        plan = json.loads(entry["plan"])
        nodes = [node for node in _below(plan["Plan"]) if node.get("Actual Loops", 0)]
        names = {str(node.get("Relation Name", "")) for node in nodes}
        parts = {found[1] for found in map(PARTITION.match, names) if found}
        tables = {re.sub(r"_\d$", "", name) for name in names} & set(TABLES)
        if tables:
            yield Noted(entry["user"], plan["Query Text"], frozenset(tables), frozenset(parts))


def _below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _below(child)
