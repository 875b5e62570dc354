"""One sealed secret as bytes, read only if each of them is where it belongs.

    envelope = version (1 byte) | keeper (1)
             | length of key id (1) | of wrapped key (2) | of ciphertext (4), all big-endian
             | key id | wrapped key | nonce (12) | ciphertext | tag (16)

The value is encrypted under a data key of its own. Its tag covers the format's version, the account
and the memory's uid, so a seal moved to another memory does not open; the row's version is left
out, so an edit of other fields does not break it. The key id is bound by the wrapper, to the
wrapped key: to change keys is to wrap the data key again, and the value stays as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import SecretLost
from backend.secrets.wrapping import Wrapped

if TYPE_CHECKING:
    from uuid import UUID

VERSION = 1
NONCE = 12
TAG = 16
HEAD = struct.Struct(">BBBHI")
NAMES = {1: "aes", 2: "vault", 3: "kms"}
CODES = {name: code for code, name in NAMES.items()}


@dataclass(frozen=True)
class Envelope:
    """A sealed value and the wrapped key that opens it."""

    keeper: str
    wrapped: Wrapped
    nonce: bytes
    body: bytes  # ciphertext and tag

    def pack(self) -> bytes:
        """Return the bytes that `parse` reads."""
        key_id = self.wrapped.key_id.encode()
        lengths = (len(key_id), len(self.wrapped.data), len(self.body) - TAG)
        head = HEAD.pack(VERSION, CODES[self.keeper], *lengths)
        return b"".join((head, key_id, self.wrapped.data, self.nonce, self.body))


def parse(blob: bytes) -> Envelope:
    """Read an envelope that is exactly as long as it says.

    Raises:
        SecretLost: it is damaged, of a later version, or none at all.
    """
    if len(blob) < HEAD.size:
        raise _damaged()
    version, code, key_id_length, wrapped_length, length = HEAD.unpack_from(blob)
    wrapped_at = HEAD.size + key_id_length
    nonce_at = wrapped_at + wrapped_length
    body_at = nonce_at + NONCE
    key_id = blob[HEAD.size : wrapped_at]
    if version != VERSION or code not in NAMES or len(blob) != body_at + length + TAG:
        raise _damaged()
    if not key_id.isascii() or not key_id.decode("ascii").isprintable():
        raise _damaged()
    wrapped = Wrapped(key_id.decode("ascii"), blob[wrapped_at:nonce_at])
    return Envelope(NAMES[code], wrapped, blob[nonce_at:body_at], blob[body_at:])


def bound(account: UUID, uid: UUID) -> bytes:
    """Return what the tag of a value covers besides the value; all parts have one length."""
    return b"claude-memory secret %d " % VERSION + account.bytes + uid.bytes


def _damaged() -> SecretLost:
    return SecretLost("The sealed secret is damaged, or a later version of the server made it.")
