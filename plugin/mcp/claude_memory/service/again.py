"""What changes in a memory when its text is stored again.

It was kept for one project or for a time: stored again without that limit, it loses it. And it may
name a memory that it supersedes, because only the answer to the first store has shown that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_memory.memory import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_memory.memory import Memory


def widened(
    found: Memory,
    scope: str,
    expires_at: str,
    superseded: Memory | None,
    is_there: Callable[[str], bool],
) -> tuple[Memory, list[str]]:
    """Return the memory that was found as it is from now on, and what is to be said of that.

    Of the memory that it supersedes already, `is_there` tells by the uid whether it still exists.
    """
    notes = []
    if found.scope == "project" and scope == "global":
        found = found._replace(scope="global")
        notes.append("It was kept for one project only and is global now.")
    if found.expires_at and (not expires_at or expires_at > found.expires_at):
        notes.append(f"It was to expire on {found.expires_at[:10]} and is kept longer now.")
        found = found._replace(expires_at=expires_at)
    if superseded and found.supersedes != superseded.uid:
        older = label(superseded)
        if found.supersedes and is_there(found.supersedes):
            notes.append(f"It supersedes another memory already; delete {older} if it is outdated.")
        else:
            found = found._replace(supersedes=superseded.uid)
            notes.append(f"It supersedes {older} from now on.")
    return found, notes
