"""Secrets sealed on this machine with AES-256-GCM, by a vetted library and never by our own code.

    blob = version (1 byte) | ciphertext length (4, big-endian) | nonce (12) | ciphertext | tag (16)

The tag also covers the version, the key's id and the memory's uid: a seal moved to another memory
does not open.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from claude_memory.errors import KeeperError, KeeperRefused
from claude_memory.keeper.interface import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_memory.keeper.ciphers import Cipher
    from claude_memory.keeper.keyfile import Key, KeyFile

VERSION = 1
NONCE = 12
TAG = 16
HEAD = struct.Struct(f">BI{NONCE}s")
NAME = "aes"
PUT_BACK = "Put its file back from a backup, beside what is there, under a name that ends in .key"


class AesKeeper:
    """A Keeper whose key lies in a file of this machine."""

    name = NAME

    def __init__(
        self, cipher: Cipher, key_file: KeyFile, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        """Take a cipher that passed its self-test; `random` makes the nonces."""
        self._cipher, self._key_file, self._random = cipher, key_file, random

    def seal(self, uid: str, clear: str) -> Sealed:
        """Return `clear` sealed under this machine's key, which is made when first needed."""
        key = self._key_file.read_or_make()
        nonce = self._random(NONCE)
        sealed = self._cipher.encrypt(
            key.secret, nonce, clear.encode("utf-8", "surrogatepass"), _bound(key, uid)
        )
        return Sealed(NAME, key.id, HEAD.pack(VERSION, len(sealed) - TAG, nonce) + sealed)

    def open(self, uid: str, sealed: Sealed) -> str:
        """Return the clear text of a seal made here for `uid`."""
        nonce, body = _parts(sealed)
        key = self._key_of(sealed)
        clear = self._cipher.decrypt(key.secret, nonce, body, _bound(key, uid))
        if clear is None:
            raise KeeperRefused(
                "The seal was made for another memory, or it was changed.",
                "Store the memory again, with its secret.",
            )
        return clear.decode("utf-8", "surrogatepass")

    def forget(self, uid: str, sealed: Sealed) -> None:
        """Do nothing: the seal itself is all there is, and its row is deleted by the store."""

    def check(self) -> str:
        """Return what is wrong with the key file, if anything."""
        try:
            self._key_file.read()
        except KeeperError as error:
            return error.sentence()
        return ""

    def _key_of(self, sealed: Sealed) -> Key:
        key = self._key_file.find(sealed.key_id)
        if key is None:
            raise KeeperRefused(
                f"The seal needs key {sealed.key_id}, which is in no file of "
                f"{self._key_file.folder}.",
                f"{PUT_BACK}, or store the memory again.",
            )
        return key


def _bound(key: Key, uid: str) -> bytes:
    # The id has a fixed length and the uid comes last: no two triples make the same bytes.
    return f"claude-memory seal {VERSION} {key.id} {uid}".encode("utf-8", "surrogatepass")


def _parts(sealed: Sealed) -> tuple[bytes, bytes]:
    """Return nonce and ciphertext with tag of an envelope that is exactly as long as it says."""
    blob = sealed.blob
    if sealed.keeper == NAME and len(blob) >= HEAD.size + TAG:
        version, length, nonce = HEAD.unpack_from(blob)
        if version == VERSION and len(blob) == HEAD.size + length + TAG:
            return nonce, blob[HEAD.size :]
    raise KeeperRefused(
        "The seal is damaged, or a later version of claude-memory made it.",
        "Update the plugin; if that does not help, store the memory again.",
    )
