"""The commands of `python3 server.py NAME`: doctor, status, export, import."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

from claude_memory.errors import ClaudeMemoryError, StoreError
from claude_memory.store.lines import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from claude_memory.__main__ import Assembly
    from claude_memory.portability.incoming import Outcome

INTERRUPTED = 130
INTERRUPTION = "Interrupted. Nothing is half done: the same command, run again, does the rest."
SHOWN = 50  # lines of a preview


def run(argv: Sequence[str], parts: Assembly, version: str) -> int:
    """Run one command; return its exit code: 0 done, 1 failed, 2 asked wrongly, 130 Ctrl-C."""
    asked = _parser(version).parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # memories may hold what a code page lacks
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = int(asked.command(asked, parts, version))
        sys.stdout.flush()
    except ClaudeMemoryError as error:
        _say(error.sentence(), sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say(INTERRUPTION, sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `export | head`
        return _without_output()
    except OSError as error:
        _say(f"The output cannot be written: {error.strerror}.", sys.stderr)
        return _without_output()
    return code


def _without_output() -> int:
    """Let nothing complain at the end of the process about output that nobody can take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _parser(version: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="server.py",
        description="claude-memory: without a command, an MCP server on stdin and stdout.",
    )
    parser.add_argument("--version", action="version", version=f"claude-memory {version}")
    names = parser.add_subparsers(metavar="COMMAND", required=True)
    doctor = names.add_parser("doctor", help="check everything; each finding names its fix")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.set_defaults(command=_doctor)
    status = names.add_parser("status", help="show what memory_status shows")
    status.set_defaults(command=_status)
    export = names.add_parser("export", help="write all memories as JSON lines")
    export.add_argument("file", nargs="?", default="-", help="default: standard output")
    export.set_defaults(command=_export)
    bring = names.add_parser(
        "import", help="bring memories in: an export, another store's JSON lines, Markdown notes"
    )
    bring.add_argument("files", nargs="+", metavar="FILE", help="a file or a folder of files")
    bring.add_argument("--preview", action="store_true", help="only show what would be imported")
    bring.add_argument(
        "--scope",
        choices=("global", "project"),
        default="global",
        help="where facts of other stores belong (default: global)",
    )
    bring.set_defaults(command=_import)
    return parser


def _say(text: str, where: TextIO | None = None) -> None:
    (where or sys.stdout).write(text + "\n")


def _doctor(asked: argparse.Namespace, parts: Assembly, version: str) -> int:
    from claude_memory import doctor

    findings = doctor.examine(parts.settings, parts.place, version, parts.hello)
    _say(doctor.as_json(findings) if asked.json else doctor.as_text(findings))
    return int(any(one.status == "fail" for one in findings))


def _status(asked: argparse.Namespace, parts: Assembly, version: str) -> int:
    del asked, version
    status = parts.service.status()
    for name, value in status.lines:
        _say(f"{name}: {value}")
    for sentence in status.attention:
        _say(f"! {sentence}")
    return 0


def _export(asked: argparse.Namespace, parts: Assembly, version: str) -> int:
    from claude_memory.portability import outgoing
    from claude_memory.store import seals

    _refuse_without_store(parts)
    _refuse_own_folder(asked.file, parts.place.database)
    with parts.place.guarded():
        lines = outgoing.lines(parts.place.connection(), parts.place.now(), version)
        if asked.file == "-":
            for line in lines:
                _say(line)
        else:
            count = _write(asked.file, lines) - 1  # the header
            _say(f"{counted(count, 'memory')} exported to {asked.file}.", sys.stderr)
        missing = seals.count_on_server(parts.place.connection())
    if missing:
        of = f"the secret{'s' * (missing != 1)} of {counted(missing, 'memory')}"
        _say(f"Not in the export: {of}, kept by the server alone.", sys.stderr)
    return 0


def _refuse_without_store(parts: Assembly) -> None:
    if parts.settings.is_direct:
        message = "In HTTP-only mode there is no store on this machine."
        fix = "Use the server's /api/export and /api/memories/import, or unset MEMORY_SYNC_DISABLE."
        raise StoreError(message, fix)


def _refuse_what_sessions_do_not_keep(parts: Assembly) -> None:
    """Make no store where a session, which may have the key that a shell lacks, makes none."""
    if parts.settings.sync_disabled:
        message = "MEMORY_SYNC_DISABLE is set: sessions with a key keep nothing on this machine."
        fix = "Use the server's /api/memories/import, or unset MEMORY_SYNC_DISABLE."
        raise StoreError(message, fix)


def _refuse_own_folder(path: str, database: str) -> None:
    """Refuse to write over the store, or where its copies are deleted after a while."""
    folder = os.path.realpath(os.path.dirname(database))
    if path != "-" and os.path.dirname(os.path.realpath(path)) == folder:
        raise StoreError(f"{path} is in the folder of the store itself.", "Choose another place.")


def _write(path: str, lines: Iterable[str]) -> int:
    """Write the lines to a private file, all of it or nothing; return how many."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise StoreError(f"{path} is no file.", "Leave it out to write to standard output.")
    target = os.path.realpath(path)
    part = f"{target}.part-{os.urandom(4).hex()}"
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            count = sum(file.write(line + "\n") > 0 for line in lines)
            file.flush()
            os.fsync(handle)
        os.replace(part, target)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise StoreError(message, "Choose another place.") from error
    finally:
        if os.path.exists(part):
            os.unlink(part)
    return count


def _import(asked: argparse.Namespace, parts: Assembly, version: str) -> int:
    del version
    from claude_memory.portability import incoming, readers

    _refuse_without_store(parts)
    _refuse_what_sessions_do_not_keep(parts)
    left_out: list[str] = []
    facts = [fact for path in asked.files for fact in readers.facts(path, left_out)]
    if not facts:
        _say(f"Nothing to import was found in {', '.join(asked.files)}.")
        _tell(left_out)
        return 0
    with parts.place.guarded():
        outcomes, notes = incoming.bring_in(
            parts.place,
            parts.door,
            _rehearsal(parts) if asked.preview else parts.place.connection(),
            facts,
            scope=asked.scope,
            preview=asked.preview,
            progress=_progress,
        )
    if asked.preview:
        _show(outcomes)
    _tell(left_out)
    _sum_up(outcomes, notes, "would be imported" if asked.preview else "imported")
    return 0


def _rehearsal(parts: Assembly) -> sqlite3.Connection:
    """Return a copy of the store in memory: a preview makes no file, and keeps nobody waiting."""
    from claude_memory.store import schema

    connection = sqlite3.connect(":memory:", isolation_level=None)
    if os.path.exists(parts.place.database):
        parts.place.connection().backup(connection)
    schema.create(connection)
    return connection


def _sum_up(outcomes: list[Outcome], notes: Iterable[str], verb: str) -> None:
    counts = dict.fromkeys(("new", "known", "differs"), 0)
    for one in outcomes:
        counts[one.verdict] += 1
    _say(f"{counted(counts['new'], 'memory')} {verb}, {counts['known']} already here.")
    if counts["differs"]:
        _say(
            f"{counted(counts['differs'], 'memory')} kept as here, where the file has another text."
        )
    for note in notes:
        _say(note)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 500 == 0 or done == total):
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r{done} of {total}{end}")
        sys.stderr.flush()


def _tell(left_out: list[str]) -> None:
    for place in left_out[:SHOWN]:
        _say(f"left out: {place}")
    if len(left_out) > SHOWN:
        _say(f"... and {len(left_out) - SHOWN} more left out")


def _show(outcomes: list[Outcome]) -> None:
    import json

    for one in outcomes[:SHOWN]:
        redacted = f"  (redacted: {', '.join(one.kinds)})" if one.kinds else ""
        _say(f"{one.verdict:8}{json.dumps(one.content, ensure_ascii=False)}{redacted}")
    if len(outcomes) > SHOWN:
        _say(f"... and {len(outcomes) - SHOWN} more")
