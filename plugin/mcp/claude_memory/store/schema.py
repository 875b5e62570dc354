"""The tables of the local store, as numbered migrations (`PRAGMA user_version`). Append only.

A row's columns `sv` (server version known here), `srv` (that state as JSON), `srv_live` (whether it
is a live row) and `gen` (full-dump generation), and the tables pending_ops and shelf, are for
syncing: while the store is local they stay empty, and a memory made today has all that it needs to
be pushed later.
"""

from __future__ import annotations

import os
import sqlite3

from claude_memory import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

APPLICATION_ID = 0x434D454D  # "CMEM", so that `file` and our doctor know the file for ours

TABLES = """
CREATE TABLE memories (
    rid INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    local_no INTEGER UNIQUE,
    no INTEGER,
    content TEXT NOT NULL,
    category TEXT NOT NULL,
    tags TEXT NOT NULL,
    expanded_keywords TEXT NOT NULL,
    importance REAL NOT NULL,
    is_sensitive INTEGER NOT NULL,
    scope TEXT NOT NULL,
    project TEXT NOT NULL,
    session TEXT NOT NULL,
    session_seq INTEGER NOT NULL,
    source TEXT NOT NULL,
    supersedes TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    live INTEGER NOT NULL,
    twin TEXT NOT NULL,
    words TEXT NOT NULL,
    sv INTEGER NOT NULL DEFAULT 0,
    srv TEXT,
    gen INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX memories_newest ON memories (created_at DESC, rid DESC) WHERE live = 1;
CREATE INDEX memories_by_category ON memories (category, created_at DESC, rid DESC) WHERE live = 1;
CREATE INDEX memories_by_twin ON memories (twin) WHERE live = 1;
CREATE INDEX memories_by_session ON memories (session, session_seq);
CREATE INDEX memories_by_successor ON memories (supersedes) WHERE live = 1 AND supersedes <> '';
CREATE INDEX memories_by_number ON memories (no) WHERE no IS NOT NULL;
CREATE INDEX memories_by_expiry ON memories (expires_at) WHERE live = 1 AND expires_at <> '';
CREATE INDEX memories_by_place ON memories (
    CASE scope WHEN 'global' THEN '' ELSE project END, importance) WHERE live = 1;
CREATE VIEW shown AS
    SELECT rid, content, expanded_keywords, tags, words FROM memories WHERE live = 1;
CREATE VIRTUAL TABLE memories_fts USING fts5 (
    content, expanded_keywords, tags, words,
    content='shown', content_rowid='rid', tokenize='porter unicode61 remove_diacritics 2'
);
-- Each memory is a transaction and makes a segment that every look-up has to read: merge early.
INSERT INTO memories_fts (memories_fts, rank) VALUES ('automerge', 2);
INSERT INTO memories_fts (memories_fts, rank) VALUES ('crisismerge', 4);
CREATE TRIGGER memories_inserted AFTER INSERT ON memories WHEN new.live = 1 BEGIN
    INSERT INTO memories_fts (rowid, content, expanded_keywords, tags, words)
    VALUES (new.rid, new.content, new.expanded_keywords, new.tags, new.words);
END;
CREATE TRIGGER memories_removed AFTER DELETE ON memories WHEN old.live = 1 BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, content, expanded_keywords, tags, words)
    VALUES ('delete', old.rid, old.content, old.expanded_keywords, old.tags, old.words);
END;
CREATE TRIGGER memories_changed
AFTER UPDATE OF content, expanded_keywords, tags, words, live ON memories BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, content, expanded_keywords, tags, words)
    SELECT 'delete', old.rid, old.content, old.expanded_keywords, old.tags, old.words
    WHERE old.live = 1;
    INSERT INTO memories_fts (rowid, content, expanded_keywords, tags, words)
    SELECT new.rid, new.content, new.expanded_keywords, new.tags, new.words
    WHERE new.live = 1;
END;
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('edited', 'deleted')),
    fields TEXT NOT NULL
);
CREATE INDEX history_by_memory ON history (uid, id DESC);
CREATE INDEX history_by_age ON history (at);
CREATE TABLE secrets (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    bound TEXT NOT NULL,
    history_id INTEGER,
    keeper TEXT NOT NULL,
    key_id TEXT NOT NULL,
    blob BLOB NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX secrets_by_memory ON secrets (uid, history_id);
CREATE TABLE pending_ops (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    op_id TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    kind TEXT NOT NULL,
    base INTEGER,
    body TEXT NOT NULL,
    sealed BLOB,
    attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'queued',
    error TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    next_at TEXT NOT NULL DEFAULT ''
);
CREATE INDEX pending_ops_by_memory ON pending_ops (uid, seq);
CREATE TABLE shelf (op_id TEXT PRIMARY KEY, uid TEXT NOT NULL, body TEXT NOT NULL,
                    reason TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE sync_state (k TEXT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL DEFAULT '',
    next_seq INTEGER NOT NULL DEFAULT 1,
    compactions INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE injections (
    session TEXT NOT NULL,
    uid TEXT NOT NULL,
    compaction INTEGER NOT NULL,
    event TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (session, uid, compaction)
) WITHOUT ROWID;
CREATE INDEX injections_by_age ON injections (at);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    project TEXT NOT NULL,
    at TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    tries INTEGER NOT NULL DEFAULT 0,
    claimed_at TEXT NOT NULL DEFAULT ''
);
CREATE INDEX turns_by_state ON turns (state, id);
CREATE TABLE proposals (
    local_no INTEGER PRIMARY KEY,
    fields TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE TABLE judge_calls (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    session TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX judge_calls_by_age ON judge_calls (at);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    action TEXT NOT NULL,
    uid TEXT NOT NULL,
    session TEXT NOT NULL
);
INSERT INTO sync_state VALUES ('next_local_no', '1');
"""


# What syncing asks of the store: which rows the server's copy of is live (they make the digest that
# is compared), and the highest version known here.
SYNCING = """
ALTER TABLE memories ADD COLUMN srv_live INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pending_ops ADD COLUMN seen TEXT NOT NULL DEFAULT '{}';
CREATE INDEX memories_on_server ON memories (uid, sv) WHERE srv_live = 1;
CREATE INDEX memories_by_version ON memories (sv) WHERE sv > 0;
"""


MEANINGS = """
CREATE TABLE meanings (rid INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE meaning_planes (block INTEGER PRIMARY KEY, planes BLOB NOT NULL);
CREATE TRIGGER meaning_of_removed AFTER DELETE ON memories BEGIN
    DELETE FROM meanings WHERE rid = old.rid;
    DELETE FROM meaning_planes WHERE block = old.rid >> 9;
END;
CREATE TRIGGER meaning_of_changed AFTER UPDATE OF content, live ON memories
WHEN new.content <> old.content OR new.live <> old.live BEGIN
    DELETE FROM meanings WHERE rid = old.rid;
    DELETE FROM meaning_planes WHERE block = old.rid >> 9;
END;
"""


def _script(text: str) -> Callable[[sqlite3.Connection], None]:
    def run(connection: sqlite3.Connection) -> None:
        for statement in _statements(text):
            connection.execute(statement)

    return run


# The n-th entry brings a file from user_version n to n + 1.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _script(f"{TABLES}PRAGMA application_id={APPLICATION_ID};\n"),
    _script(SYNCING),
    _script(MEANINGS),
)
CURRENT = len(MIGRATIONS)
IMPLAUSIBLE = 200  # schemas that there will never be


def version(connection: sqlite3.Connection) -> int:
    """Return the schema version of an open database."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def refuse_unknown(connection: sqlite3.Connection, path: str) -> None:
    """Refuse a database that a later version wrote, or whose version no version wrote.

    Raises:
        StoreNewer: a later version did.
        StoreDamaged: it says that it is ours, and has a version that cannot be.
    """
    # In this order: another session may make the tables in between, and then it has a version.
    is_ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    found = version(connection)
    if not 0 <= found < IMPLAUSIBLE or (is_ours and not found):
        message = f"The memory database is damaged ({path}): it cannot have schema {found}."
        raise errors.StoreDamaged(message)
    refuse_newer(found, path)


def refuse_newer(found: int, path: str) -> None:
    """Refuse a database whose schema a later version has made.

    Raises:
        StoreNewer: one has.
    """
    if found > CURRENT:
        message = f"{path} has schema {found}, this plugin knows up to {CURRENT}."
        raise errors.StoreNewer(message)


def migrate(
    connection: sqlite3.Connection, path: str, begin: Callable[[sqlite3.Connection], None]
) -> None:
    """Bring the database to the current schema in one transaction, after a snapshot beside it.

    Two sessions may start at once: whoever gets the lock second finds the work done. `begin` waits
    for the lock as writers do: those that store already would not let it through otherwise.

    Raises:
        StoreNewer: a later version wrote this file; it is left untouched.
        StoreEarlier: the earlier system wrote it; it is left untouched.
    """
    refuse_unknown(connection, path)
    if version(connection) == CURRENT:
        return
    begin(connection)
    try:
        refuse_unknown(connection, path)
        found = version(connection)
        if not found and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            message = f"{path} was made by the earlier system."
            raise errors.StoreEarlier(message)
        if 0 < found < CURRENT:
            _snapshot_before(path)
        create(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _snapshot_before(path: str) -> None:
    """Keep a copy of the file as it is; nobody else writes meanwhile, the lock is ours."""
    reader = sqlite3.connect(path)  # a connection that writes cannot be copied from
    try:
        snapshot(reader, f"{path}.before-schema-{CURRENT}")
    finally:
        reader.close()


def create(connection: sqlite3.Connection) -> None:
    """Run the migrations that are missing; call it inside a write transaction."""
    for number in range(version(connection), CURRENT):
        MIGRATIONS[number](connection)
        connection.execute(f"PRAGMA user_version={number + 1}")


def snapshot(
    connection: sqlite3.Connection,
    target: str,
    finish: Callable[[sqlite3.Connection], None] | None = None,
) -> None:
    """Copy the open database to `target` (mode 0600), complete and finished or not at all."""
    # A process that was killed here may have had this one's number, as in a container.
    part = f"{target}.part-{os.getpid()}-{os.urandom(4).hex()}"
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        copy = sqlite3.connect(part)
        try:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            if finish is not None:
                finish(copy)
        finally:
            copy.close()
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise


def _statements(script: str) -> list[str]:
    """Cut a script into statements: `executescript` would commit the open transaction."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
