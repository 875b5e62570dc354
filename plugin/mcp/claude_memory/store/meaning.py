"""Keeps what each memory means beside it, and finds those that mean what is asked. Hot.

A memory's vector lies in `meanings` under its rid. Of every full block of rids the signs of the
vectors are kept as planes as well, so that one look over them brings the likeliest; those of the
newest, unfinished block are made when they are needed. Triggers remove what no longer holds.
"""

from __future__ import annotations

from functools import lru_cache

from claude_memory.store import state, vectors
from claude_memory.store.connection import StoreConnection
from claude_memory.store.embedding import DIMENSIONS, UNIT, Embedding
from claude_memory.store.rows import AMONG, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

BLOCK = 512  # rids; the schema's triggers know it too
OPEN_BLOCKS = 2  # the newest ones without planes, whose vectors are read instead
MODEL = "meaning_model"
CHANGED = "meaning_changed"
COUNT_CHANGE = (
    "INSERT INTO sync_state (k, v) VALUES (?, '1') ON CONFLICT (k) DO UPDATE SET v = v + 1"
)
NOTHING = bytes([vectors.ZERO]) * DIMENSIONS
SMALL = 2 * BLOCK  # rids; a store of fewer is compared as a whole
ALL = "SELECT rid, vector FROM meanings"
SOME = f"{ALL} WHERE rid {AMONG}"
MISSING = (
    "SELECT m.rid, m.content FROM memories m LEFT JOIN meanings n ON n.rid = m.rid "
    "WHERE m.live = 1 AND n.rid IS NULL AND m.rid > ? ORDER BY m.rid LIMIT ?"
)


@lru_cache(maxsize=1)
def table() -> Embedding | None:
    """Return the table of word vectors, or None where it cannot be used."""
    try:
        return Embedding()
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=1)
def asked(text: str) -> bytes:
    """Return what a question means, or nothing; recall and the floor ask one after the other."""
    embedding = table()
    return embedding.vector(text) if embedding else b""


def likeness(one: str, other: str) -> float:
    """Return how much alike in meaning two texts are, from -1 to 1; 0 where nothing tells."""
    embedding = table()
    left, right = (embedding.vector(text) if embedding else b"" for text in (one, other))
    return vectors.products(left, [right])[0] / UNIT**2 if left and right else 0.0


def keep(connection: sqlite3.Connection, rid: int, content: str) -> None:
    """Write what a memory means beside it; call it inside a write transaction."""
    embedding = table()
    if embedding is None:
        return
    begin(connection)
    connection.execute(
        "INSERT OR REPLACE INTO meanings (rid, vector) VALUES (?, ?)",
        (rid, embedding.vector(content)),
    )
    connection.execute("DELETE FROM meaning_planes WHERE block = ?", (rid // BLOCK,))
    connection.execute(COUNT_CHANGE, (CHANGED,))
    if not rid % BLOCK:  # the block before has just become full
        _seal(connection, rid // BLOCK - 1)


def similar(
    connection: sqlite3.Connection, text: str, rids: Iterable[int], wanted: int
) -> dict[int, float]:
    """Return how much alike in meaning a text and memories are: those named, and the likeliest.

    From -1 to 1; a memory that no word vector was found for is left out.
    """
    embedding, vector = table(), asked(text)
    if not embedding or not vector or state.get(connection, MODEL) != embedding.model:
        return {}
    found = _vectors(connection, vector, rids, wanted)
    products = vectors.products(vector, list(found.values())) if found else []
    return {rid: product / UNIT**2 for rid, product in zip(found, products)}


def _vectors(
    connection: sqlite3.Connection, asked: bytes, named: Iterable[int], wanted: int
) -> dict[int, bytes]:
    """Return the vectors of a small store, else of the memories named and of the likeliest."""
    if _highest(connection) < SMALL:
        return {rid: vector for rid, vector in connection.execute(ALL) if vector}
    likely = _likely(connection)
    found: dict[int, bytes] = {}
    for some in placed({*named, *likely.rids(asked, wanted)}):
        found.update((rid, vector) for rid, vector in connection.execute(SOME, some) if vector)
    return found


class _Likely:
    """The signs of a store's vectors, as they were at a mark."""

    def __init__(self, mark: str, planes: dict[int, bytes]) -> None:
        """Take the planes of blocks, by their numbers."""
        self.mark = mark
        self._signs = vectors.Signs(list(planes.values()), DIMENSIONS)
        self._numbers = list(planes)

    def rids(self, asked: bytes, wanted: int) -> list[int]:
        """Return about as many rids as wanted: those whose signs fit best."""
        places = self._signs.likeliest(asked, wanted)
        return [self._numbers[place // BLOCK] * BLOCK + place % BLOCK for place in places]


def _likely(connection: sqlite3.Connection) -> _Likely:
    """Return the signs of all blocks that have planes, and of the newest ones without.

    A connection keeps them until somebody writes a vector. What was removed since is still among
    them, and brings nothing: its vector is gone.
    """
    mark = state.get(connection, CHANGED)
    kept = connection.kept if isinstance(connection, StoreConnection) else None
    if isinstance(kept, _Likely) and kept.mark == mark:
        return kept
    planes = dict(connection.execute("SELECT block, planes FROM meaning_planes").fetchall())
    newest = _highest(connection) // BLOCK
    unsealed = [block for block in range(newest, -1, -1) if block not in planes]
    for block in unsealed[:OPEN_BLOCKS]:
        planes[block] = _planes(connection, block)
    found = _Likely(mark, planes)
    if isinstance(connection, StoreConnection):
        connection.kept = found
    return found


def _highest(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT max(rid) FROM meanings").fetchone()[0] or 0


def begin(connection: sqlite3.Connection) -> None:
    """Drop the vectors of another version's table; call it inside a write transaction."""
    embedding = table()
    if embedding is not None and state.get(connection, MODEL) != embedding.model:
        connection.execute("DELETE FROM meanings")
        connection.execute("DELETE FROM meaning_planes")
        state.put(connection, MODEL, embedding.model)


def fill(connection: sqlite3.Connection, after: int, most: int) -> int:
    """Write vectors that are missing after a rid; return the last rid written, or 0 at the end.

    Call it inside a write transaction, repeatedly, after `begin`.
    """
    if table() is None:
        return 0
    rows = connection.execute(MISSING, (after, most)).fetchall()
    for rid, content in rows:
        keep(connection, rid, content)
    return rows[-1][0] if rows else 0


def seal(connection: sqlite3.Connection) -> bool:
    """Write the planes of one full block that lacks them; return whether there was one.

    Call it inside a write transaction, repeatedly.
    """
    sealed = {block for (block,) in connection.execute("SELECT block FROM meaning_planes")}
    for block in range(_highest(connection) // BLOCK):
        if block not in sealed:
            _seal(connection, block)
            return True
    return False


def _seal(connection: sqlite3.Connection, block: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO meaning_planes VALUES (?, ?)", (block, _planes(connection, block))
    )
    connection.execute(COUNT_CHANGE, (CHANGED,))


def _planes(connection: sqlite3.Connection, block: int) -> bytes:
    rids = range(block * BLOCK, block * BLOCK + BLOCK)
    held = dict(connection.execute(f"{ALL} WHERE rid BETWEEN ? AND ?", (rids[0], rids[-1])))
    return vectors.planes([held.get(rid) or NOTHING for rid in rids], DIMENSIONS)
