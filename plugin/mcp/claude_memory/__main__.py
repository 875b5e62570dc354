"""The composition root: settings, store, service and server are put together here, nowhere else."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace

from claude_memory import memory, project, tools
from claude_memory.background import Background
from claude_memory.hooks.spoken import Spoken
from claude_memory.learn.witness import Witness
from claude_memory.service.local import LocalService
from claude_memory.service.opening import Opening
from claude_memory.service.place import Place
from claude_memory.service.secrets import Keepers, SecretDoor, Unattended
from claude_memory.settings import Settings
from claude_memory.stdio.calls import Tool
from claude_memory.stdio.server import Server
from claude_memory.store import bindings, failures
from claude_memory.variables import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from claude_memory.keeper.interface import Keeper, Sealed
    from claude_memory.service.interface import Service
    from claude_memory.stdio.calls import Call
    from claude_memory.sync.engine import Engine
    from claude_memory.sync.files import Files
    from claude_memory.sync.http_transport import HttpTransport
    from claude_memory.sync.remote import Remote
    from claude_memory.sync.wire import Hello
    from claude_memory.sync.worker import Worker

CALL_SECONDS = 15.0  # that one call of the server may take
PLUGIN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main(argv: Sequence[str]) -> int:
    """Serve MCP over stdin and stdout, or run the command that `argv` names."""
    if argv:
        from claude_memory import commands

        return commands.run(argv, build(os.environ, for_session=False), version())
    return serve(os.environ)


class Assembly:
    """The parts that work together in one process; nothing is opened before it is needed."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        project_folder: str,
        session: str,
    ) -> None:
        """Put the parts together."""
        self.settings = settings
        self._environ = environ
        self._close: Callable[[], None] = _nothing
        self.worker: Worker | None = None
        self.keepers = keepers = Keepers(self._choose, self._opener)
        self.place = Place(
            locate=self._locate(),
            home=settings.home,
            project=memory.bounded(project.identity(project_folder)),
            first_session=session,
            now=memory.utc_now,
            opening=Opening(settings.home, memory.utc_now, keepers.seal),
        )
        self.door = SecretDoor(self.place, keepers)
        self.service: Service = LocalService(self.place, self.door, settings)
        if settings.is_direct:
            self._go_direct()

    def hello(self) -> Hello:
        """Ask the server who it is.

        Raises:
            RemoteError: it cannot be used.
        """
        remote = self._remote()
        try:
            return remote.hello()
        finally:
            remote.close()

    def begin(self) -> None:
        """Note with which key this session begins, for commands in a shell."""
        asked = self.settings
        key = bindings.fingerprint(asked.api_url, asked.api_key) if asked.syncs else ""
        bindings.begin(asked.home, key)

    def close(self) -> None:
        """Let calls to the server that are under way fail."""
        self._close()

    def sync(self, on_failure: Callable[[str, Exception], None]) -> None:
        """Begin to keep the store in step with the server."""
        from claude_memory.service.synced import SyncedService
        from claude_memory.sync import chance
        from claude_memory.sync.worker import Worker

        settings, way = self.settings, _Way(self._remote)
        self.worker = Worker(
            lambda: self._engine(way.remote()),
            self.place,
            way.close,
            settings.sync_interval,
            chance,
            now=memory.utc_now,
            on_failure=on_failure,
        )
        self.service = SyncedService(self.place, self.door, settings, self.worker, way.remote)
        self._close = self.worker.stop
        self.worker.start()

    def _engine(self, remote: Remote) -> Engine:
        from claude_memory.sync import chance
        from claude_memory.sync.engine import Engine

        secrets = Unattended(self.place, self.keepers)
        return Engine(self.place, remote, self._files(), secrets, now=memory.utc_now, chance=chance)

    def _remote(self) -> Remote:
        from claude_memory.sync.remote import Remote

        return Remote(self._transport(), self.settings.api_key, agent())

    def _go_direct(self) -> None:
        from claude_memory.service.direct import DirectService
        from claude_memory.sync.rest import Rest

        server = Rest(self._transport(), self.settings.api_key, agent())
        self.service = DirectService(server, self.place, self.settings)
        self._close = server.close

    def _transport(self) -> HttpTransport:
        from claude_memory.sync.http_transport import HttpTransport

        return HttpTransport(self.settings.api_url, self._environ, total_seconds=CALL_SECONDS)

    def _locate(self) -> Callable[[], str]:
        """Return what tells the file to work in: that of the key, if there is one."""
        if not self.settings.syncs:
            return lambda: bindings.of(self.settings.home, self.settings.session_key)
        return lambda: self._files().path()

    def _files(self) -> Files:
        from claude_memory.sync.files import Files

        key = bindings.fingerprint(self.settings.api_url, self.settings.api_key)
        return Files(self.settings.home, key)

    def _choose(self) -> Keeper | None:
        from claude_memory.keeper import choice  # (only when a secret comes)

        return choice.choose(self.settings)

    def _opener(self, sealed: Sealed) -> Keeper:
        from claude_memory.keeper import choice  # (only when a secret is read)

        return choice.opener(self.settings, sealed)


class _Way:
    """The way to the server, made by the thread that goes it first: the start waits for none."""

    def __init__(self, make: Callable[[], Remote]) -> None:
        self._make = make
        self._made: Remote | None = None
        self._lock = threading.Lock()

    def remote(self) -> Remote:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def close(self) -> None:
        with self._lock:
            if self._made is not None:
                self._made.close()


def _nothing() -> None:
    """Close what was never opened."""


def build(environ: Mapping[str, str], *, for_session: bool = True) -> Assembly:
    """Put the parts together for one environment.

    A command in a shell has no options of the plugin, so it works where the last session did.
    """
    settings = Settings.from_env(environ)
    if not for_session and not settings.api_key:
        settings = replace(settings, session_key=bindings.last(settings.home))
    return Assembly(
        settings,
        environ,
        project_folder=given(environ, "CLAUDE_PROJECT_DIR") or _current_folder(),
        session=memory.bounded(given(environ, "CLAUDE_CODE_SESSION_ID")) or _made_session(),
    )


def _current_folder() -> str:
    """Return the folder this process was started in; another may have deleted it since."""
    try:
        return os.getcwd()
    except OSError:
        return os.path.expanduser("~")


def _made_session() -> str:
    """Return an id for a client that names no session: this process is the session."""
    return memory.new_uid(memory.utc_now())


def serve(environ: Mapping[str, str]) -> int:
    """Serve one client until it leaves."""
    parts = build(environ)
    place = parts.place

    def note(where: str, error: Exception) -> None:
        failures.note(place.home, where, failures.explained(error), place.now())

    background = None
    if not parts.settings.is_direct:
        parts.begin()
    if parts.settings.syncs:
        parts.sync(note)
    if not parts.settings.is_direct:  # else there is no store to keep up, nor one to learn into
        background = Background(
            place, parts.door, parts.settings, parts.service, environ, on_failure=note
        )
    spoken = Spoken()
    hook = _hook(place, environ, background, parts.worker, spoken)
    offered = [*tools.build(Witness(parts.service, spoken), parts.service), (HOOK, hook)]
    server = Server("memory", version(), tools.INSTRUCTIONS, offered, note)
    if background is not None:
        background.start()
    try:
        return server.serve()
    finally:
        parts.close()
        if background is not None:
            background.stop()


HOOK = Tool("hook", "For this plugin's hooks only.", {"type": "object"}, hidden=True)


def _hook(
    place: Place,
    environ: Mapping[str, str],
    background: Background | None,
    worker: Worker | None,
    spoken: Spoken,
) -> Callable[[Call], str]:
    def answer(call: Call) -> str:
        from claude_memory.hooks import context, runtime

        here = context.from_environ(environ, place.begin, place.project, place.now(), spoken)
        here = here._replace(session=place.session)
        place.enter(runtime.session(call.arguments, here))
        answered = runtime.answer(call.arguments, here)
        if background is not None and call.arguments.get("event") == "Stop":
            background.wake()
        if worker is not None:
            worker.at_work()
        return answered

    return answer


def agent() -> str:
    """Return how this plugin calls itself before a server."""
    return f"claude-memory/{version()}"


def version() -> str:
    """Return the plugin's version; plugin.json is the one place that holds it."""
    import json

    try:
        with open(os.path.join(PLUGIN, ".claude-plugin", "plugin.json"), encoding="utf-8") as file:
            return str(json.load(file)["version"])
    except (OSError, ValueError, KeyError):
        return "0"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
