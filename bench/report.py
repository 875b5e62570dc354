"""What a run of benchmarks found: rows of figures and bounds, as a table, as JSON, as Markdown."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEAD = ("benchmark", "figure", "bound", "verdict")
BUSY = 1.5  # load average from which on other work is felt in the figures


@dataclass(frozen=True)
class Row:
    """One figure and what it is held to; without a bound it is only told."""

    bench: str
    name: str
    figure: float
    unit: str
    bound: float | None
    at_least: bool

    @property
    def verdict(self) -> str:
        """Say whether the figure keeps its bound."""
        if self.bound is None:
            return "-"
        kept = self.figure >= self.bound if self.at_least else self.figure <= self.bound
        return "ok" if kept else "MISSED"

    def cells(self) -> tuple[str, str, str, str]:
        """Return the row as the table shows it."""
        sign = ">=" if self.at_least else "<="
        bound = "" if self.bound is None else f"{sign} {_number(self.bound)} {self.unit}"
        return self.name, f"{_number(self.figure)} {self.unit}", bound.strip(), self.verdict


@dataclass
class Report:
    """Collects the rows of a run; benchmarks are handed one."""

    bench: str = ""
    rows: list[Row] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    data: Path | None = None  # a folder of conversations, if the person at the terminal named one
    foreign: int = 0  # memories that nobody asks for, in each store
    semantic: bool = False  # compare by the model, where a benchmark can
    ablations: bool = False  # recall is asked again without each of its parts
    runs: int = 500  # of the simulation, from `seed` on
    seed: int = 1
    steps: int = 400
    jobs: int = 0  # processes; 0: one for each core

    def add(
        self,
        name: str,
        figure: float,
        unit: str,
        bound: float | None = None,
        *,
        at_least: bool = False,
    ) -> None:
        """Note a figure; `bound` is the most it may be, or with `at_least` the least."""
        self.rows.append(Row(self.bench, name, float(figure), unit, bound, at_least))
        self.note_load()

    def note_load(self) -> None:
        """Note how busy the machine is, where the system tells."""
        if hasattr(os, "getloadavg"):
            self.loads.append(os.getloadavg()[0])

    def progress(self, text: str) -> None:
        """Tell the person at the terminal what is going on; a pipe is told nothing."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{self.bench}: {text}" if text else "\r\033[K")
            sys.stderr.flush()

    @property
    def missed(self) -> list[Row]:
        """Return the rows that break their bound."""
        return [row for row in self.rows if row.verdict == "MISSED"]

    @property
    def machine(self) -> str:
        """Say in words on what the figures were measured."""
        kind = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
        return f"{kind}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"

    def table(self) -> str:
        """Return all rows as a table in plain text."""
        lines = [HEAD, *(row.cells() for row in self.rows)]
        widths = [max(len(line[at]) for line in lines) for at in range(len(HEAD))]
        shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([shown[0], rule, *shown[1:], "", *self.circumstances()])

    def markdown(self) -> str:
        """Return all rows as a table in Markdown."""
        lines = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in self.rows)]
        shown = [f"| {' | '.join(line)} |" for line in lines]
        return "\n".join([*shown, "", *self.circumstances()])

    def circumstances(self) -> list[str]:
        """Say on what the figures were measured, and how busy it was."""
        lines = [f"Measured on {self.machine}."]
        highest = max(self.loads, default=0.0)
        if highest > BUSY:
            lines.append(
                f"Other programs were at work meanwhile (load average up to {highest:.1f}), "
                "so these figures are pessimistic."
            )
        return lines

    def save(self, folder: Path) -> None:
        """Write the rows of the benchmark that just ran to a JSON file of its own."""
        folder.mkdir(exist_ok=True)
        rows = [row for row in self.rows if row.bench == self.bench]
        found = {
            "bench": self.bench,
            "machine": self.machine,
            "load": max(self.loads, default=0.0),
            "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
        }
        (folder / f"{self.bench}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")

    def load(self, folder: Path, names: Iterable[str]) -> None:
        """Take the rows that benchmarks of these names saved when they last ran."""
        for name in names:
            path = folder / f"{name}.json"
            if path.is_file():
                found = json.loads(path.read_text("utf-8"))
                self.loads.append(found["load"])
                for row in found["rows"]:
                    del row["verdict"]
                    self.rows.append(Row(**row))


def _number(value: float) -> str:
    """Write a figure with three digits that mean something, and no needless ones."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"
