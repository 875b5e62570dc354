"""How recall in PostgreSQL finds one of 100,000 memories of an account, and at what cost."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from backend import meaning
from backend.embedded import EmbeddedPostgres
from backend.migrate import upgrade
from backend.schemas import RecallBody
from backend.services import meanings, recalling
from backend.settings import Settings
from bench.corpus import SEED, Corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.report import Report

    Connection = psycopg.Connection[Any]

ROWS = 100_000
OTHERS, ROWS_OF_OTHERS = 1_000, 20  # accounts that share the tables and the words
QUESTIONS = 200
KEPT = 100  # one in so many memories may be asked for
READ = 10  # one in so many texts is read for what it means; the next ones are given the same vector
LIMIT = 10
STOP_WORDS = 10  # the most frequent words: nobody asks for "the", and the index would not know it
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
OPTIONS = ("shared_buffers=512MB", "max_wal_size=4GB", "jit=on")
COLUMNS = (
    "account_id, uid, no, version, content, category, tags, expanded_keywords, importance, scope, "
    "project, created_at, updated_at"
)
MEANINGS = "COPY meanings (account_id, no, model, vector, signs) FROM STDIN"
PROLOGUE = "SELECT set_config('role', 'memory_app', true), set_config('app.account', %s, true)"


class Question(NamedTuple):
    """What is asked, and the memory that it is about."""

    uid: uuid.UUID
    words: list[str]


def run(report: Report) -> None:
    """Fill one large account among many small ones, and ask."""
    with _server() as url:
        report.progress("filling")
        questions = fill(url)
        found, cpu = ask(url, questions)
    report.add("wanted memory in the first ten, 100,000 rows", found, "%", 90, at_least=True)
    report.add("database CPU per recall, median", statistics.median(cpu), "ms")
    report.add("database CPU per recall, mean", statistics.fmean(cpu), "ms", 15)
    report.add("database CPU per recall, 95 of 100", sorted(cpu)[len(cpu) * 95 // 100], "ms")


def fill(url: str, size: int = ROWS) -> list[Question]:
    """Write the memories of all accounts; return questions about the large one, of that size."""
    corpus, chance = Corpus(), random.Random(SEED)
    with psycopg.connect(url) as connection:
        [(index,)] = connection.execute("SELECT pg_get_indexdef('memories_search'::regclass)")
        connection.execute("DROP INDEX memories_search")  # it is several times faster made at once
        kept = _fill_account(connection, "large", corpus, size)
        for number in range(OTHERS):
            _fill_account(connection, f"small {number}", corpus, ROWS_OF_OTHERS)
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(index)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE memories, meanings")
    stop_words = set(corpus.words[:STOP_WORDS])
    questions = []
    for uid, text in chance.sample(kept, QUESTIONS):
        words = sorted(set(text.split()) - stop_words)
        asked = chance.sample(words, min(4, len(words))) + corpus.frequent(6)
        questions.append(Question(uid, asked))
    return questions


def ask(url: str, questions: list[Question]) -> tuple[float, list[float]]:
    """Return the share of memories found, in percent, and the CPU of each question, in ms."""
    found, cpu = 0, []
    with psycopg.connect(url, prepare_threshold=None) as connection:
        row = connection.execute("SELECT id FROM accounts WHERE name = 'large'").fetchone()
        account: uuid.UUID = row[0] if row else uuid.UUID(int=0)
        connection.commit()
        reader = _Reader(connection)
        for warm in (True, False):
            for question in questions[:20] if warm else questions:
                with connection.transaction():
                    connection.execute(PROLOGUE, (str(account),))
                    body = RecallBody(context=" ".join(question.words), limit=LIMIT)
                    answer = asyncio.run(recalling.search(reader, account, body))
                    if not warm:
                        cpu.append(reader.cpu)
                        found += question.uid in [one.uid for one in answer.memories]
    return 100 * found / len(questions), cpu


class _Reader:
    """Asks on one connection, and notes what the last statement cost the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.cpu = 0.0  # milliseconds

    async def read(self, _account: object, query: str, values: Any, make_row: Any) -> Any:  # noqa: ANN401
        with psycopg.ClientCursor(self._connection, row_factory=make_row) as cursor:
            before = _cpu(self._connection.info.backend_pid)
            cursor.execute(query, values)
            self.cpu = _cpu(self._connection.info.backend_pid) - before
            return cursor.fetchall()


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder), throwaway=True, options=OPTIONS)
        try:
            url = postgres.start()
            upgrade(Settings(database_url=url, migration_url=url))
            yield url
        finally:
            postgres.stop()


def _fill_account(
    connection: Connection, name: str, corpus: Corpus, count: int
) -> list[tuple[uuid.UUID, str]]:
    account = uuid.uuid4()
    table = meaning.table()
    assert table is not None
    kept, vectors = [], []
    copy = f"COPY memories ({COLUMNS}) FROM STDIN"
    with connection.cursor().copy(copy) as rows:
        for number, fact in enumerate(corpus.facts(count), start=1):
            uid = uuid.uuid4()
            if number % KEPT == 0:
                kept.append((uid, fact.content))
            if number % READ == 1 or number % KEPT == 0:
                vector = table.vector(fact.content)
            vectors.append(vector)
            moment = FIRST_DAY + timedelta(seconds=number)
            rows.write_row((account, uid, number, number, *fact, moment, moment))
    model = meanings.model_of(table)
    with connection.cursor().copy(MEANINGS) as rows:
        for number, vector in enumerate(vectors, start=1):
            rows.write_row((account, number, model, vector, meaning.signs(vector)))
    connection.execute(
        "INSERT INTO accounts (id, name, version, next_no, live) VALUES (%s, %s, %s, %s, %s)",
        (account, name, count, count + 1, count),
    )
    return kept


def _cpu(pid: int) -> float:
    """Return the milliseconds of CPU that a process has used."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
