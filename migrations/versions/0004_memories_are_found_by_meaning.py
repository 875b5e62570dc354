"""Beside a memory stands what it means; recall brings candidates, and the server orders them."""

from __future__ import annotations

from migrations.statements import run, run_file

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them; a server of the version before goes on with what it calls."""
    run("SET LOCAL lock_timeout = '5s'")
    for name in ("meanings", "candidates"):
        run_file(revision, name)


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError
