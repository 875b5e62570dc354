"""The schema is what the models say, and no tenant's table is left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

from backend import migrate, models
from backend.db import connect_directly

if TYPE_CHECKING:
    import psycopg

GRANTS = """
SELECT table_name, string_agg(DISTINCT privilege_type, ' ' ORDER BY privilege_type)
FROM information_schema.role_table_grants WHERE grantee = 'memory_app' GROUP BY table_name
"""
FUNCTIONS = """
SELECT p.proname, p.proconfig, pg_get_userbyid(p.proowner),
       has_function_privilege('public', p.oid, 'EXECUTE'),
       has_function_privilege('memory_app', p.oid, 'EXECUTE')
FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
"""


def test_migrations_make_exactly_what_the_models_say(database_url: str) -> None:
    """Alembic finds nothing that it would change."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect_directly(database_url),
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_search_vector_is_computed_as_the_models_say(superuser: psycopg.Connection[Any]) -> None:
    """Alembic does not compare what a column is computed from; this does."""
    superuser.execute(
        f"CREATE TEMPORARY TABLE said AS SELECT ({models.SEARCH_VECTOR}) AS tsv FROM "
        "(VALUES ('The deployed Servers', 'ops,infra', 'hosting', 'ser ver')) "
        "m(content, tags, expanded_keywords, words)"
    )
    superuser.execute(
        "INSERT INTO memories (account_id, uid, no, version, content, tags, expanded_keywords, "
        "words, category, created_at, updated_at) SELECT gen_random_uuid(), gen_random_uuid(), 1, "
        "1, 'The deployed Servers', 'ops,infra', 'hosting', 'ser ver', 'facts', now(), now()"
    )
    same = superuser.execute("SELECT m.tsv = s.tsv, s.tsv::text FROM memories m, said s").fetchone()
    assert same is not None
    assert same[0], same[1]


def test_needed_schema_is_the_newest_migration() -> None:
    """The number that a server compares with is the one that Alembic calls head."""
    config = Config()
    config.set_main_option("script_location", str(migrate.ROOT / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.NEEDED]


def test_every_tenant_table_is_under_forced_row_level_security(
    superuser: psycopg.Connection[Any],
) -> None:
    """Whatever has an account has a policy that binds its owner, too."""
    rows = superuser.execute(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, EXISTS (SELECT FROM "
        "pg_policy p WHERE p.polrelid = c.oid AND p.polroles = ARRAY['memory_app'::regrole::oid]) "
        "FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    shared = {"epochs", "keeper_state", "alembic_version"}
    tenants = {name: tuple(rest) for name, *rest in rows if name not in shared}
    assert set(tenants) == {table for table in SQLModel.metadata.tables if table not in shared}
    assert set(tenants.values()) == {(True, True, True)}


def test_account_comes_first_in_every_key(superuser: psycopg.Connection[Any]) -> None:
    """No index of a tenant's table begins with anything else; keys by id are looked up before."""
    rows = superuser.execute(
        "SELECT i.indexrelid::regclass::text, a.attname FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
        "WHERE EXISTS (SELECT FROM pg_attribute b WHERE b.attrelid = c.oid "
        "AND b.attname = 'account_id')"
    ).fetchall()
    assert {name for name, first in rows if first != "account_id"} == {"api_keys_id_key"}
    assert len(rows) > 10


def test_application_role_has_the_least_rights(superuser: psycopg.Connection[Any]) -> None:
    """It reads and writes what requests need; the audit can only be added to."""
    assert dict(superuser.execute(GRANTS).fetchall()) == {
        "account_epochs": "SELECT",
        "accounts": "SELECT",  # and UPDATE of the counters alone
        "alembic_version": "SELECT",
        "api_keys": "INSERT SELECT",  # and UPDATE of two columns
        "audit": "INSERT",
        "epochs": "SELECT",
        "failures": "INSERT SELECT UPDATE",
        "history": "DELETE INSERT SELECT UPDATE",
        "keeper_state": "INSERT SELECT",
        "meanings": "DELETE INSERT SELECT UPDATE",
        "memories": "INSERT SELECT UPDATE",
        "ops": "INSERT SELECT",
        "rate_limits": "INSERT SELECT UPDATE",
    }
    columns = superuser.execute(
        "SELECT table_name || '.' || column_name FROM information_schema.column_privileges "
        "WHERE grantee = 'memory_app' AND privilege_type = 'UPDATE' "
        "AND table_name IN ('accounts', 'api_keys')"
    ).fetchall()
    counters = ("version", "next_no", "horizon", "live", "digest", "changed_at")
    assert {name for (name,) in columns} == {
        *(f"accounts.{counter}" for counter in counters),
        "api_keys.last_used_at",
        "api_keys.revoked_at",
    }


def test_application_role_owns_nothing_and_cannot_log_in(
    superuser: psycopg.Connection[Any],
) -> None:
    """Whoever takes it is bound by every policy."""
    role = superuser.execute(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles "
        "WHERE rolname = 'memory_app'"
    ).fetchone()
    owned = superuser.execute(
        "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'memory_app'::regrole AND deptype = 'o'"
    ).fetchone()
    assert role == (False,) * 5
    assert owned == (0,)


def test_functions_of_the_owner_are_pinned_and_for_the_application_only(
    superuser: psycopg.Connection[Any],
) -> None:
    """Nobody else may call them, and no schema of a caller can stand in for ours."""
    rows = superuser.execute(FUNCTIONS).fetchall()
    assert {row[0] for row in rows} == {
        "memory_account_for",
        "memory_accounts",
        "memory_candidates",
        "memory_erase",
        "memory_in_known_life",
        "memory_key",
        "memory_life",
        "memory_purge",
        "memory_recall",  # which a server of the version before calls
        "memory_rotate_epoch",
    }
    for name, config, owner, for_public, for_application in rows:
        assert "search_path=pg_catalog, public, pg_temp" in config, name
        assert (owner, for_public, for_application) == ("schema_owner", False, True), name
