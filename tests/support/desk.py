"""The tools of one session, without a process around them and with a clock to turn."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from claude_memory import paths, tools
from claude_memory.errors import ClaudeMemoryError
from claude_memory.keeper import choice
from claude_memory.service.local import LocalService
from claude_memory.service.opening import Opening
from claude_memory.service.place import Place
from claude_memory.service.secrets import Keepers, SecretDoor
from claude_memory.settings import Settings
from claude_memory.stdio.calls import Call
from claude_memory.stdio.jsonrpc import Request

from tests.support.stores import kept

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from claude_memory.keeper.interface import Keeper
    from claude_memory.store.connection import StoreConnection

START = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
OWN_KEEPER = "the one that the settings choose"


class _KeptPlace(Place):
    """A place whose connections are closed when the test ends."""

    def _open(self) -> StoreConnection:
        found = super()._open()
        kept(found)
        return found


class Desk:
    """One session: its tools by name, its store, and its clock."""

    def __init__(
        self,
        home: object,
        *,
        project: str = "",
        session: str = "a session",
        keeper: Keeper | str | None = OWN_KEEPER,
        locate: Callable[[], str] | str = "",
        **environ: str,
    ) -> None:
        """Set up a session on the data folder `home`; `keeper` None means that nothing can seal.

        It works in `memory.db`, unless `locate` is or tells another file.
        """
        self.settings = Settings.from_env({"MEMORY_HOME": str(home), **environ})
        self.clock = START
        choose: Callable[[], Any] = lambda: keeper  # noqa: E731
        if keeper == OWN_KEEPER:
            choose = lambda: choice.choose(self.settings)  # noqa: E731
        given = keeper if keeper is not None and not isinstance(keeper, str) else None
        keepers = Keepers(choose, lambda sealed: given or choice.opener(self.settings, sealed))
        database = locate or paths.database(self.settings.home)
        self.place = _KeptPlace(
            locate=lambda: database if isinstance(database, str) else database(),
            home=self.settings.home,
            project=project,
            first_session=session,
            now=self.tick,
            opening=Opening(self.settings.home, self.tick, keepers.seal),
        )
        self.door = SecretDoor(self.place, keepers)
        self.service = LocalService(self.place, self.door, self.settings)
        self._tools = {
            tool.name: handler for tool, handler in tools.build(self.service, self.service)
        }

    def tick(self) -> datetime:
        """Return a time a second after the last one."""
        self.clock += timedelta(seconds=1)
        return self.clock

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the store's connection."""
        return self.place.connection()

    def call(self, tool: str, **arguments: Any) -> str:
        """Call a tool and return its text.

        Raises:
            ClaudeMemoryError: the call is refused.
        """
        request = Request(1, "tools/call", {"name": tool, "arguments": arguments})
        return self._tools[tool](Call(request))

    def refused(self, tool: str, **arguments: Any) -> str:
        """Call a tool that must refuse, and return what it says."""
        try:
            answer = self.call(tool, **arguments)
        except ClaudeMemoryError as error:
            return error.sentence()
        raise AssertionError(f"{tool} was not refused but answered: {answer}")

    def store(self, content: str, **fields: Any) -> str:
        """Store a memory and return its label."""
        answer = self.call("memory_store", content=content, **fields)
        return answer.split(" memory ")[1].split(" ")[0]

    def texts(self, tool: str = "memory_list", **arguments: Any) -> list[str]:
        """Return the entries of an answer, without its header."""
        lines = self.call(tool, **arguments).splitlines()
        return [line for line in lines[1:] if line.startswith(("L", "#"))]
