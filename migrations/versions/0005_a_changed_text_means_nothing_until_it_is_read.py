"""What a memory meant goes with its text, whoever changes it: also a server of before 0004."""

from __future__ import annotations

from migrations.statements import run, run_file

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the trigger; a server of the version before goes on as it did."""
    run("SET LOCAL lock_timeout = '5s'")
    run_file(revision, "forgetting")


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError
