"""A recall of an account of the usual size is not planned anew each time; it finds the same."""

from __future__ import annotations

from migrations.statements import run, run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put it in the place of the former one, which servers of the version before call as well."""
    run("SET LOCAL lock_timeout = '5s'")
    run_file(revision, "candidates")


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError
