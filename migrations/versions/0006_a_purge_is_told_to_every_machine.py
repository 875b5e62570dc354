"""A tombstone says whether its memory was purged, so that machines erase what they keep of it."""

from __future__ import annotations

from migrations.statements import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; a server of the version before goes on as it did, and tells of none."""
    run("SET LOCAL lock_timeout = '5s'")
    run("ALTER TABLE memories ADD COLUMN purged boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError
