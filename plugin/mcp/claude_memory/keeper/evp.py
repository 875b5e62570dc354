"""AES-256-GCM by the OpenSSL this Python is linked with, through ctypes and its EVP interface.

Only calls that OpenSSL 1.1.1 to 4 and LibreSSL (Apple's Python) share are used. A library is
taken only when its version and one of NIST's test vectors are right.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from typing import TYPE_CHECKING

from claude_memory.errors import KeeperUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = 0x10101000  # OpenSSL 1.1.1; LibreSSL calls itself 2.0.0
TAG = 16
GET_TAG, SET_TAG = 0x10, 0x11  # EVP_CTRL_AEAD_GET_TAG and _SET_TAG of openssl/evp.h
WINDOWS_NAMES = ("libcrypto-3", "libcrypto-3-x64", "libcrypto-3-arm64", "libcrypto-1_1")
POINTER, INT, BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
OUT = ctypes.POINTER(ctypes.c_int)
FUNCTIONS = (
    ("OpenSSL_version_num", ctypes.c_ulong, ()),
    ("EVP_aes_256_gcm", POINTER, ()),
    ("EVP_CIPHER_CTX_new", POINTER, ()),
    ("EVP_CIPHER_CTX_free", None, (POINTER,)),
    ("EVP_CIPHER_CTX_ctrl", INT, (POINTER, INT, INT, POINTER)),
    ("EVP_CipherInit_ex", INT, (POINTER, POINTER, POINTER, BYTES, BYTES, INT)),
    ("EVP_CipherUpdate", INT, (POINTER, POINTER, OUT, BYTES, INT)),
    ("EVP_CipherFinal_ex", INT, (POINTER, POINTER, OUT)),
)


class OpenSsl:
    """AES-256-GCM with 96-bit nonces and 128-bit tags by one loaded libcrypto."""

    name = "OpenSSL"

    def __init__(self, library: ctypes.CDLL) -> None:
        """Declare every function that is used.

        Raises:
            AttributeError: the library lacks one of them.
        """
        self._library = library
        for name, result, arguments in FUNCTIONS:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments

    def is_recent(self) -> bool:
        """Tell whether the library is OpenSSL 1.1.1 or later."""
        return bool(self._library.OpenSSL_version_num() >= OLDEST)

    def encrypt(self, key: bytes, nonce: bytes, clear: bytes, bound: bytes) -> bytes:
        """Return the ciphertext followed by its tag, which also covers `bound`.

        Raises:
            KeeperUnavailable: OpenSSL refused to work.
        """
        with _Context(self._library, key, nonce, encrypting=True) as context:
            context.update(bound, into_output=False)
            cipher = context.update(clear)
            _must(context.final())
            tag = ctypes.create_string_buffer(TAG)
            _must(context.control(GET_TAG, tag))
            return cipher + tag.raw

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes | None:
        """Return the clear bytes, or None when the tag does not fit.

        Raises:
            KeeperUnavailable: OpenSSL refused to work.
        """
        cipher, tag = sealed[:-TAG], sealed[-TAG:]
        if len(tag) != TAG:
            return None
        with _Context(self._library, key, nonce, encrypting=False) as context:
            context.update(bound, into_output=False)
            clear = context.update(cipher)
            _must(context.control(SET_TAG, ctypes.create_string_buffer(tag, TAG)))
            return clear if context.final() else None


class _Context:
    """One EVP_CIPHER_CTX, freed (and so wiped) at the end of its `with` block."""

    def __init__(self, library: ctypes.CDLL, key: bytes, nonce: bytes, *, encrypting: bool) -> None:
        # OpenSSL reads 32 and 12 bytes whatever it is given
        if (len(key), len(nonce)) != (32, 12):
            raise KeeperUnavailable("AES-256-GCM takes a key of 32 bytes and a nonce of 12.")
        self._library, self._key, self._nonce = library, key, nonce
        self._direction = int(encrypting)
        self._pointer: int | None = None

    def __enter__(self) -> _Context:
        self._pointer = self._library.EVP_CIPHER_CTX_new()
        _must(self._pointer is not None)
        cipher = self._library.EVP_aes_256_gcm()
        started = self._library.EVP_CipherInit_ex(
            self._pointer, cipher, None, self._key, self._nonce, self._direction
        )
        if not started:
            self.__exit__()
        _must(started)
        return self

    def __exit__(self, *_: object) -> None:
        self._library.EVP_CIPHER_CTX_free(self._pointer)

    def update(self, data: bytes, *, into_output: bool = True) -> bytes:
        """Feed data, or with `into_output=False` data that is only authenticated."""
        if not data:  # some versions take an empty update for the end
            return b""
        written = ctypes.c_int(0)
        buffer = ctypes.create_string_buffer(len(data)) if into_output else None
        _must(
            self._library.EVP_CipherUpdate(
                self._pointer, buffer, ctypes.byref(written), data, len(data)
            )
        )
        return buffer.raw[: written.value] if buffer else b""

    def control(self, what: int, tag: ctypes.Array[ctypes.c_char]) -> int:
        """Read or set the tag."""
        return int(self._library.EVP_CIPHER_CTX_ctrl(self._pointer, what, TAG, tag))

    def final(self) -> int:
        """Finish; when decrypting, 0 means that the tag does not fit."""
        rest, written = ctypes.create_string_buffer(TAG), ctypes.c_int(0)
        return int(self._library.EVP_CipherFinal_ex(self._pointer, rest, ctypes.byref(written)))


def _must(done: int | None) -> None:
    if not done:
        raise KeeperUnavailable("OpenSSL refused to work with AES-256-GCM.")


def candidates() -> Iterator[OpenSsl]:
    """Yield the usable libraries, the one that this Python itself is linked with first."""
    for library in _libraries():
        try:
            found = OpenSsl(library)
        except AttributeError:
            continue
        if found.is_recent():
            yield found


def _libraries() -> Iterator[ctypes.CDLL]:
    if sys.platform == "win32":
        yield from _loaded_on_windows()
        return
    try:
        # A handle on this module finds the symbols of the libraries it was linked with, and no
        # other's; if it is built into the executable it has no file, and None is the executable.
        yield from _loaded(getattr(importlib.import_module("_hashlib"), "__file__", None))
    except ImportError:
        pass
    if sys.platform == "linux":
        # A Python with OpenSSL built in and hidden: the distribution's own stays apart from it.
        # macOS has no such way: loading an unversioned libcrypto there aborts the process.
        yield from _loaded("libcrypto.so.3")


def _loaded(name: str | None) -> Iterator[ctypes.CDLL]:
    try:
        yield ctypes.CDLL(name)
    except OSError:
        return


def _loaded_on_windows() -> list[ctypes.CDLL]:
    """Return the libcrypto DLL that the interpreter has already loaded."""
    found: list[ctypes.CDLL] = []
    if sys.platform == "win32":
        handle_of = ctypes.WinDLL("kernel32").GetModuleHandleW
        handle_of.argtypes, handle_of.restype = (ctypes.c_wchar_p,), ctypes.c_void_p
        for name in WINDOWS_NAMES:
            handle = handle_of(name + ".dll")
            if handle:
                found.append(ctypes.CDLL(name, handle=handle))
    return found
