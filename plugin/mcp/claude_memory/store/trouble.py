"""What an error of SQLite or of the file system means, as a sentence with its fix. Hot."""

from __future__ import annotations

import errno

from claude_memory import errors

# What SQLite's messages hold, and what that means to a person; the first that fits.
MEANINGS = (
    (("locked", "busy"), errors.StoreBusy, "is in use by another session{where}."),
    (("full",), errors.StoreFull, "cannot grow{where}: the disk is full."),
    (
        ("disk i/o",),
        errors.StoreFull,
        "was refused by the disk{where}: it may be full, over a quota or a limit, or failing.",
    ),
    (("readonly",), errors.StoreReadOnly, "cannot be written{where}."),
    (("unable to open",), errors.StoreReadOnly, "cannot be opened{where}: {text}."),
    (
        (
            "malformed",
            "not a database",
            "corrupt",
            "unsupported file format",
            "decode to utf-8",
            "vtable constructor",
        ),
        errors.StoreDamaged,
        "is damaged{where}: {text}.",
    ),
)


def explain(error: Exception, path: str = "") -> errors.StoreError:
    """Turn an error of SQLite or of the file system into one that a person can act on."""
    if isinstance(error, errors.StoreError):
        return error
    where = f" ({path})" if path else ""
    if isinstance(error, OSError):
        return _explain_system(error, where)
    text = str(error)
    for signs, kind, meaning in MEANINGS:
        if any(sign in text.lower() for sign in signs):
            return kind("The memory database " + meaning.format(where=where, text=text))
    if "fts5" in text.lower():
        return errors.StoreError(
            f"This Python's SQLite cannot search: {text}.",
            "Use a python3 whose sqlite3 module has FTS5 (python.org, Homebrew, Debian have it).",
        )
    return errors.StoreError(f"The memory database refused the work{where}: {text}.")


def _explain_system(error: OSError, where: str) -> errors.StoreError:
    text = error.strerror or type(error).__name__
    if error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return errors.StoreFull(f"The memory database cannot grow{where}: the disk is full.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return errors.StoreReadOnly(f"The memory database cannot be written{where}: {text}.")
    return errors.StoreReadOnly(f"The memory database cannot be opened{where}: {text}.")
