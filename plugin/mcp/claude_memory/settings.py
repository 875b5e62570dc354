"""All settings, read once from the environment into a frozen value.

The plugin's own options arrive as `CLAUDE_PLUGIN_OPTION_<NAME>`; the environment wins over them.
A value that cannot be read falls back to its default and leaves a sentence in `complaints`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from claude_memory import paths, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """What the user asked for; `mode` follows from it."""

    home: str
    api_url: str
    api_key: str
    sync_interval: float
    sync_disabled: bool
    vault_addr: str
    vault_token: str
    vault_namespace: str
    vault_cacert: str
    recall_budget: int
    learn: str
    judge: str
    learn_daily: int
    approve: str
    complaints: tuple[str, ...]
    session_key: str = ""  # fingerprint of the last session's key, in a command that has none

    @property
    def syncs(self) -> bool:
        """Tell whether this process keeps the local store in step with a server."""
        return bool(self.api_key and self.api_url) and not self.sync_disabled

    @property
    def is_synced(self) -> bool:
        """Tell whether this process does, or the sessions beside it."""
        return self.syncs or bool(self.session_key)

    @property
    def is_direct(self) -> bool:
        """Tell whether every call goes to the server and nothing is kept on this machine."""
        return bool(self.api_key) and self.sync_disabled

    @property
    def mode(self) -> str:
        """Name the operating mode; Full is any of them with Vault."""
        if self.is_direct:
            return "HTTP-only"  # there the server keeps the secrets
        mode = "Hybrid" if self.is_synced else "SQLite-only"
        return f"{mode} + Vault" if self.vault_addr and self.vault_token else mode

    def __repr__(self) -> str:
        """Show the settings without their secrets."""
        return f"Settings(mode={self.mode!r}, home={self.home!r}, learn={self.learn!r})"

    @staticmethod
    def from_env(environ: Mapping[str, str]) -> Settings:
        """Read every setting from `environ`; never raises."""
        read = _Reader(environ)
        read.expect_both("VAULT_ADDR", "VAULT_TOKEN")
        read.complaints += variables.complaints(environ)
        read.expect_whole("MEMORY_HOME")
        return Settings(
            home=paths.home(environ),
            api_url=read.text(*variables.URLS),
            api_key=read.text(*variables.KEYS),
            sync_interval=read.number("MEMORY_SYNC_INTERVAL", default=60, low=1, high=86_400),
            sync_disabled=variables.flag(environ, variables.DISABLE),
            vault_addr=read.text("VAULT_ADDR"),
            vault_token=read.text("VAULT_TOKEN"),
            vault_namespace=read.text("VAULT_NAMESPACE"),
            vault_cacert=read.text("VAULT_CACERT"),
            recall_budget=int(
                read.number(
                    *variables.RECALL_BUDGET,
                    default=variables.BUDGET,
                    low=0,
                    high=variables.BUDGET_LIMIT,
                )
            ),
            learn=read.choice(*variables.LEARN, among=variables.LEARNS),
            judge=read.choice("MEMORY_LEARN_JUDGE", among=("claude", "off")),
            learn_daily=int(read.number("MEMORY_LEARN_DAILY", default=20, low=0, high=10_000)),
            approve=read.choice(variables.APPROVE, among=variables.APPROVES),
            complaints=tuple(read.complaints),
        )


class _Reader:
    """Reads one variable after the other and collects what was wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []

    def text(self, *names: str) -> str:
        return variables.given(self._environ, *names)

    def expect_both(self, address: str, token: str) -> None:
        if self.text(address) and not self.text(token):
            said = f"{address} is set and {token} is not, so Vault is not used for secrets."
            self.complaints.append(said)

    def expect_whole(self, folder: str) -> None:
        value = self.text(folder)
        if value and not os.path.isabs(os.path.expanduser(value)):
            said = f"{folder}={value[:40]!r} is no whole path: it leads elsewhere in each folder."
            self.complaints.append(said)

    def choice(self, *names: str, among: tuple[str, ...]) -> str:
        return self._parsed(names, among[0], lambda value: among[among.index(value.lower())])

    def number(self, *names: str, default: float, low: float, high: float) -> float:
        def parse(value: str) -> float:
            read = float(value)
            if not low <= read <= high:
                raise ValueError
            return read

        return self._parsed(names, default, parse, f"is no number from {low:g} to {high:g}")

    def _parsed(
        self,
        names: tuple[str, ...],
        default: T,
        parse: Callable[[str], T],
        wrong: str = "is not understood",
    ) -> T:
        value = self.text(*names)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError:
            name = next(name for name in names if self.text(name))
            said = f"{variables.shown(name)}={value[:40]!r} {wrong}; {default} is used."
            self.complaints.append(said)
            return default
