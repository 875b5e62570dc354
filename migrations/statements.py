"""What the migrations share: running their SQL files just as they stand."""

from __future__ import annotations

from pathlib import Path

from alembic import op

SQL = Path(__file__).parent / "sql"


def run(sql: str) -> list[tuple[object, ...]]:
    """Execute statements; `%` and `:` have no meaning of their own."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute(sql)
    return list(cursor.fetchall()) if cursor.description else []


def run_file(revision: str, name: str) -> None:
    """Execute a file of a revision's folder, with the name of the schema put in."""
    schema = str(run("SELECT quote_ident(current_schema())")[0][0])
    run((SQL / revision / f"{name}.sql").read_text("utf-8").replace("{schema}", schema))
