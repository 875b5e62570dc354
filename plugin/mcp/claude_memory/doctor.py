"""Looks at everything claude-memory depends on; each finding names its fix. Changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.errors import ClaudeMemoryError, StoreDamaged
from claude_memory.keeper import choice
from claude_memory.service import secrets, syncing
from claude_memory.store import (
    bindings,
    failures,
    memories,
    network,
    ownership,
    schema,
    waiting,
)
from claude_memory.store.connection import open_reader
from claude_memory.store.lines import counted
from claude_memory.store.trouble import explain
from claude_memory.sync import standing, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from claude_memory.service.place import Place
    from claude_memory.settings import Settings
    from claude_memory.sync.wire import Hello

WAITING = "the memory server sets it up when it starts next"
DAMAGED = "Restart Claude Code: the file is set aside and all that can be read is saved."
WRITABLE = "Make it writable for your user, or set MEMORY_HOME to a folder that is."
ROOM = 100 * 1_048_576  # bytes of free disk below which to warn


@dataclass(frozen=True)
class Finding:
    """One check: `ok`, `warn` (works, but look) or `fail`, what was seen, and the fix."""

    name: str
    status: str
    detail: str
    fix: str = ""


WITHOUT_STORE = ("python", "settings", "server", "hooks")  # what HTTP-only mode depends on


def examine(
    settings: Settings, place: Place, version: str, hello: Callable[[], Hello]
) -> list[Finding]:
    """Run every check, in the order of what depends on what."""
    mine = bindings.used(settings.api_url, settings.api_key, settings.session_key)
    database = bindings.of(settings.home, mine)
    checks: dict[str, Callable[[], Finding]] = {
        "python": lambda: _python(version),
        "sqlite": _search,
        "settings": lambda: _settings(settings),
        "server": lambda: _server(settings, hello, place.now()),
        "folder": lambda: _folder(settings.home),
        "database": lambda: _database(database),
        "index": lambda: _index(database),
        "file system": lambda: _file_system(database),
        "sync": lambda: _sync(settings, database),
        "other files": lambda: _other_files(database),
        "secrets": lambda: _keeper(settings, database),
        "learning": lambda: _judge(settings),
        "hooks": lambda: _failures(settings.home),
    }
    names = WITHOUT_STORE if settings.is_direct else tuple(checks)
    return [_guarded(name, checks[name]) for name in names]


def as_text(findings: list[Finding]) -> str:
    """Write the findings for a person."""
    marks = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
    lines = []
    for one in findings:
        lines.append(f"{marks[one.status]}  {one.name}: {one.detail}")
        if one.fix:
            lines.append(f"      -> {one.fix}")
    return "\n".join(lines)


def as_json(findings: list[Finding]) -> str:
    """Write the findings for a program: `ok` is false when a check failed."""
    ok = all(one.status != "fail" for one in findings)
    return json.dumps({"ok": ok, "checks": [asdict(one) for one in findings]}, indent=2)


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except (ClaudeMemoryError, sqlite3.Error, OSError) as error:
        found = error if isinstance(error, ClaudeMemoryError) else explain(error)
        fix = DAMAGED if isinstance(found, StoreDamaged) else found.fix
        return Finding(name, "fail", str(found), fix)


def _python(version: str) -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "ok", f"claude-memory {version} on Python {seen} ({sys.executable})")


def _search() -> Finding:
    memory = sqlite3.connect(":memory:")
    try:
        memory.execute("CREATE VIRTUAL TABLE probe USING fts5 (text, tokenize='porter unicode61')")
    except sqlite3.OperationalError as error:
        fix = "Use a python3 whose sqlite3 has FTS5 (python.org, Homebrew and Debian have it)."
        return Finding("sqlite", "fail", f"SQLite {sqlite3.sqlite_version}: {error}", fix)
    finally:
        memory.close()
    return Finding("sqlite", "ok", f"SQLite {sqlite3.sqlite_version} with full-text search")


def _settings(settings: Settings) -> Finding:
    if settings.complaints:
        fix = "Correct or remove these variables."
        return Finding("settings", "warn", " ".join(settings.complaints), fix)
    learn = "off" if settings.is_direct else settings.learn
    return Finding("settings", "ok", f"{settings.mode}, learning {learn}")


def _server(settings: Settings, hello: Callable[[], Hello], now: datetime) -> Finding:
    if settings.session_key:
        fix = (
            "To have it asked, set MEMORY_API_URL and MEMORY_API_KEY here too; else /memory:status."
        )
        return Finding("server", "warn", syncing.OF_SESSIONS, fix)
    if not settings.api_key:
        return Finding("server", "ok", "none: no key is set")
    found = hello()
    detail = (
        f"{settings.api_url} answers with protocol {wire.PROTOCOL}; the key may "
        f"{', '.join(found.scopes) or 'do nothing'} in account {found.account_id}"
    )
    if "write" not in found.scopes:
        fix = "Nothing is sent with this key: ask for one with the scope 'write'."
        return Finding("server", "warn", detail, fix)
    off = standing.clock_off(found, now)
    if off:
        return Finding("server", "warn", f"{detail}. {syncing.clock(off)}", "Set the clock.")
    return Finding("server", "ok", detail)


def _sync(settings: Settings, path: str) -> Finding:
    """Tell what waits, as the sessions have noted it; nobody is asked."""
    local = "off: this store is local"
    with _store(path) as reader:
        if reader is None:
            begins = WAITING if os.path.exists(path) else "begins with the next session"
            return Finding("sync", "ok", begins if settings.is_synced else local)
        if not settings.is_synced:
            left = syncing.left(reader, settings)
            return Finding("sync", "ok", f"off: {left}" if left else local)
        found, (_, account) = standing.read(reader), ownership.owner(reader)
        queued = syncing.to_send(reader, found)
    detail = (
        f"account {account or 'not known yet'}; {queued} to send, {found.rejected} refused, "
        f"{counted(found.conflicts, 'conflict')}; "
        f"last success {found.last_ok[:16] or 'never'}"
    )
    if said := syncing.error(found, settings):
        return Finding("sync", "warn", detail, said)
    if found.rejected or found.conflicts or found.stuck:
        return Finding("sync", "warn", detail, "/memory:status shows each and how to mend it.")
    return Finding("sync", "ok", detail)


def _other_files(path: str) -> Finding:
    """Tell what memories lie in other files of the folder, where this store lacks them."""
    found = _waiting(path)
    if not found:
        return Finding("other files", "ok", "nothing waits in any")
    held = ", ".join(f"{counted(one.held, 'memory')} in {one.path}" for one in found)
    return Finding("other files", "warn", held, " ".join(map(syncing.elsewhere, found)))


def _waiting(path: str) -> list[waiting.Waiting]:
    with _store(path) as reader:
        if reader is not None:
            return waiting.files(reader)
    is_missing = os.path.isdir(os.path.dirname(path)) and not os.path.exists(path)
    return waiting.beside(path) if is_missing else []


def _folder(home: str) -> Finding:
    folder = os.path.join(home, "memory")
    if not os.path.isdir(folder):
        return _future(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("folder", "fail", f"{folder} is not writable", WRITABLE)
    if full := paths.without_room(folder):
        return Finding("folder", "fail", full)
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        fix = "Free some space: a full disk refuses new memories (none is lost)."
        return Finding("folder", "warn", f"{free // 1_048_576} MB free at {folder}", fix)
    if os.name != "nt" and os.stat(folder).st_mode & 0o077:
        return Finding("folder", "warn", f"{folder} is open to others", f"chmod 700 '{folder}'")
    return Finding("folder", "ok", folder)


def _future(folder: str) -> Finding:
    """Tell whether a folder that is not there yet can be made."""
    above = folder
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK):
        if full := paths.without_room(above):
            return Finding("folder", "fail", full)
        return Finding("folder", "ok", f"{folder} will be made when the first memory is stored")
    why = "is not writable" if os.path.isdir(above) else "is no folder"
    return Finding("folder", "fail", f"{folder} cannot be made: {above} {why}", WRITABLE)


def _database(path: str) -> Finding:
    with _store(path) as reader:
        if reader is None:
            return Finding("database", "ok", _absent(path))
        found = schema.version(reader)
        if found > schema.CURRENT:
            fix = "Update the plugin; until then the memories can be read, not changed."
            return Finding("database", "fail", f"schema {found} is newer than this plugin", fix)
        verdict = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            seen = " ".join(str(verdict).split())
            return Finding("database", "fail", f"damaged: {seen}", DAMAGED)
        held = counted(memories.count(reader), "memory")
        return Finding("database", "ok", f"{held}, schema {found}, {path}")


@contextmanager
def _store(path: str) -> Iterator[sqlite3.Connection | None]:
    """Open the store for reading; None where there is none that is set up."""
    if not os.path.exists(path):
        yield None
        return
    reader = open_reader(path)
    try:
        yield reader if schema.version(reader) else None
    finally:
        reader.close()


def _absent(path: str) -> str:
    return WAITING if os.path.exists(path) else "none yet"


def _index(path: str) -> Finding:
    """Compare how many memories are shown and indexed; the deep check is upkeep's daily work."""
    with _store(path) as reader:
        if reader is None:
            return Finding("index", "ok", _absent(path))
        shown = reader.execute("SELECT count(*) FROM shown").fetchone()[0]
        indexed = reader.execute("SELECT count(*) FROM memories_fts_docsize").fetchone()[0]
    if shown != indexed:
        fix = "Restart Claude Code: the index is rebuilt within a minute."
        return Finding("index", "warn", f"{indexed} of {shown} memories are indexed", fix)
    return Finding("index", "ok", f"{counted(indexed, 'memory')} indexed")


def _file_system(path: str) -> Finding:
    kind = network.file_system(path)
    if kind:
        fix = "Set MEMORY_HOME to a folder on a local disk."
        return Finding("file system", "warn", f"{kind} over the network: slower, less safe", fix)
    return Finding("file system", "ok", "local")


def _keeper(settings: Settings, path: str) -> Finding:
    keeper = choice.choose(settings)
    if keeper is None:
        fix = "Install 'cryptography' for this python3, or set VAULT_ADDR and VAULT_TOKEN."
        return Finding("secrets", "warn", "nothing here can seal a secret", fix)
    trouble = keeper.check()
    if trouble:
        return Finding("secrets", "warn", f"{keeper.name}: {trouble}")
    with _store(path) as reader:
        lost = secrets.lost(reader, settings.home) if reader else ""
    if lost:
        return Finding("secrets", "warn", lost)
    return Finding("secrets", "ok", f"sealed by {keeper.name}")


def _judge(settings: Settings) -> Finding:
    if settings.learn == "off":
        return Finding("learning", "ok", "off")
    if settings.judge == "off" or not paths.find_claude():
        return Finding("learning", "ok", "local rules only (no judge)")
    return Finding("learning", "ok", f"judge claude, at most {settings.learn_daily} calls a day")


def _failures(home: str) -> Finding:
    noted = failures.unseen(home)
    if not noted:
        return Finding("hooks", "ok", "no failure noted")
    latest = noted[0]
    fix = f"The log is {paths.failures(home)}; DEBUG_CLAUDE_MEMORY_HOOKS=1 makes hooks talk."
    return Finding("hooks", "warn", f"{len(noted)} failed, last {latest.where}: {latest.text}", fix)
