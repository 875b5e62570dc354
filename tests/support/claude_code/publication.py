"""The working tree as a repository on GitHub: a bare repository on this disk under that address.

git's `insteadOf` sends github.com to a folder, so that the client runs its real GitHub path,
offline, and uses the plugin from its own copy as it does on a user's machine.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REPOSITORY = "acme/claude-memory"

_GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.invalid")


def git(*arguments: str, at: Path, env: Mapping[str, str] | None = None) -> str:
    """Run git in a folder and return what it printed."""
    done = subprocess.run(
        (*_GIT, *arguments), cwd=at, env=env, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def clone_working_tree(source: Path, target: Path) -> None:
    """Make a one-commit repository of what git would commit of a working tree today."""
    listing = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=source)
    for name in filter(None, listing.split("\0")):
        # A file that was removed but not yet committed is still listed.
        if (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    git("init", "--quiet", "--initial-branch=main", at=target)
    git("add", "--all", "--force", at=target)
    git("commit", "--quiet", "--message=everything", at=target)


def publish(tree: Path, host: Path) -> str:
    """Put a repository under `host`; return the git configuration that takes it for GitHub."""
    bare = host / f"{REPOSITORY}.git"
    bare.parent.mkdir(parents=True, exist_ok=True)
    git("clone", "--quiet", "--bare", str(tree), str(bare), at=tree)
    forms = ("https://github.com/", "git@github.com:", "ssh://git@github.com/")
    instead = "".join(f"\tinsteadOf = {form}\n" for form in forms)
    return f'[url "file://{host}/"]\n{instead}[safe]\n\tdirectory = *\n'
