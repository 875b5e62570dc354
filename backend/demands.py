"""What the server demands of a database: its encoding, and that policies bind who serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.errors import ConfigurationError

if TYPE_CHECKING:
    from psycopg import AsyncConnection, BaseConnection

ROLE = "memory_app"
ENCODING = "UTF8"  # of the database, and of what we send it whatever a login is set to
TENANT_TABLES = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
       pg_has_role(current_user, c.relowner, 'USAGE')
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
  AND (c.relname = 'accounts' OR EXISTS (
    SELECT FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped))
ORDER BY c.relname
"""
MAY_READ = "SELECT has_table_privilege(to_regclass('alembic_version'), 'SELECT')"
# What binds the policies to whom our functions run as; nothing where that is so already.
TO_OWNER = """
SELECT o.rolname, string_agg(
    format('ALTER POLICY %I ON %I TO %I;', p.polname, c.relname, o.rolname), ' ' ORDER BY c.relname)
FROM pg_proc f JOIN pg_roles o ON o.oid = f.proowner,
     pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE f.proname = 'memory_account_for' AND f.pronamespace = current_schema()::regnamespace
  AND p.polname = 'functions_of_owner' AND c.relnamespace = f.pronamespace
  AND NOT o.rolsuper AND NOT o.rolbypassrls
  AND NOT EXISTS (SELECT FROM unnest(p.polroles) r WHERE pg_has_role(o.oid, r, 'USAGE'))
GROUP BY o.rolname
"""
WHO = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"


async def check(connection: AsyncConnection[Any]) -> None:
    """Let pass a database that can hold every text, and where accounts are kept apart.

    Raises:
        ConfigurationError: the role in effect may see what it must not, or not what it must, or a
            table is open.
    """
    refuse_encoding(connection)
    _refuse_mighty(await (await connection.execute(WHO)).fetchone())
    tables = await (await connection.execute(TENANT_TABLES)).fetchall()
    if not tables:
        raise ConfigurationError("The database has no tables yet. Run `python -m backend migrate`.")
    for name, is_forced, is_owned in tables:
        if is_owned:
            raise ConfigurationError(f"The role {ROLE} owns {name}; give it another owner.")
        if not is_forced:
            raise ConfigurationError(
                f"Row-level security is not in force on {name}. Run: ALTER TABLE {name} "
                "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
            )
    if await (await connection.execute(MAY_READ)).fetchone() == (False,):
        raise ConfigurationError(
            f"The role {ROLE} may not read its tables: they were restored without privileges. "
            "Restore them anew, without --no-privileges (--no-acl)."
        )
    if found := await (await connection.execute(TO_OWNER)).fetchone():
        raise ConfigurationError(
            "The tables belong to {0}, and to another login when they were saved: what runs as {0} "
            "sees no row. Run as {0}: {1}".format(*found)
        )


def refuse_encoding(connection: BaseConnection[Any]) -> None:
    """Let pass a database that can hold every text.

    Raises:
        ConfigurationError: it stores text in another encoding.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != ENCODING:
        raise ConfigurationError(
            f"The database stores text as {encoding}, which cannot hold every memory. Make another "
            f"with: CREATE DATABASE ... TEMPLATE template0 ENCODING '{ENCODING}' LOCALE 'C.UTF-8';"
        )


def _refuse_mighty(role: tuple[Any, ...] | None) -> None:
    name, is_superuser, bypasses = role or ("unknown", True, True)
    if name != ROLE or is_superuser or bypasses:
        raise ConfigurationError(
            f"The role in effect is {name}, which row-level security does not bind. Run: "
            f"ALTER ROLE {ROLE} NOSUPERUSER NOBYPASSRLS;"
        )
