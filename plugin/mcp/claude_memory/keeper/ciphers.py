"""The vetted implementations of AES-256-GCM that a machine may have, each proved before use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from claude_memory.errors import KeeperError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cipher(Protocol):
    """AES-256-GCM: a key of 32 bytes, a nonce of 12, a tag of 16 after the ciphertext."""

    name: str

    def encrypt(self, key: bytes, nonce: bytes, clear: bytes, bound: bytes) -> bytes:
        """Return the ciphertext followed by its tag, which also covers `bound`."""

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes | None:
        """Return the clear bytes, or None when the tag does not fit."""


def find_cipher() -> Cipher | None:
    """Return the first vetted implementation on this machine that proves itself, or None."""
    return next((cipher for cipher in ciphers() if proves_itself(cipher)), None)


def ciphers() -> Iterator[Cipher]:
    """Yield what there is: `cryptography` where it is installed, then this Python's OpenSSL."""
    cryptography = _cryptography()
    if cryptography is not None:
        yield cryptography
    try:
        from claude_memory.keeper import evp
    except ImportError:  # a Python built without ctypes
        return
    yield from evp.candidates()


class _Cryptography:
    name = "cryptography"

    def __init__(self) -> None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._aead, self._invalid = AESGCM, InvalidTag

    def encrypt(self, key: bytes, nonce: bytes, clear: bytes, bound: bytes) -> bytes:
        return self._aead(key).encrypt(nonce, clear, bound)

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes | None:
        try:
            return self._aead(key).decrypt(nonce, sealed, bound)
        except self._invalid:
            return None


def _cryptography() -> Cipher | None:
    try:
        return _Cryptography()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001  # a broken installation panics beside Exception
        return None


# NIST CAVP, gcmEncryptExtIV256, PTlen 104, AADlen 160, Count 0
PROOF_KEY = bytes.fromhex("69b458f2644af9020463b40ee503cdf083d693815e2659051ae0d039e606a970")
PROOF_NONCE = bytes.fromhex("8d1da8ab5f91ccd09205944b")
PROOF_CLEAR = bytes.fromhex("f3e0e09224256bf21a83a5de8d")
PROOF_BOUND = bytes.fromhex("036ad5e5494ef817a8af2f5828784a4bfedd1653")
PROOF_SEALED = bytes.fromhex("c0a62d77e6031bfdc6b13ae217a794a9aaee48cd92e47761bf1baff0af")


def proves_itself(cipher: Cipher) -> bool:
    """Tell whether `cipher` agrees with a vector of NIST and refuses a wrong tag."""
    wrong = PROOF_SEALED[:-1] + bytes([PROOF_SEALED[-1] ^ 1])
    try:
        return (
            cipher.encrypt(PROOF_KEY, PROOF_NONCE, PROOF_CLEAR, PROOF_BOUND) == PROOF_SEALED
            and cipher.decrypt(PROOF_KEY, PROOF_NONCE, PROOF_SEALED, PROOF_BOUND) == PROOF_CLEAR
            and cipher.decrypt(PROOF_KEY, PROOF_NONCE, wrong, PROOF_BOUND) is None
        )
    except (KeeperError, ValueError, TypeError):
        return False
