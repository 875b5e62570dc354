"""Shows hybrid mode: two machines with one key, and a cable to the server that can be pulled.

Each machine is the plugin's MCP server with a home folder of its own, which is removed at the end;
the memories that they store for this are purged again.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.cable import Cable
from tools.prove_plugin import session, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.prove_plugin import Session

FACT = "The invoices of this demonstration are printed by the machine called Heron."
QUESTION = "which machine prints the invoices"
OFFLINE = "The archive of this demonstration is in the cellar, behind the blue door."
OFFLINE_QUESTION = "where is the archive"
SENT = "everything is sent"
PATIENCE = 60.0  # seconds until what comes by itself must have come


def prove(address: str, key: str) -> int:
    """Show two machines that share memories; return the exit status."""
    try:
        with tempfile.TemporaryDirectory(prefix="claude-memory ") as folder:
            _share(Path(folder), address, key)
    except TimeoutError as error:
        print(f"\n{error}\nPlease report this.", file=sys.stderr)
        return 1
    return 0


def _share(folder: Path, address: str, key: str) -> None:
    parts = urlsplit(address)
    with (
        Cable(str(parts.hostname), int(parts.port or 80)) as cable,
        _machine(folder / "laptop", cable.url, key) as laptop,
        _machine(folder / "desktop", address, key) as desktop,
    ):
        _wait(lambda: laptop.call("memory_status"), SENT)
        show(f'Two machines, one key. The laptop is told: "{FACT}"', _store(laptop, FACT))
        show(f'The desktop recalls "{QUESTION}":', _recalled(desktop, QUESTION, FACT))
        cable.pull()
        show(f'The laptop is offline, and is told: "{OFFLINE}"', _store(laptop, OFFLINE))
        cable.plug()
        found = _recalled(desktop, OFFLINE_QUESTION, OFFLINE)
        show(f'It is online again. The desktop recalls "{OFFLINE_QUESTION}":', found)
        for fact in (FACT, OFFLINE):
            desktop.call("memory_delete", id=_label(desktop, fact), purge=True)
        _wait(lambda: desktop.call("memory_status"), SENT)


@contextmanager
def _machine(home: Path, address: str, key: str) -> Iterator[Session]:
    settings = {"MEMORY_API_URL": address, "MEMORY_API_KEY": key}
    with session(home, "project", settings) as found:
        yield found


def _store(machine: Session, fact: str) -> str:
    return machine.call("memory_store", content=fact)


def _recalled(machine: Session, question: str, fact: str) -> str:
    """Recall until a fact has come; return its line."""
    said = _wait(lambda: machine.call("memory_recall", context=question), fact)
    return next(line for line in said.splitlines() if fact in line)


def _label(machine: Session, fact: str) -> str:
    found = re.match(r"(#\d+) ", _recalled(machine, fact, fact))
    return found[1] if found else ""


def _wait(ask: Callable[[], str], wanted: str) -> str:
    """Ask until the answer holds what is wanted; return it.

    Raises:
        TimeoutError: it never came.
    """
    end = time.monotonic() + PATIENCE
    while wanted not in (said := ask()):
        if time.monotonic() > end:
            message = f"{wanted!r} did not come. The last answer was:\n{said}"
            raise TimeoutError(message)
        time.sleep(0.05)
    return said
