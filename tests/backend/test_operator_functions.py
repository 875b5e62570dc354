"""What reaches across accounts: purging what is old, and a new epoch after a restore."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.postgres import LOGIN, OWNER, Server
from tests.support.rows import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = "2025-01-01Z", "2026-06-01Z"
BOUND = "2026-01-01Z"
EPOCH = uuid.UUID(int=1)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"


@pytest.fixture(params=["memory", OWNER, LOGIN], ids=["superuser", "owner", "login"])
def operator(
    request: pytest.FixtureRequest, postgres: Server, database_name: str
) -> Iterator[psycopg.Connection[Any]]:
    """Be the operator's command, with each of the logins that it may have; commits by itself."""
    url = postgres.url(database_name, request.param)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("SET ROLE memory_app")
        yield connection


def test_purge_takes_old_tombstones_operations_and_history(
    operator: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
) -> None:
    """What is younger stays, and the horizon says how far cursors have to have come."""
    ann, ben = Tenant(superuser, "ann"), Tenant(superuser, "ben")
    for moment in (None, OLD, OLD, NEW):
        ann.store("a fact", deleted_at=moment)
    ben.store("another fact")
    for moment in (OLD, NEW):
        superuser.execute(
            "INSERT INTO ops VALUES (%s, gen_random_uuid(), '', 'applied', gen_random_uuid(), %s)",
            (ann.id, moment),
        )
        superuser.execute(
            "INSERT INTO history (account_id, uid, kind, payload, at) "
            "VALUES (%s, gen_random_uuid(), 'superseded', '{}', %s)",
            (ann.id, moment),
        )
    purge = "SELECT accounts, tombstones, histories, operations FROM memory_purge(%s, %s)"
    assert operator.execute(purge, (BOUND, BOUND)).fetchone() == (2, 2, 1, 1)
    horizons = dict(superuser.execute("SELECT name, horizon FROM accounts").fetchall())
    assert horizons == {"ann": 3, "ben": 0}
    kept = superuser.execute("SELECT no FROM memories WHERE account_id = %s ORDER BY no", (ann.id,))
    assert kept.fetchall() == [(1,), (4,)]


def test_purge_goes_through_the_accounts_in_portions(
    operator: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
) -> None:
    """Each call is a short transaction, and the last one says that nothing is left."""
    for number in range(5):
        Tenant(superuser, f"user {number}").store("a fact", deleted_at=OLD)
    last, portions = None, []
    while True:
        row = operator.execute(
            "SELECT accounts, tombstones, last_account FROM memory_purge(%s, %s, %s, 2)",
            (BOUND, BOUND, last),
        ).fetchone()
        assert row is not None
        portions.append(row[:2])
        if not row[0]:
            break
        last = row[2]
    assert portions == [(2, 2), (2, 2), (1, 1), (0, 0)]


def test_purge_passes_over_an_account_that_is_locked(
    operator: psycopg.Connection[Any],
    superuser: psycopg.Connection[Any],
    postgres: Server,
    database_name: str,
) -> None:
    """It waits for nobody and says how many it left for the next time; old failures go too."""
    ann, ben = Tenant(superuser, "ann"), Tenant(superuser, "ben")
    for tenant in (ann, ben):
        tenant.store("a fact", deleted_at=OLD)
        superuser.execute("INSERT INTO failures VALUES (%s, %s, 1, %s)", (tenant.id, EPOCH, OLD))
    purge = "SELECT accounts, skipped, tombstones FROM memory_purge(%s, %s)"
    with psycopg.connect(postgres.url(database_name, "memory")) as writer:
        writer.execute("SELECT FROM accounts WHERE id = %s FOR UPDATE", (ann.id,))
        operator.execute("SET lock_timeout = '1ms'")
        assert operator.execute(purge, (BOUND, BOUND)).fetchone() == (2, 1, 1)
    left = superuser.execute("SELECT account_id FROM failures").fetchall()
    assert left == [(ann.id,)]
    assert operator.execute(purge, (BOUND, BOUND)).fetchone() == (2, 0, 1)


@pytest.mark.parametrize("comes_first", ["account", "epoch"])
def test_account_made_while_an_epoch_begins_belongs_to_it(
    superuser: psycopg.Connection[Any], postgres: Server, database_name: str, comes_first: str
) -> None:
    """Whichever commits first, the other sees it: the newest epoch says where it began from."""
    make = "SELECT memory_account_for('new', gen_random_uuid())"
    rotate = "SELECT memory_rotate_epoch(gen_random_uuid())"
    first, second = (make, rotate) if comes_first == "account" else (rotate, make)
    url = postgres.url(database_name, "memory")
    with psycopg.connect(url) as one, psycopg.connect(url, autocommit=True) as other:
        one.execute(first)
        waiting = threading.Thread(target=other.execute, args=(second,))
        waiting.start()
        while waiting.is_alive() and superuser.execute(WAITING, (database_name,)).fetchone() == (
            0,
        ):
            pass
        one.commit()
        waiting.join()
    newest = superuser.execute("SELECT max(ordinal) FROM epochs").fetchone()
    known = superuser.execute("SELECT max(ordinal) FROM account_epochs").fetchone()
    assert known == newest


def test_new_epoch_remembers_versions_and_jumps_over_those_of_an_earlier_life(
    operator: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
) -> None:
    """Whatever the lost life gave out is lower than what comes now; nothing goes back."""
    ann, ahead = Tenant(superuser, "ann"), Tenant(superuser, "ahead")
    ann.store("a fact")
    superuser.execute("UPDATE accounts SET version = 1::bigint << 62 WHERE id = %s", (ahead.id,))
    before = superuser.execute("SELECT changed_at FROM accounts WHERE name = 'ann'").fetchone()
    ordinal = operator.execute("SELECT memory_rotate_epoch(%s)", (EPOCH,)).fetchone()
    assert ordinal is not None
    query = "SELECT epoch FROM epochs WHERE ordinal = %s"
    assert superuser.execute(query, ordinal).fetchone() == (EPOCH,)
    bases = superuser.execute(
        "SELECT a.name, e.base_version FROM account_epochs e JOIN accounts a ON a.id = account_id "
        "WHERE ordinal = %s",
        ordinal,
    )
    assert dict(bases.fetchall()) == {"ann": 1, "ahead": 1 << 62}
    versions = dict(superuser.execute("SELECT name, version FROM accounts").fetchall())
    assert versions["ahead"] == 1 << 62
    assert versions["ann"] > 1_700_000_000 << 20
    after = superuser.execute("SELECT changed_at FROM accounts WHERE name = 'ann'").fetchone()
    assert before is not None
    assert after is not None
    assert after > before


def test_start_begins_a_new_epoch_only_in_a_new_life_of_the_database(
    operator: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
) -> None:
    """An ordinary start changes nothing; one after a failover or a restore does."""
    at_start = "SELECT memory_rotate_epoch(gen_random_uuid(), true)"
    assert operator.execute(at_start).fetchone() == (None,)
    assert operator.execute(at_start).fetchone() == (None,)
    superuser.execute("UPDATE keeper_state SET v = 'another:1' WHERE k = 'life'")
    rotated = operator.execute(at_start).fetchone()
    assert rotated is not None
    assert rotated[0] is not None
    assert operator.execute(at_start).fetchone() == (None,)
