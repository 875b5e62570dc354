"""Functions alone: a new life is noticed under the account's lock, old rates are purged."""

from __future__ import annotations

from migrations.statements import run, run_file

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the functions; a server of the version before calls those that change the same way."""
    run("SET LOCAL lock_timeout = '5s'")
    run_file(revision, "lives")
    run_file(revision, "purge")


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError
