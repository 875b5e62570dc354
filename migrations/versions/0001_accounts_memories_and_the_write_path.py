"""Accounts, memories and the write path: tables, roles, row-level security and functions."""

from __future__ import annotations

import psycopg

from backend.errors import ConfigurationError
from backend.migrate import MAY_TAKE
from migrations.statements import run, run_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FOR_AN_OPERATOR = (
    "CREATE ROLE memory_app NOLOGIN NOSUPERUSER NOBYPASSRLS; GRANT memory_app TO {login};"
)
CREATE_ROLE = """
DO $do$ BEGIN
    CREATE ROLE memory_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- roles are shared by all databases
END $do$
"""


def upgrade() -> None:
    """Make everything that the first version needs."""
    run("SET LOCAL lock_timeout = '5s'")
    _make_role()
    _make_extension()
    for name in ("tables", "statistics", "security", "functions", "recall"):
        run_file(revision, name)
    run_file(revision, "rights")


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError


def _make_role() -> None:
    """Make the role that the server takes, and let this login take it."""
    ((login,),) = run("SELECT quote_ident(current_user)")
    try:
        if not run("SELECT 1 FROM pg_roles WHERE rolname = 'memory_app'"):
            run(CREATE_ROLE)
        ((may_take,),) = run(MAY_TAKE.format(login="current_user"))
        if not may_take:
            run(f"GRANT memory_app TO {login}")
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"The login {login} may not make the role memory_app. Let an operator run this, then "
            f"migrate again: {FOR_AN_OPERATOR.format(login=login)}"
        ) from error


def _make_extension() -> None:
    """Make the extension that lets one index hold the account beside the words."""
    try:
        run("CREATE EXTENSION IF NOT EXISTS btree_gin")
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            "The login may not add the extension btree_gin. Let an operator run this in the "
            "database, then migrate again: CREATE EXTENSION btree_gin;"
        ) from error
