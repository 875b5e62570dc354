"""No account sees or changes what belongs to another, whatever SQL the application sends."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.postgres import LOGIN, OWNER, Server
from tests.support.promises import promise
from tests.support.rows import Tenant, as_application, recall

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANTS = [
    *("memories", "meanings", "ops", "failures", "history", "account_epochs", "api_keys"),
    "rate_limits",
]
FILL = """
INSERT INTO meanings (account_id, no, model, vector, signs)
    VALUES (%(id)s, 1, 'words', '\\x80', B'1');
INSERT INTO ops (account_id, op_id, request_hash, status, uid, at)
    VALUES (%(id)s, gen_random_uuid(), '', 'applied', gen_random_uuid(), now());
INSERT INTO failures (account_id, op_id, tries) VALUES (%(id)s, gen_random_uuid(), 1);
INSERT INTO history (account_id, uid, kind, payload, at)
    VALUES (%(id)s, gen_random_uuid(), 'superseded', '{}', now());
INSERT INTO api_keys (account_id, id, name, hash, scopes)
    VALUES (%(id)s, %(key)s, 'laptop', '\\x01', '["read"]');
INSERT INTO rate_limits (account_id, key_id, tokens, at) VALUES (%(id)s, %(key)s, 1, now());
INSERT INTO audit (account_id, action) VALUES (%(id)s, 'key-made')
"""


@pytest.fixture(params=["memory", OWNER, LOGIN], ids=["superuser", "owner", "login"])
def url(request: pytest.FixtureRequest, postgres: Server, database_name: str) -> str:
    """Connect as each of the three logins that DATABASE_URL may name."""
    return postgres.url(database_name, request.param)


@pytest.fixture
def tenants(superuser: psycopg.Connection[Any]) -> tuple[Tenant, Tenant]:
    """Make two accounts that have something in every table."""
    made = (Tenant(superuser, "ann"), Tenant(superuser, "ben"))
    for tenant, text in zip(made, ("ann likes tea", "ben likes tea"), strict=True):
        tenant.store(text)
        for statement in FILL.split(";"):
            superuser.execute(statement, {"id": tenant.id, "key": f"key-of-{text[:3]}"})
    return made


@pytest.fixture
def ann(url: str, tenants: tuple[Tenant, Tenant]) -> Iterator[psycopg.Connection[Any]]:
    """Be the application, for the first account."""
    with as_application(url, tenants[0].id) as connection:
        yield connection


@pytest.mark.parametrize("table", [*TENANTS, "accounts"])
@pytest.mark.parametrize("account", [None, uuid.UUID(int=7)], ids=["none", "unknown"])
def test_without_an_account_nothing_is_visible(
    url: str, tenants: object, table: str, account: uuid.UUID | None
) -> None:
    """A transaction that forgot to say whose it is sees nobody's rows."""
    with as_application(url, account) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@promise("server.second-lock")
@pytest.mark.parametrize("table", TENANTS)
def test_only_own_rows_are_visible(
    ann: psycopg.Connection[Any], tenants: tuple[Tenant, Tenant], table: str
) -> None:
    """Even a statement that names no account stays inside its own."""
    assert ann.execute(f"SELECT DISTINCT account_id FROM {table}").fetchall() == [(tenants[0].id,)]
    named = f"SELECT count(*) FROM {table} WHERE account_id = %s"
    assert ann.execute(named, (tenants[1].id,)).fetchone() == (0,)


@promise("server.second-lock")
def test_foreign_rows_cannot_be_changed(
    ann: psycopg.Connection[Any], tenants: tuple[Tenant, Tenant], superuser: psycopg.Connection[Any]
) -> None:
    """Changes that name another account find nothing to change."""
    foreign = (tenants[1].id,)
    for statement in (
        "UPDATE memories SET content = 'mine' WHERE account_id = %s",
        "UPDATE accounts SET version = 9 WHERE id = %s",
        "UPDATE api_keys SET revoked_at = now() WHERE account_id = %s",
        "UPDATE rate_limits SET tokens = 0 WHERE account_id = %s",
        "DELETE FROM history WHERE account_id = %s",
    ):
        assert ann.execute(statement, foreign).rowcount == 0, statement
    kept = superuser.execute("SELECT content FROM memories WHERE account_id = %s", foreign)
    assert kept.fetchone() == ("ben likes tea",)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE memories SET account_id = %s",
        "INSERT INTO ops SELECT %s, gen_random_uuid(), '', 'applied', gen_random_uuid(), now()",
        (
            "INSERT INTO history (account_id, uid, kind, payload, at) "
            "SELECT %s, gen_random_uuid(), 'conflict', '{}', now()"
        ),
        "INSERT INTO api_keys (account_id, id, name, hash, scopes) SELECT %s, 'k', 'k', '', '[]'",
        "INSERT INTO rate_limits SELECT %s, 'k', 1, now()",
        "INSERT INTO failures SELECT %s, gen_random_uuid(), 1, now()",
        "INSERT INTO audit (account_id, action) SELECT %s, 'forged'",
    ],
)
def test_nothing_can_be_written_for_another_account(
    ann: psycopg.Connection[Any], tenants: tuple[Tenant, Tenant], statement: str
) -> None:
    """The policy also binds what is new."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ann.execute(statement, (tenants[1].id,))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO accounts (id, name) VALUES (gen_random_uuid(), 'eve')",
        "UPDATE accounts SET name = 'eve'",
        "UPDATE api_keys SET hash = ''",
        "DELETE FROM memories",
        "DELETE FROM accounts",
        "DELETE FROM api_keys",
        "SELECT FROM audit",
        "UPDATE audit SET action = ''",
        "DELETE FROM audit",
        "UPDATE keeper_state SET v = ''",
        "INSERT INTO epochs (epoch) VALUES (gen_random_uuid())",
        "TRUNCATE memories",
        "ALTER TABLE memories DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_account ON memories",
        "CREATE POLICY mine ON memories USING (true)",
        "ALTER FUNCTION memory_key RESET ALL",
        "CREATE TABLE public.mine ()",
        "SET LOCAL session_replication_role = replica",
        "SELECT memory_anchor('{}', '{}', '{}', 0)",
        "COPY memories TO '/dev/null'",
    ],
)
def test_application_role_can_do_no_more_than_requests_need(
    ann: psycopg.Connection[Any], statement: str
) -> None:
    """Whatever somebody smuggled into a statement: the role may not."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ann.execute(statement)


def test_switching_row_security_off_fails_instead_of_showing_more(
    ann: psycopg.Connection[Any],
) -> None:
    """The setting that lifts policies for those who may refuses everybody else."""
    ann.execute("SET LOCAL row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ann.execute("SELECT FROM memories")


def test_careful_login_gains_nothing_by_giving_the_role_back(
    postgres: Server, database_name: str, tenants: tuple[Tenant, Tenant]
) -> None:
    """A login that is in memory_app alone has no rights of its own and no other role to take."""
    with as_application(postgres.url(database_name, LOGIN), tenants[0].id) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SET ROLE {OWNER}")
        connection.rollback()
        for giving_back in ("RESET ROLE", "SELECT set_config('role', 'none', true)"):
            connection.execute(giving_back)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT FROM memories")
            connection.rollback()


def test_setting_is_gone_after_the_transaction(url: str, tenants: tuple[Tenant, Tenant]) -> None:
    """The next transaction on the same connection starts with no role and no account."""
    with psycopg.connect(url, prepare_threshold=None) as connection:
        for tenant in tenants:
            connection.execute(
                "SELECT set_config('role', 'memory_app', true), "
                "set_config('app.account', %s, true)",
                (str(tenant.id),),
            )
            seen = connection.execute("SELECT account_id FROM memories").fetchall()
            connection.commit()
            assert seen == [(tenant.id,)]
            left = "SELECT current_setting('app.account', true), current_user = session_user"
            assert connection.execute(left).fetchone() == ("", True)
            connection.commit()


def test_recall_stays_in_the_account_of_the_transaction(
    url: str, tenants: tuple[Tenant, Tenant], superuser: psycopg.Connection[Any]
) -> None:
    """The owner's function takes the account from the setting and from nowhere else."""
    for tenant in tenants:
        with as_application(url, tenant.id) as connection:
            found = [one.uid for one in recall(connection, tenant.id, "tea likes")]
        own = superuser.execute("SELECT uid FROM memories WHERE account_id = %s", (tenant.id,))
        assert found == [uid for (uid,) in own.fetchall()]
    with as_application(url, None) as connection:
        assert recall(connection, tenants[0].id, "tea") == []


def test_key_is_found_by_its_id_before_the_account_is_known(
    url: str, tenants: tuple[Tenant, Tenant]
) -> None:
    """One row of one key, and no way to list them."""
    query = "SELECT account_id, name FROM memory_key(%s)"
    with as_application(url, None) as connection:
        assert connection.execute(query, ("key-of-ben",)).fetchall() == [(tenants[1].id, "laptop")]
        assert connection.execute(query, ("key-of-%",)).fetchall() == []


def test_account_is_made_once(url: str, tenants: tuple[Tenant, Tenant]) -> None:
    """The name decides; the id is only for a new one, which starts in the present epoch."""
    query = "SELECT memory_account_for(%s, %s)"
    new = uuid.uuid4()
    with as_application(url, None) as connection:
        assert connection.execute(query, ("ann", new)).fetchone() == (tenants[0].id,)
        assert connection.execute(query, ("cleo", new)).fetchone() == (new,)
        connection.execute("SELECT set_config('app.account', %s, true)", (str(new),))
        epochs = "SELECT a.base_version FROM account_epochs a JOIN epochs e USING (ordinal)"
        assert connection.execute(epochs).fetchall() == [(0,)]


def test_erasing_leaves_nothing_but_the_audit(
    url: str, tenants: tuple[Tenant, Tenant], superuser: psycopg.Connection[Any]
) -> None:
    """Every row of the account goes, no row of another one does."""
    with psycopg.connect(url, prepare_threshold=None) as connection:
        connection.execute(
            "SELECT set_config('role', 'memory_app', true), set_config('app.account', %s, true)",
            (str(tenants[0].id),),
        )
        removed: dict[str, int] = dict(
            connection.execute("SELECT * FROM memory_erase()").fetchall()
        )
    assert removed == dict.fromkeys((*TENANTS, "accounts"), 1)
    for table in TENANTS:
        owners = superuser.execute(f"SELECT account_id FROM {table}").fetchall()
        assert owners == [(tenants[1].id,)], table
    assert superuser.execute("SELECT count(*) FROM audit").fetchone() == (2,)


def test_erasing_without_an_account_erases_nothing(
    url: str, tenants: object, superuser: psycopg.Connection[Any]
) -> None:
    """A transaction that forgot to say whose it is destroys nothing."""
    with as_application(url, None) as connection:
        removed = connection.execute("SELECT removed FROM memory_erase()").fetchall()
    assert set(removed) == {(0,)}
