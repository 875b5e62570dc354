"""Knows file systems that reach over a network, where a database has no shared memory. Hot."""

from __future__ import annotations

import os
import sys

KINDS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "fuse.glusterfs", "ceph")
)


def file_system(path: str, table: str = "/proc/self/mounts") -> str:
    """Return the type of the network file system that holds `path`, or an empty string."""
    if os.name == "nt":
        return "unc" if os.path.abspath(path).startswith("\\\\") else ""
    if not sys.platform.startswith("linux"):
        return ""
    best, kind = "", ""
    place = os.path.realpath(path)
    try:
        with open(table, encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                _, folder, found = line.split(" ", 3)[:3]
                folder = folder.replace("\\040", " ")
                inside = place == folder or place.startswith(folder.rstrip("/") + "/")
                if inside and len(folder) >= len(best):
                    best, kind = folder, found
    except OSError:
        return ""
    return kind if kind in KINDS else ""
