"""AES-256-GCM: NIST's vectors on every implementation found, and what happens without one."""

from __future__ import annotations

import ctypes
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import KeeperUnavailable
from claude_memory.keeper import evp
from claude_memory.keeper.ciphers import ciphers, find_cipher, proves_itself

if TYPE_CHECKING:
    from claude_memory.keeper.ciphers import Cipher

HERE = Path(__file__).parent
IMPORT_ROOT = HERE.parents[2] / "plugin" / "mcp"
VECTORS = json.loads((HERE / "nist_gcm_256.json").read_text(encoding="utf-8"))
FOUND = {cipher.name: cipher for cipher in ciphers()}
KEY, NONCE = bytes(range(32)), bytes(range(12))

every_cipher = pytest.mark.parametrize("cipher", FOUND.values(), ids=FOUND)


def _bytes(vector: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


def _name(vector: dict[str, str]) -> str:
    return f"{vector['file']}-{len(vector['cipher']) * 4}-{len(vector['aad']) * 4}"


@every_cipher
@pytest.mark.parametrize("vector", VECTORS["opens"], ids=_name)
def test_vector_of_nist_is_met(cipher: Cipher, vector: dict[str, str]) -> None:
    """Both directions give what NIST gives."""
    key, iv, clear, aad, data, tag = _bytes(vector, "key", "iv", "clear", "aad", "cipher", "tag")
    assert cipher.encrypt(key, iv, clear, aad) == data + tag
    assert cipher.decrypt(key, iv, data + tag, aad) == clear


@every_cipher
@pytest.mark.parametrize("vector", VECTORS["refused"], ids=_name)
def test_forgery_of_nist_is_refused(cipher: Cipher, vector: dict[str, str]) -> None:
    """A tag that does not fit gives nothing at all."""
    key, iv, aad, data, tag = _bytes(vector, "key", "iv", "aad", "cipher", "tag")
    assert cipher.decrypt(key, iv, data + tag, aad) is None


@every_cipher
@pytest.mark.parametrize("length", [0, 1, 15, 16])
def test_answer_without_a_whole_tag_is_refused(cipher: Cipher, length: int) -> None:
    """A tag cut short is no tag, even if what is left of it is right."""
    sealed = cipher.encrypt(KEY, NONCE, b"", b"bound")
    assert cipher.decrypt(KEY, NONCE, sealed[:length], b"bound") == (b"" if length == 16 else None)


@pytest.mark.parametrize("writer", FOUND)
@pytest.mark.parametrize("reader", FOUND)
def test_each_implementation_opens_what_the_other_sealed(writer: str, reader: str) -> None:
    """Installing or removing `cryptography` loses no secret."""
    clear = os.urandom(50_000)
    sealed = FOUND[writer].encrypt(KEY, NONCE, clear, b"bound")
    assert FOUND[reader].decrypt(KEY, NONCE, sealed, b"bound") == clear


def test_openssl_of_this_python_is_found() -> None:
    """The library is the very one that the ssl module uses, not a neighbour."""
    assert "OpenSSL" in FOUND
    first = next(evp.candidates())
    assert first._library.OpenSSL_version_num() == ssl.OPENSSL_VERSION_NUMBER


@pytest.mark.once
def test_main_suite_has_both_implementations() -> None:
    """The tests above are worth twice as much where `cryptography` is installed."""
    assert set(FOUND) == {"cryptography", "OpenSSL"}


@pytest.mark.parametrize(("key", "nonce"), [(KEY[:-1], NONCE), (KEY, NONCE[:-1]), (b"", b"")])
def test_openssl_is_never_given_a_short_key(key: bytes, nonce: bytes) -> None:
    """OpenSSL would read beyond the end of a short key or nonce."""
    with pytest.raises(KeeperUnavailable):
        FOUND["OpenSSL"].encrypt(key, nonce, b"clear", b"")


class _Wrong:
    """A cipher with one fault."""

    name = "wrong"

    def __init__(self, fault: str) -> None:
        self._fault, self._sound = fault, FOUND["OpenSSL"]

    def encrypt(self, key: bytes, nonce: bytes, clear: bytes, bound: bytes) -> bytes:
        return self._sound.encrypt(key, nonce, clear, b"" if self._fault == "unbound" else bound)

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes | None:
        if self._fault == "refuses to work":
            raise KeeperUnavailable("no")
        clear = self._sound.decrypt(key, nonce, sealed, bound)
        return b"unchecked" if clear is None and self._fault == "tag unchecked" else clear


@pytest.mark.parametrize(
    ("fault", "proved"),
    [("none", True), ("unbound", False), ("tag unchecked", False), ("refuses to work", False)],
)
def test_faulty_cipher_is_never_used(fault: str, proved: bool) -> None:
    """A library that is wrong in any way does not pass its self-test."""
    assert proves_itself(_Wrong(fault)) is proved


class _Counting:
    """A libcrypto that counts the contexts that are in use."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library, self.made, self.in_use = library, 0, 0

    def __getattr__(self, name: str) -> object:
        function = getattr(self._library, name)
        if name not in {"EVP_CIPHER_CTX_new", "EVP_CIPHER_CTX_free"}:
            return function

        def counted(*arguments: int) -> object:
            self.made += 1 if name.endswith("new") else 0
            self.in_use += 1 if name.endswith("new") else -1
            return function(*arguments)

        return counted


def test_every_context_is_freed() -> None:
    """Sealing, opening and refusing leave nothing of a key in memory."""
    library = _Counting(next(evp.candidates())._library)
    cipher = evp.OpenSsl(library)  # type: ignore[arg-type]  # it has the same functions
    sealed = cipher.encrypt(KEY, NONCE, b"clear", b"bound")
    assert cipher.decrypt(KEY, NONCE, sealed, b"bound") == b"clear"
    assert cipher.decrypt(KEY, NONCE, sealed, b"other") is None
    assert (library.made, library.in_use) == (3, 0)


ABSENT = "sys.modules['cryptography'] = None"
BROKEN = """
class Panic(BaseException): pass
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.startswith('cryptography'): raise Panic(name)
sys.meta_path.insert(0, Broken())
"""


@pytest.mark.parametrize("breakage", [ABSENT, BROKEN], ids=["absent", "broken"])
def test_openssl_steps_in_for_cryptography(breakage: str) -> None:
    """A missing or broken `cryptography` costs nothing."""
    assert _run(f"import sys\n{breakage}\n{SAY_WHICH}") == "OpenSSL"


def test_machine_without_any_library_is_told_apart() -> None:
    """Without `cryptography`, ctypes and OpenSSL there is no cipher, and no crash."""
    gone = "import sys\nfor name in ('cryptography', 'ctypes'): sys.modules[name] = None\n"
    assert _run(gone + SAY_WHICH) == "None"


def test_openssl_of_the_system_steps_in_for_a_hidden_one() -> None:
    """A Python whose own OpenSSL cannot be reached uses the distribution's, on Linux only."""
    gone = "import sys\nfor name in ('cryptography', '_hashlib'): sys.modules[name] = None\n"
    assert _run(gone + SAY_WHICH) == ("OpenSSL" if _system_has_openssl_3() else "None")


def _system_has_openssl_3() -> bool:
    try:
        return sys.platform == "linux" and bool(ctypes.CDLL("libcrypto.so.3"))
    except OSError:
        return False


def test_a_cipher_is_found_here() -> None:
    """This very machine can seal."""
    assert find_cipher() is not None


SAY_WHICH = """
from claude_memory.keeper.ciphers import find_cipher
cipher = find_cipher()
print(cipher and cipher.name)
"""


def _run(script: str) -> str:
    """Return what a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
