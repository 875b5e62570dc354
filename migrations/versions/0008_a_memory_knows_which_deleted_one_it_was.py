"""A memory that came back after a delete names the deleted one: a purge has to reach that too."""

from __future__ import annotations

from migrations.statements import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; a server of the version before goes on as it did, and notes none."""
    run("SET LOCAL lock_timeout = '5s'")
    run("ALTER TABLE memories ADD COLUMN restored_from uuid")


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError
