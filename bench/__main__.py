"""Runs the benchmarks: `./dev bench [NAME ...]`. Each module of bench/ with a `run` is one."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "plugin" / "mcp")]

from bench import document, stores  # noqa: E402  (the plugin is on the path only now)
from bench.report import Report  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

INTERRUPTED = 130
RESULTS = ROOT / "bench-results"


def main(arguments: Sequence[str]) -> int:
    """Run what was named, print a table, write JSON; 1 if a bound was missed."""
    known = found()
    options = vars(_parser(known).parse_args(arguments))
    names, is_written = options.pop("names"), options.pop("write")
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"bench: no benchmark {', '.join(unknown)}; there are {_list(known)}\n")
        return 2
    report = Report(**options)
    try:
        for name in names or known:
            report.bench = name
            report.note_load()
            known[name].run(report)
            report.save(RESULTS)
    except KeyboardInterrupt:
        report.progress("")
        sys.stderr.write("bench: interrupted\n")
        return INTERRUPTED
    finally:
        stores.clear()
    report.progress("")
    print(report.table())
    if is_written:
        _write(names, known)
    return int(bool(report.missed))


def found() -> dict[str, ModuleType]:
    """Return the benchmarks by name: every module here that has a `run`."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    modules = {name: importlib.import_module(f"bench.{name}") for name in names if name[0] != "_"}
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def _write(names: Sequence[str], known: dict[str, ModuleType]) -> None:
    """Put the latest figures into docs/, and what the benchmarks that ran publish by themselves."""
    latest = Report()
    latest.load(RESULTS, known)
    document.put(document.PAGE, latest.markdown())
    for name in names or known:
        if hasattr(known[name], "publish"):
            known[name].publish()


def _list(known: dict[str, ModuleType]) -> str:
    return ", ".join(known)


def _parser(known: dict[str, ModuleType]) -> argparse.ArgumentParser:
    first = {name: (module.__doc__ or "").split("\n")[0] for name, module in known.items()}
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measures the plugin and holds the figures to their bounds. Exit status 1: "
        "a bound was missed.",
        epilog="benchmarks:\n" + "\n".join(f"  {name:24}{says}" for name, says in first.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    parser.add_argument(
        "--write",
        action="store_true",
        help="also put the latest figures into docs/benchmarks.md and docs/recall.md",
    )
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="recall_quality: conversations to ask, too"
    )
    parser.add_argument(
        "--foreign",
        type=int,
        default=0,
        metavar="COUNT",
        help="recall_quality: ask again with so many foreign memories in each store",
    )
    parser.add_argument(
        "--semantic", action="store_true", help="backend_recall_quality: compare by MiniLM"
    )
    parser.add_argument(
        "--ablations",
        action="store_true",
        help="recall_quality: ask again without each part of the ranking",
    )
    for name, says in (
        ("runs", "how many runs"),
        ("seed", "the first run's seed; the others count on from it"),
        ("steps", "steps of each run"),
        ("jobs", "processes at once (default: one for each core)"),
    ):
        usual = getattr(Report, name)
        parser.add_argument(f"--{name}", type=int, default=usual, help=f"sim, sim_faults: {says}")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
