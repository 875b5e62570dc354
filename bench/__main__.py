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
    from collections.abc import Callable, Sequence

INTERRUPTED = 130
RESULTS = ROOT / "bench-results"


def main(arguments: Sequence[str]) -> int:
    """Run what was named, print a table, write JSON; 1 if a bound was missed."""
    known = found()
    asked = _parser(known).parse_args(arguments)
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        sys.stderr.write(f"bench: no benchmark {', '.join(unknown)}; there are {_list(known)}\n")
        return 2
    report = Report()
    try:
        for name in asked.names or known:
            report.bench = name
            report.note_load()
            known[name](report)
            report.save(RESULTS)
    except KeyboardInterrupt:
        report.progress("")
        sys.stderr.write("bench: interrupted\n")
        return INTERRUPTED
    finally:
        stores.clear()
    report.progress("")
    print(report.table())
    if asked.write:
        latest = Report()
        latest.load(RESULTS, known)
        document.write(latest)
    return int(bool(report.missed))


def found() -> dict[str, Callable[[Report], None]]:
    """Return the benchmarks by name: every module here that has a `run`."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    modules = {name: importlib.import_module(f"bench.{name}") for name in names if name[0] != "_"}
    return {name: module.run for name, module in modules.items() if hasattr(module, "run")}


def _list(known: dict[str, Callable[[Report], None]]) -> str:
    return ", ".join(known)


def _parser(known: dict[str, Callable[[Report], None]]) -> argparse.ArgumentParser:
    first = {name: (sys.modules[f"bench.{name}"].__doc__ or "").split("\n")[0] for name in known}
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measures the plugin and holds the figures to their bounds. Exit status 1: "
        "a bound was missed.",
        epilog="benchmarks:\n" + "\n".join(f"  {name:16}{says}" for name, says in first.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    parser.add_argument(
        "--write",
        action="store_true",
        help="also put the latest figures of all benchmarks into docs/benchmarks.md",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
