"""The hot statements stay inside the account by an index, as the application's role sees them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from backend import meaning
from backend.repositories import changes, history, memories
from backend.schemas import RecallBody
from backend.services import meanings, recalling
from tests.support.plans import Plan, explain, nodes, reads
from tests.support.postgres import OWNER, Server
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import psycopg

    from backend.db import Database

    Place = tuple[datetime, uuid.UUID] | None
    Ask = Callable[[Database], Awaitable[object]]

LARGE = uuid.UUID(int=1)
ROWS, OTHERS, ROWS_OF_OTHERS = 8_000, 2_000, 3
WORDS = 2_000
# Word n of the vocabulary is written about 1/n as often as the first, as in any language.
FILL = f"""
SELECT setseed(0.5);
INSERT INTO accounts (id, name, version, next_no, live)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'account ' || n,
       CASE n WHEN 1 THEN {ROWS} ELSE {ROWS_OF_OTHERS} END,
       CASE n WHEN 1 THEN {ROWS} ELSE {ROWS_OF_OTHERS} END + 1,
       CASE n WHEN 1 THEN {ROWS} ELSE {ROWS_OF_OTHERS} END
FROM generate_series(%(first)s::int, %(last)s::int) n;
INSERT INTO memories (account_id, uid, no, version, content, category, created_at, updated_at)
SELECT a.id, gen_random_uuid(), n, n,
       (SELECT string_agg('word' || floor(exp(random() * ln({WORDS})))::int,
                          ' ')
        FROM generate_series(1, 12) WHERE n > 0),
       (ARRAY['facts', 'decisions', 'preferences'])[1 + n %% 3],
       timestamptz '2026-01-01 00:00Z' + n * interval '1 minute', now()
FROM accounts a, LATERAL generate_series(1, a.live) n
WHERE a.id BETWEEN lpad(to_hex(%(first)s::int), 32, '0')::uuid
               AND lpad(to_hex(%(last)s::int), 32, '0')::uuid;
INSERT INTO meanings (account_id, no, model, vector, signs)
SELECT m.account_id, m.no, %(model)s, decode(repeat(md5(m.content), 16), 'hex'),
       ('x' || md5(m.content) || md5(m.uid::text))::bit(256)
FROM memories m WHERE m.account_id BETWEEN lpad(to_hex(%(first)s::int), 32, '0')::uuid
                                       AND lpad(to_hex(%(last)s::int), 32, '0')::uuid
"""


def fill(connection: psycopg.Connection[Any], first: int, last: int) -> None:
    """Write the accounts of these numbers; number one is large."""
    table = meaning.table()
    assert table is not None
    named = {"first": first, "last": last, "model": meanings.model_of(table)}
    for statement in FILL.split(";"):
        connection.execute(statement, named)


@pytest.fixture(scope="module", params=["analyzed", "grown", "new"])
def filled(request: pytest.FixtureRequest, postgres: Server, worker: str) -> Iterator[str]:
    """Fill one large account among many small ones; the planner may not have seen them yet."""
    name = f"plans_{worker}_{request.param}"
    postgres.create(name)
    with postgres.superuser(name) as connection:
        fill(connection, 2, OTHERS)
        if request.param == "grown":  # the planner takes all accounts for small ones
            connection.execute("ANALYZE")
        fill(connection, 1, 1)
        if request.param == "analyzed":
            connection.execute("ANALYZE")
    yield name
    postgres.drop(name)


@pytest.fixture
def is_analyzed(filled: str) -> bool:
    """Tell whether the planner has statistics of what is stored."""
    return filled.endswith("_analyzed")


@pytest.fixture
def plans_of(postgres: Server, filled: str) -> Callable[[Ask], list[Plan]]:
    """Run the shipped code for the large account and return the plans of what it sent."""
    return lambda ask: explain(postgres, filled, LARGE, ask)


def assert_by_account(plans: list[Plan], table: str = "memories") -> list[tuple[str, str]]:
    """Check that every read of the table has the account in the condition of an index."""
    found = reads(plans, table)
    assert found, "the table was not read"
    for index, condition in found:
        assert index, f"a scan without an index: {found}"
        assert "account_id" in condition or table == "accounts", f"{index}: {condition}"
    return found


@promise("server.indexes-serve-every-query")
def test_memory_is_read_by_its_keys(plans_of: Callable[[Ask], list[Plan]]) -> None:
    """A uid and a number each lead to one row."""

    async def ask(database: Database) -> None:
        await memories.by_uid(database, LARGE, uuid.UUID(int=9))
        await memories.by_no(database, LARGE, 4)

    (by_uid, uid), (by_no, no) = assert_by_account(plans_of(ask))
    assert (by_uid, by_no) == ("memories_pkey", "memories_account_id_no_key")
    assert "uid = " in uid
    assert "no = " in no


@promise("server.indexes-serve-every-query")
def test_purge_looks_up_by_their_keys_what_its_memories_came_back_from(
    plans_of: Callable[[Ask], list[Plan]],
) -> None:
    """The account is locked meanwhile, however many memories it, or everybody, has."""

    async def ask(database: Database) -> None:
        async with database.transaction(LARGE) as connection:
            await changes.formers(connection, LARGE, [uuid.UUID(int=n) for n in range(200)])

    ((index, condition),) = assert_by_account(plans_of(ask))
    assert index == "memories_pkey"
    assert "uid = " in condition


def test_undo_of_many_deletes_reads_the_history_once(
    plans_of: Callable[[Ask], list[Plan]],
) -> None:
    """The account is locked meanwhile, and may have tens of thousands of entries."""

    async def ask(database: Database) -> None:
        async with database.transaction(LARGE) as connection:
            heirs = {uuid.UUID(int=n): uuid.UUID(int=n + 1_000) for n in range(200)}
            await history.rename_superseded(connection, LARGE, heirs)

    assert len(reads(plans_of(ask), "history")) == 1


@pytest.mark.parametrize("category", [None, "decisions"])
@pytest.mark.parametrize("before", [None, (datetime(2026, 1, 3, tzinfo=UTC), uuid.UUID(int=0))])
def test_list_reads_in_the_order_of_an_index(
    plans_of: Callable[[Ask], list[Plan]], is_analyzed: bool, category: str | None, before: Place
) -> None:
    """A page costs what is on it: nothing is sorted, and it goes on from a place in the index."""

    async def ask(database: Database) -> None:
        await memories.newest(database, LARGE, category=category, tag=None, before=before, limit=50)

    plans = plans_of(ask)
    found = dict(assert_by_account(plans))
    if not is_analyzed:  # then it may sort the account, for a minute
        return
    index = "memories_category" if category else "memories_newest"
    assert index in found
    assert "Sort" not in {node["Node Type"] for node in nodes(plans)}
    assert ("created_at" in found[index]) == (before is not None)


def test_feed_goes_on_from_a_version(plans_of: Callable[[Ask], list[Plan]]) -> None:
    """A page of changes is one piece of the index of versions."""

    async def ask(database: Database) -> None:
        async with database.transaction(LARGE) as connection:
            await changes.feed(connection, LARGE, after=ROWS - 50, full=0, limit=201)

    plans = plans_of(ask)
    ((index, condition),) = assert_by_account(plans)
    assert index == "memories_account_id_version_key"
    assert "version > " in condition


def test_changes_since_a_time_are_read_by_time(plans_of: Callable[[Ask], list[Plan]]) -> None:
    """Old clients ask so, and get no scan of the account either."""

    async def ask(database: Database) -> None:
        async with database.transaction(LARGE) as connection:
            cut = changes.Cut(rows=100, bytes=1_000_000, row=600)
            await changes.since(connection, LARGE, datetime(2030, 1, 1, tzinfo=UTC), cut)

    found = dict(assert_by_account(plans_of(ask)))
    assert set(found) == {"memories_updated", "memories_pkey"}
    assert "updated_at" in found["memories_updated"]
    assert "uid = " in found["memories_pkey"]


@promise("server.indexes-serve-every-query")
@pytest.mark.parametrize("account", [LARGE, uuid.UUID(int=7)], ids=["large", "small"])
@pytest.mark.parametrize("category", ["", "decisions"])
def test_recall_matches_words_and_account_in_one_index(
    postgres: Server, filled: str, account: uuid.UUID, category: str
) -> None:
    """The words are found by the index that holds the account as well, whatever the statistics."""

    async def ask(database: Database) -> None:
        asked = {"context": "word7 word70 word700", "expanded_query": "word1500"}
        body = RecallBody.model_validate({**asked, "category": category or None})
        await recalling.search(database, account, body)

    plans = explain(postgres, filled, account, ask)
    found = assert_by_account(plans)
    assert_by_account(plans, "accounts")
    assert_by_account(plans, "meanings")
    matching = [condition for _, condition in found if "@@" in condition]
    if account == LARGE:
        assert [index for index, condition in found if "@@" in condition] == ["memories_search"]
        assert "account_id = " in matching[0]


@pytest.mark.parametrize(("live", "is_kept"), [(10_000, True), (10_001, False)])
def test_recall_of_an_account_of_the_usual_size_is_not_planned_anew(
    postgres: Server, filled: str, live: int, is_kept: bool
) -> None:
    """Its plan knows no account and is kept; a larger account is worth a plan for each question."""
    account = uuid.UUID(int=9)
    with postgres.superuser(filled) as connection:
        connection.execute("UPDATE accounts SET live = %s WHERE id = %s", (live, account))

    async def ask(database: Database) -> None:
        await recalling.search(database, account, RecallBody(context="word7 word70"))

    found = reads(explain(postgres, filled, account, ask), "meanings")
    assert found
    assert {str(account) in condition for _, condition in found} == {not is_kept}


def test_plan_made_when_hardly_anything_was_stored_is_not_kept(
    postgres: Server, worker: str
) -> None:
    """It would look each memory up by an index that leads to all of an account."""
    name = f"plans_{worker}_kept"
    postgres.create(name)

    async def ask(database: Database) -> None:
        body = RecallBody(context="word7 word70")
        with postgres.superuser(name) as connection:
            fill(connection, 2, 2)
            await recalling.search(database, uuid.UUID(int=2), body)
            fill(connection, 1, 1)
        assert (await recalling.search(database, LARGE, body)).memories

    plans = explain(postgres, name, LARGE, ask)
    postgres.drop(name)
    indexes = {index for index, _ in reads(plans[len(plans) // 2 :], "memories")}
    assert "memories_account_id_no_key" in indexes
    assert "memories_updated" not in indexes


def test_search_under_the_policy_would_leave_the_index(
    plans_of: Callable[[Ask], list[Plan]],
) -> None:
    """Why recall is a function of the owner: the same match as the application cannot use it."""

    async def ask(database: Database) -> None:
        async with database.transaction(LARGE) as connection:
            await connection.execute(
                "SELECT uid FROM memories WHERE account_id = %s AND deleted_at IS NULL "
                "AND tsv @@ 'word1500'::tsquery",
                (LARGE,),
            )

    assert not [condition for _, condition in reads(plans_of(ask), "memories") if "@@" in condition]


def test_owner_of_the_tables_is_bound_by_them(postgres: Server, filled: str) -> None:
    """The plans above were made for functions of an ordinary login, not of a superuser."""
    with postgres.superuser(filled) as connection:
        row = connection.execute(
            "SELECT rolname, rolsuper FROM pg_class JOIN pg_roles r ON r.oid = relowner "
            "WHERE relname = 'memories'"
        ).fetchone()
    assert row == (OWNER, False)
