"""Answers the calls of the tools: from arguments to a text, for one caller. Knows no protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.errors import NotFound
from backend.ranking.sameness import normalise
from backend.remote import arguments as given
from backend.remote import shown
from backend.remote.arguments import Refused
from backend.remote.lines import line, listed, plain
from backend.repositories import memories
from backend.schemas import PatchBody, RecallBody, StoreBody
from backend.services import expiring
from backend.services import listing as lists
from backend.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from backend.auth import Caller
    from backend.remote.arguments import InScope
    from backend.schemas import MemoryRow
    from backend.services.single import Desk

SPLIT_ADVICE = 1_400  # characters; longer memories are found less well
ALIKE = 3  # memories looked at to see whether a text is stored already
SEALED = "What is secret in it is sealed and shown by secret_get alone."
HOMELESS = "No project is known here, so the memory is global."
RESTORED = {
    "earlier": "Restored the earlier state of memory #{}.",
    "latest": "No state is earlier: restored the latest of memory #{}.",
}
NAMED = re.compile(r"\s*#[0-9]{1,18}(?:[\s,;]+#[0-9]{1,18})*\s*")  # ids in the place of words
NUMBER = re.compile(r"[0-9]+")
UNKNOWN = "Recall or list the memories to see their ids."


@dataclass(frozen=True)
class Visit:
    """One call of one caller, who may have said which project it works on."""

    caller: Caller
    desk: Desk
    project: str = ""

    def scope(self, asked: InScope) -> InScope:
        """Return where to look: by default everywhere, if no project is known."""
        return asked or ("" if self.project else "all")


async def answer(visit: Visit, tool: str, arguments: Mapping[str, Any]) -> str:
    """Answer a call of one of the tools.

    Raises:
        KeyError: there is no such tool.
        Refused: the arguments cannot be used.
        ApiError: the key may not do that, or it cannot be done.
    """
    scope, kind, handle = TOOLS[tool]
    visit.caller.require(scope)
    return await handle(visit, given.read(kind, arguments))


async def _store(visit: Visit, new: given.Store) -> str:
    expiring.refuse_past(new.expires_at)
    replaced = await _known(visit, new.supersedes) if new.supersedes else None
    scope = new.scope if visit.project else "global"
    same = None if new.force_sensitive else await _same(visit, new, replaced)
    if same is not None:
        told = await _again(visit, new.model_copy(update={"scope": scope}), same, replaced)
        head = f"Already stored as memory #{same.id} in category '{same.category}'."
        return "\n".join([head, *([HOMELESS] if scope != new.scope else []), *told])
    stored = await visit.desk.store(
        StoreBody(
            **new.model_dump(exclude={"scope"}),
            scope=scope,
            project=visit.project,
            source="model",
        )
    )
    memory = await visit.desk.get(str(stored.uid))
    where = " for this project" if scope == "project" else ""
    instead = f", superseding #{replaced}" if replaced else ""
    head = f"Stored memory #{memory.id} in category '{memory.category}'{where}{instead}."
    return "\n".join([head, *_remarks(memory, lost_scope=new.scope != memory.scope)])


async def _again(
    visit: Visit, new: given.Store, same: MemoryRow, replaced: int | None
) -> list[str]:
    """Let the memory with the same text hold as asked from now on; say what that changed.

    The rule is the plugin's: who says again what was to be kept for a time, now without that limit,
    wants it kept without; and only who has stored a fact learns of the older one that it replaces.
    """
    changes: dict[str, Any] = {}
    notes = []
    if same.scope == "project" and new.scope == "global":
        changes["scope"] = "global"
        notes.append("It was kept for one project only and is global now.")
    if same.expires_at and (not new.expires_at or new.expires_at > same.expires_at):
        changes["expires_at"] = new.expires_at
        notes.append(f"It was to expire on {same.expires_at:%Y-%m-%d} and is kept longer now.")
    if replaced is not None:
        taken = await _superseded(visit, same)
        if taken is None:
            changes["supersedes"] = replaced
            notes.append(f"It supersedes #{replaced} from now on.")
        elif taken != replaced:
            notes.append(
                f"It supersedes another memory already; delete #{replaced} if it is outdated."
            )
    if changes:
        await visit.desk.change(str(same.uid), PatchBody(**changes), None)
    return notes


async def _superseded(visit: Visit, memory: MemoryRow) -> int | None:
    """Return the number of the memory that another one supersedes, unless that one is gone."""
    if memory.supersedes is None:
        return None
    try:
        return (await visit.desk.get(str(memory.supersedes))).id
    except NotFound:
        return None


async def _same(visit: Visit, new: given.Store, replaced: int | None) -> MemoryRow | None:
    """Find the memory that says the same already: models tend to repeat themselves."""
    asked = RecallBody(context=new.content, limit=ALIKE, scope="", project=visit.project)
    found = await visit.desk.recall(asked)
    text = normalise(new.content)
    for one in found.memories:
        is_other = one.is_sensitive or one.id == replaced
        if not is_other and normalise(one.content) == text:
            return one
    return None


def _remarks(memory: MemoryRow, *, lost_scope: bool) -> list[str]:
    remarks = []
    if lost_scope:
        remarks.append(HOMELESS)
    if memory.is_sensitive:
        remarks.append(SEALED)
    if len(memory.content) > SPLIT_ADVICE:
        remarks.append("This is long: several memories of one fact each are found better.")
    return remarks


async def _recall(visit: Visit, asked: given.Recall) -> str:
    if NAMED.fullmatch(asked.context):
        numbers = dict.fromkeys(NUMBER.findall(asked.context))
        if len(numbers) > given.MANY:
            raise Refused(f"{len(numbers)} ids at once; at most {given.MANY}.")
        return _listing([await visit.desk.get(one) for one in numbers], "")
    body = RecallBody(
        **asked.model_dump(exclude={"scope"}),
        scope=visit.scope(asked.scope),
        project=visit.project,
    )
    found = await visit.desk.recall(body)
    return _listing(found.memories, "No memories match.")


async def _list(visit: Visit, asked: given.Page) -> str:
    wanted = lists.Wanted(
        category=asked.category,
        tag=asked.tag,
        limit=asked.limit,
        scope=visit.scope(asked.scope),
        project=visit.project,
    )
    page = await lists.page(visit.desk.database, visit.desk.account, wanted)
    return _listing(page.memories, "No memories yet.")


def _listing(memories: Sequence[MemoryRow], nothing: str) -> str:
    return "\n".join(listed([shown.of(one) for one in memories])) if memories else nothing


async def _update(visit: Visit, edit: given.Update) -> str:
    changes = edit.changes()
    if edit.review:
        raise Refused("Nothing waits for review here; proposals are kept on the device.")
    number = await _known(visit, edit.id)
    if edit.restore:
        back = await visit.desk.restore(edit.id)
        said = RESTORED.get(back.restored or "", "Restored memory #{}.").format(back.id)
        renamed = f" It was #{number} before it was deleted." if back.id != number else ""
        return _shown(visit, f"{said}{renamed}", back)
    before = await visit.desk.get(edit.id)
    after = await visit.desk.change(edit.id, PatchBody(**changes), None)
    changed = [name for name in changes if getattr(before, name) != getattr(after, name)]
    if after.is_sensitive and "content" in changes and "content" not in changed:
        changed.append("its secret")
    if not changed:
        return _shown(visit, f"Memory #{after.id} already says that.", after)
    head = f"Updated memory #{after.id}: {', '.join(changed)}. The earlier state is kept."
    notes = [SEALED] if after.is_sensitive and "content" in changes else []
    return "\n".join([_shown(visit, head, after), *notes])


def _shown(visit: Visit, head: str, memory: MemoryRow) -> str:
    """Show what a memory says now, if the key may read it."""
    return f"{head}\n{line(shown.of(memory))}" if visit.desk.may_read else head


async def _delete(visit: Visit, doomed: given.Delete) -> str:
    numbers = [str(await _known(visit, one)) for one in doomed.id]
    gone = await visit.desk.delete_all(numbers, forever=doomed.purge)
    return "\n".join(_purged(one.id) if doomed.purge else _deleted(one.id) for one in gone)


def _deleted(number: int) -> str:
    return f"Deleted memory #{number}; memory_update with restore=true undoes it (30 days)."


def _purged(number: int) -> str:
    return (
        f"Purged memory #{number}: its text is gone from the server, its history and the search "
        "index; devices drop it when they next sync. This cannot be undone."
    )


async def _status(visit: Visit, _nothing: given.Nothing) -> str:
    desk, caller = visit.desk, visit.caller
    async with desk.database.transaction(desk.account) as connection:
        counts = await memories.counts(connection, desk.account)
    lines = {
        "Mode": "remote: this server is asked directly, nothing is kept on the device",
        "Server": f"claude-memory {VERSION}",
        "Key": f"{plain(caller.user)} ({', '.join(sorted(caller.scopes))})",
        "Project": plain(visit.project) or "none (a client may name it as X-Memory-Project)",
        "Memories": (
            f"{counts['live']} ({counts['live'] - counts['of_projects']} global, "
            f"{counts['of_projects']} for one project only), {counts['sensitive']} sensitive, "
            f"{counts['deleted']} deleted that can still be restored"
        ),
    }
    trouble = await desk.keeper.check() if desk.keeper else "This server cannot keep secrets."
    told = ["Needs attention:", f"  {trouble}"] if trouble else ["All well."]
    return "\n".join([*(f"{name}: {value}" for name, value in lines.items()), *told])


async def _secret(visit: Visit, asked: given.One) -> str:
    await _known(visit, asked.id)
    return (await visit.desk.open_secret(asked.id)).content


async def _known(visit: Visit, memory_id: str) -> int:
    """Return the number of a memory that is to be changed.

    Raises:
        Refused: there is none with this id.
    """
    try:
        return await visit.desk.number(memory_id)
    except NotFound:
        message = f"There is no memory {plain(memory_id)}; nothing was done. {UNKNOWN}"
        raise Refused(message) from None


# What each tool needs of a key, what it takes, and who answers.
TOOLS: dict[str, tuple[str, type[Any], Callable[[Visit, Any], Awaitable[str]]]] = {
    "memory_store": ("write", given.Store, _store),
    "memory_recall": ("read", given.Recall, _recall),
    "memory_list": ("read", given.Page, _list),
    "memory_update": ("write", given.Update, _update),
    "memory_delete": ("write", given.Delete, _delete),
    "memory_status": ("read", given.Nothing, _status),
    "secret_get": ("secret", given.One, _secret),
}
