"""Secrets kept in Vault or OpenBao: the KV version 2 engine at `secret/`, one path a seal.

What this machine keeps is a pointer without a secret: mount, path and version.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from claude_memory.errors import KeeperError, KeeperRefused, KeeperUnavailable
from claude_memory.keeper.interface import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_memory.keeper.vault_http import Answer

NAME = "vault"
FOLDER = "claude-memory"
UID = re.compile(r"[0-9A-Za-z-]{1,64}")
POINTER = re.compile(
    rb'\{"mount":"secret","path":"(claude-memory/([0-9A-Za-z-]{1,64})/[0-9a-f]{16})","version":1\}'
)
OK, NOTHING, MISSING, SEALED = 200, 204, 404, 503
NO_ACCESS = {401, 403}
REDIRECTS = range(300, 400)
LATER = {412, 429, *range(500, 600)}
STORE_AGAIN = "Store the memory again, with its secret."
POLICY = (
    f"Renew VAULT_TOKEN, or let its policy create and read secret/data/{FOLDER}/* and delete "
    f"secret/metadata/{FOLDER}/*."
)
ENGINE = "Enable it: vault secrets enable -path=secret -version=2 kv"


class Transport(Protocol):
    """Carries one request to Vault."""

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Return the answer to one request under `/v1/`."""


class VaultKeeper:
    """A Keeper whose values lie in Vault."""

    name = NAME

    def __init__(
        self, transport: Transport, random: Callable[[int], str] = secrets.token_hex
    ) -> None:
        """Take the way to Vault, which is not asked yet; `random` names the paths."""
        self._transport, self._random = transport, random

    def seal(self, uid: str, clear: str) -> Sealed:
        """Write `clear` to a path of its own, so that an undone edit finds the earlier one."""
        if UID.fullmatch(uid) is None:
            raise KeeperRefused("This is no uid of a memory.")
        path = f"{FOLDER}/{uid}/{self._random(8)}"
        body = json.dumps({"options": {"cas": 0}, "data": {"value": clear}}).encode()
        answer = self._transport.send("POST", f"secret/data/{path}", body)
        if answer.status != OK:
            raise _explained(answer.status)
        if _read(answer, "data", "version") != 1:
            raise _unexpected()
        pointer = {"mount": "secret", "path": path, "version": 1}
        return Sealed(NAME, NAME, json.dumps(pointer, separators=(",", ":")).encode())

    def open(self, uid: str, sealed: Sealed) -> str:
        """Return what lies at the path that the pointer names."""
        answer = self._transport.send("GET", f"secret/data/{_path(uid, sealed)}?version=1")
        if answer.status == MISSING:
            raise KeeperRefused("Vault no longer holds the secret of this memory.", STORE_AGAIN)
        if answer.status != OK:
            raise _explained(answer.status)
        value = _read(answer, "data", "data", "value")
        if not isinstance(value, str):
            raise _unexpected()
        return value

    def forget(self, uid: str, sealed: Sealed) -> None:
        """Destroy the path that the pointer names, with its history in Vault."""
        path = _path(uid, sealed)
        try:
            answer = self._transport.send("DELETE", f"secret/metadata/{path}")
            if answer.status not in {OK, NOTHING, MISSING}:
                raise _explained(answer.status)
        except KeeperError as error:  # what the caller keeps may not point to the path any more
            by_hand = f"vault kv metadata delete secret/{path}"
            fix = f"When that is mended, destroy it there: {by_hand}"
            raise type(error)(str(error), fix) from error

    def check(self) -> str:
        """Ask for a path that nobody writes: an empty 404 proves address, token and engine."""
        try:
            # Any token that may use the engine may ask this; version 1 answers the rest alike.
            engine = self._transport.send("GET", "sys/internal/ui/mounts/secret")
            if engine.status == OK and _read(engine, "data", "options", "version") != "2":
                raise _unexpected()
            answer = self._transport.send("GET", f"secret/data/{FOLDER}/check/0")
            if answer.status == MISSING and not _read(answer, "errors"):
                return ""
            raise _explained(answer.status)
        except KeeperError as error:
            return error.sentence()


def _path(uid: str, sealed: Sealed) -> str:
    """Return the path that a pointer made for `uid` names; it can name nothing else."""
    pointer = POINTER.fullmatch(sealed.blob)
    if sealed.keeper != NAME or pointer is None or pointer[2].decode() != uid:
        raise KeeperRefused("The seal was made for another memory, or it was changed.", STORE_AGAIN)
    return pointer[1].decode()


def _read(answer: Answer, *names: str) -> Any:  # noqa: ANN401  # foreign JSON; callers check it
    """Return one field of a JSON answer."""
    try:
        found = json.loads(answer.body)
        for name in names:
            found = found[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = _unexpected()
    if isinstance(found, KeeperError):  # raised here: the JSON error would quote the answer
        raise found
    return found


def _unexpected() -> KeeperError:
    return KeeperRefused("Vault has no KV engine of version 2 at secret/.", ENGINE)


def _explained(status: int) -> KeeperError:
    """Say what a status means here; the body is not quoted, it may repeat the request."""
    if status in NO_ACCESS:
        return KeeperRefused("Vault refused the token.", POLICY)
    if status in {NOTHING, MISSING}:
        return _unexpected()
    if status in REDIRECTS:
        return KeeperRefused(
            "Vault sends requests on to another address, where the token is not sent.",
            "Set VAULT_ADDR to the address of its active node.",
        )
    if status == SEALED:
        return KeeperUnavailable("Vault is sealed.", "Unseal it, then try again.")
    if status in LATER:
        return KeeperUnavailable(f"Vault cannot answer now ({status}).", "Try again later.")
    return KeeperRefused(f"Vault refused the request ({status}).", "See Vault's audit log.")
