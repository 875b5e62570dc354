"""Reads from the full-text index which memories hold a term, as little of it as will do. Hot."""

from __future__ import annotations

from collections import namedtuple

from claude_memory.store import terms

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable
    from typing import NamedTuple

    from claude_memory.store.terms import Term

    class Posting(NamedTuple):
        """How many memories hold a term, and which: all of them if `whole`, else the oldest."""

        term: Term
        df: int
        rids: list[int]
        whole: bool

else:
    Posting = namedtuple("Posting", "term df rids whole")

AHEAD = 100  # entries read to see whether a term is rare
MOST = 3_000  # entries of one term that are read at all: the newest
HOLDERS = "SELECT rowid FROM memories_fts WHERE memories_fts MATCH ?"
NEWEST_HOLDERS = (
    "SELECT rowid FROM memories_fts WHERE memories_fts MATCH :match ORDER BY rowid DESC LIMIT :most"
)


def size(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return how many memories are indexed, and the highest rid; both without counting."""
    highest = connection.execute("SELECT max(rid) FROM memories").fetchone()[0] or 0
    row = connection.execute("SELECT block FROM memories_fts_data WHERE id = 1").fetchone()
    count = _first_varint(bytes(row[0])) if row and row[0] else 0
    return (min(count, highest) or highest), highest


def look_up(connection: sqlite3.Connection, asked: Iterable[Term], highest: int) -> list[Posting]:
    """Return the postings of the terms; what is not found whole is looked for in its parts."""
    found: dict[str, Posting] = {}
    for term in asked:
        posting = _read(connection, term, highest)
        if posting.df or not term.parts:
            found.setdefault(term.match, posting)
            continue
        parts = terms.of_words(term.parts, asked=term.asked)
        for part in parts:
            if part.match not in found:
                found[part.match] = _read(connection, part._replace(parts=()), highest)
    return list(found.values())


def holders(connection: sqlite3.Connection, posting: Posting) -> list[int]:
    """Return the memories that hold the term, the newest if there are very many."""
    if posting.whole:
        return posting.rids
    return _newest(connection, posting.term.match)


def holders_among(
    connection: sqlite3.Connection, posting: Posting, others: Collection[Posting]
) -> list[int]:
    """Return the newest memories that hold the term and also one of the others."""
    any_other = " OR ".join(f"({other.term.match})" for other in others)
    both = f"({posting.term.match}) AND ({any_other})"
    if sum(other.df for other in others) > MOST:
        return _newest(connection, both)
    return [rid for (rid,) in connection.execute(HOLDERS, (both,))]  # faster than backwards


def _newest(connection: sqlite3.Connection, expression: str) -> list[int]:
    found = connection.execute(NEWEST_HOLDERS, {"match": expression, "most": MOST})
    return [rid for (rid,) in found]


def _read(connection: sqlite3.Connection, term: Term, highest: int) -> Posting:
    cursor = connection.execute(HOLDERS, (term.match,))
    rids = [rid for (rid,) in cursor.fetchmany(AHEAD)]
    cursor.close()
    if len(rids) < AHEAD:
        return Posting(term, len(rids), rids, whole=True)
    # Entries come by rid: how far the first ones reach tells how many there are.
    return Posting(term, max(AHEAD, AHEAD * highest // rids[-1]), rids, whole=False)


def _first_varint(block: bytes) -> int:
    """Read the number of rows that FTS5 keeps at the head of its averages record."""
    value = 0
    for byte in block[:8]:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004
            break
    return value
