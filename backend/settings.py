"""All settings of the server, read once from the environment into a frozen value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from backend.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = re.compile(r"https?://[^/?#@\s]+")  # no path: the server is at the root of its host
KEY = re.compile(r"[!-~]{1,1000}")
PORTS = re.compile(r"[0-9,]*")  # one for each host; a password with a / would end up here
KEY_LENGTH = 8  # characters; a shorter bootstrap key is refused


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator asked for."""

    database_url: str = ""  # empty: the embedded PostgreSQL; `serve` then on loopback only
    migration_url: str = ""
    migrate: str = "auto"  # auto | off
    pg_bin: str = ""
    data: str = ""
    metrics_port: int = 9464
    pool_size: int = 10
    workers: int = 1
    rate: int = 600  # requests a minute and key
    burst: int = 200
    keys: Mapping[str, str] = field(default_factory=dict)  # bootstrap: user -> key
    key_file: str = ""  # made if nothing else keeps secrets, and opens what it sealed
    encryption_key: str = ""
    encryption_key_previous: str = ""  # only opens what it sealed, until everything is rotated
    vault_addr: str = ""
    vault_token: str = ""
    vault_role: str = ""
    vault_secret_id: str = ""
    vault_mount: str = "transit"
    vault_prefix: str = "claude-memory"
    kms_key_id: str = ""
    is_traced: bool = False  # the SDK of OpenTelemetry reads its other variables by itself
    semantic: str = "off"  # off | on: texts are compared by MiniLM, if it is installed
    semantic_model: str = ""  # the folder of its files; empty: the packages of the lock
    fills: bool = True  # writes in the background what memories mean that lack it
    since_bytes: int = 8 * 1_048_576  # of one answer to what changed since a time
    public_url: str = ""  # what callers know the server by; empty: whatever they call it

    def __repr__(self) -> str:
        """Show the settings without their secrets."""
        return f"Settings(migrate={self.migrate!r}, users={sorted(self.keys)!r})"

    @staticmethod
    def from_env(environ: Mapping[str, str]) -> Settings:
        """Read every setting.

        Raises:
            ConfigurationError: a value cannot be used; the text names it and the fix.
        """
        read = _Reader(environ)
        return Settings(
            database_url=read.database("DATABASE_URL"),
            migration_url=read.database("MEMORY_MIGRATION_URL") or read.text("DATABASE_URL"),
            migrate=read.choice("MEMORY_MIGRATE", ("auto", "off")),
            pg_bin=read.text("MEMORY_PG_BIN"),
            data=read.text("MEMORY_DATA"),
            metrics_port=read.number("MEMORY_METRICS_PORT", 9464, 0, 65_535),
            pool_size=read.number("MEMORY_POOL_SIZE", 10, 1, 200),
            workers=read.number("MEMORY_WORKERS", 1, 1, 64),
            rate=read.number("MEMORY_RATE", 600, 1, 1_000_000),
            burst=read.number("MEMORY_BURST", 200, 1, 1_000_000),
            keys=read.keys(),
            key_file=read.text("MEMORY_KEY_FILE"),
            encryption_key=read.text("MEMORY_ENCRYPTION_KEY"),
            encryption_key_previous=read.text("MEMORY_ENCRYPTION_KEY_PREVIOUS"),
            vault_addr=read.text("VAULT_ADDR"),
            vault_token=read.text("VAULT_TOKEN"),
            vault_role=read.text("VAULT_ROLE"),
            vault_secret_id=read.text("VAULT_SECRET_ID"),
            vault_mount=read.text("VAULT_MOUNT") or "transit",
            vault_prefix=read.text("VAULT_PREFIX") or "claude-memory",
            kms_key_id=read.text("MEMORY_KMS_KEY_ID"),
            is_traced=read.is_traced(),
            semantic=read.choice("MEMORY_SEMANTIC", ("off", "on")),
            semantic_model=read.text("MEMORY_SEMANTIC_MODEL"),
            public_url=read.address("MEMORY_PUBLIC_URL"),
        )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def database(self, name: str) -> str:
        """Read where a database is; what cannot be read as that may hold a password."""
        value = self.text(name)
        try:
            found = conninfo_to_dict(value)
        except ProgrammingError:
            found = {"host": "@"}
        if "@" in str(found.get("host", "")) or not PORTS.fullmatch(str(found.get("port", ""))):
            raise ConfigurationError(
                f"{name} is no address of a database. Write postgresql://user:password@host/name; "
                "in the password, signs such as @ : / are written as %40 %3A %2F."
            )
        return value

    def address(self, name: str) -> str:
        value = self.text(name).rstrip("/")
        if value and not ADDRESS.fullmatch(value):
            raise ConfigurationError(f"{name} is {value[:80]!r}; write https://memory.example.com.")
        return value

    def is_traced(self) -> bool:
        """Tell whether a collector is named, in one of the two standard ways."""
        named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        is_off = self.text("OTEL_SDK_DISABLED").lower() == "true"
        return not is_off and any(map(self.text, named))

    def choice(self, name: str, among: tuple[str, ...]) -> str:
        value = self.text(name).lower() or among[0]
        if value not in among:
            raise ConfigurationError(f"{name} is {value[:40]!r}; use one of {', '.join(among)}.")
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ConfigurationError(f"{name} is {value[:40]!r}; use a number, {low} to {high}.")
        return int(value)

    def keys(self) -> dict[str, str]:
        """Read API_KEY and API_KEYS; the first belongs to the user `default`."""
        found: dict[str, Any] = {}
        several = self.text("API_KEYS")
        if several:
            try:
                parsed = json.loads(several)
            except ValueError as error:
                raise ConfigurationError('API_KEYS is not JSON; write {"user": "key"}.') from error
            if not isinstance(parsed, dict):
                raise ConfigurationError('API_KEYS must be an object: {"user": "key"}.')
            found.update(parsed)
        if self.text("API_KEY"):
            found["default"] = self.text("API_KEY")
        for user, key in found.items():
            _check_key(user, key)
        if len(set(found.values())) < len(found):
            raise ConfigurationError("Two users have the same key; give each its own.")
        return found


def _check_key(user: str, key: object) -> None:
    """Let pass a bootstrap key that a caller can send.

    Raises:
        ConfigurationError: it is too weak, or could never arrive as it stands here.
    """
    if not user or not user.isprintable():
        raise ConfigurationError("A user in API_KEYS has no name that can be shown.")
    if not isinstance(key, str) or len(key) < KEY_LENGTH:
        message = f"The key of user {user!r} is shorter than {KEY_LENGTH} characters."
        raise ConfigurationError(f"{message} Make one with: openssl rand -base64 32")
    if not KEY.fullmatch(key):
        raise ConfigurationError(
            f"The key of user {user!r} cannot be sent in a header: it takes letters, digits and "
            "signs of ASCII, no spaces, and at most 1,000 of them."
        )
