"""Operations that failed are counted; a purge passes over locked accounts; accounts know epochs."""

from __future__ import annotations

from migrations.statements import run, run_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them; a server of the version before calls what changes the same way."""
    run("SET LOCAL lock_timeout = '5s'")
    for name in ("failures", "accounts", "purge"):
        run_file(revision, name)


def downgrade() -> None:
    """Go forward instead: migrations are append-only."""
    raise NotImplementedError
