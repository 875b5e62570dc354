"""The service of HTTP-only mode: every call goes to the server, and nothing is kept here.

Secrets are sealed by the server. A write whose answer is lost has the same name when it is asked
for again, so that it is done once.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from claude_memory import memory
from claude_memory.errors import (
    AnswerLost,
    BadInput,
    ClaudeMemoryError,
    NotFound,
    RemoteBusy,
    RemoteError,
    RemoteUnreachable,
)
from claude_memory.memory import TAGS_LIMIT, Memory, label
from claude_memory.service import checks, direct_status, editing, rows
from claude_memory.service.again import widened
from claude_memory.service.interface import Deleted, Edited, Found, Stored
from claude_memory.service.secrets import separate
from claude_memory.store import ids
from claude_memory.store.sameness import normalise
from claude_memory.sync import rest, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from claude_memory.service.interface import (
        Edit,
        NewMemory,
        Page,
        Question,
        Status,
    )
    from claude_memory.service.place import Place
    from claude_memory.settings import Settings
    from claude_memory.sync.rest import Rest

    Call = Callable[[str], wire.Fields]

ALIKE = 3  # memories looked at to see whether a text is stored already
READ: dict[str, Callable[[Any], object]] = {  # how each field that can be changed is checked
    "content": checks.content,
    "category": checks.category,
    "tags": checks.tags,
    "importance": checks.importance,
    "expanded_keywords": checks.keywords,
}
RESTORED = {  # by what the server says of it; one of before did not
    "earlier": "Restored the earlier state of memory {}.",
    "latest": "No state is earlier: restored the latest of memory {}.",
}
BY_ITSELF = (RemoteUnreachable.fix, RemoteBusy.fix)  # what is true of syncing alone
NOTHING = "in HTTP-only mode there is no store on this machine"
UNEXPLAINED = "Why each was found is not known: in HTTP-only mode the server searches."
UNKNOWN = "Ask for the same again once the server answers: it is done once."


class DirectService:
    """MemoryService and StatusService over a server, without a store."""

    def __init__(self, server: Rest, place: Place, settings: Settings) -> None:
        """Keep whom to ask, and for which session and project; nothing is asked yet."""
        self._server = server
        self._place = place
        self._settings = settings
        self._lost: dict[str, str] = {}  # the names of the writes not answered, by their digests

    def store(self, new: NewMemory) -> Stored:
        """Keep a fact on the server; it is there when this returns."""
        body, notes = self._body(new)
        safe = separate(
            body["content"], body["tags"], body["expanded_keywords"], force=new.force_sensitive
        )
        with _telling("stored"):
            superseded = self._get(new.supersedes) if new.supersedes.strip() else None
            same = None if safe.kinds else self._same(body, superseded)
            if same is not None:
                return self._already(body, same, superseded, notes)
            if superseded is not None:
                body["supersedes"] = superseded.uid
            answer = self._once(
                body,
                lambda name: self._server.post(rest.MEMORIES, {**body, "uid": name}, once=name),
            )
        is_sealed = bool(answer.get("is_sensitive"))
        return Stored(
            rows.read({**body, **answer, "content": safe.content}),
            "stored",
            superseded=superseded,
            kinds=safe.kinds if is_sealed else (),
            secret_kept=is_sealed,
            notes=notes,
        )

    def recall(self, question: Question) -> Found:
        """Find what fits the question, best first; of ids, the memories that they name."""
        named = ids.listed(question.context)
        if named:
            with _telling():
                return Found(tuple(map(self._get, named)))
        asked = {
            "context": checks.question(question.context),
            "expanded_query": checks.question(question.expanded_query),
            "category": checks.category_asked(question.category) or None,
            "limit": checks.limit(question.limit),
            "sort_by": question.sort_by,
            "scope": checks.scope_asked(question.scope),
            "project": self._place.project,
        }
        with _telling():
            return Found(self._found(asked), (UNEXPLAINED,) if question.explain else ())

    def list_newest(self, page: Page) -> Found:
        """Return the newest memories first."""
        asked = {
            "limit": str(checks.limit(page.limit)),
            "scope": checks.scope_asked(page.scope),
            "project": self._place.project,
        }
        category = checks.category_asked(page.category)
        tag = checks.text("tag", page.tag, TAGS_LIMIT).strip()
        asked |= {"category": category} if category else {}
        asked |= {"tag": tag} if tag else {}
        with _telling():
            answer = self._server.get(rest.MEMORIES, asked)
            return Found(tuple(map(rows.read, rows.listed(answer))))

    def update(self, edit: Edit) -> Edited:
        """Change or restore one memory."""
        editing.refuse_mixed(edit)
        if edit.review:
            message = "Nothing waits for review: in HTTP-only mode nothing is learned by itself."
            raise BadInput(message)
        with _telling("changed"):
            return self._restore(edit.id) if edit.restore else self._change(edit)

    def delete(self, ids: tuple[str, ...], *, purge: bool) -> tuple[Deleted, ...]:
        """Delete memories, so that they can be undone, or for good; none if one is not there."""
        with _telling("deleted"):
            names = list(dict.fromkeys(self._known(one, deleted_too=purge) for one in ids))
        verb = "purged" if purge else "deleted"
        done: list[Deleted] = []
        for name in names:
            try:
                with _telling("" if done else verb):
                    done.append(self._delete(name, purge=purge))
            except ClaudeMemoryError as error:
                if not done:
                    raise
                before = ", ".join(one.label for one in done)
                said = f"Only {before} {'was' if len(done) == 1 else 'were'} {verb}. {error}"
                raise RemoteError(said, error.fix) from error
        return tuple(done)

    def status(self) -> Status:
        """Return the mode, how the server is, and what needs a person."""
        return direct_status.status(self._server, self._place, self._settings)

    def open_secret(self, memory_id: str) -> str:
        """Return the clear text of a sensitive memory; the server records the access."""
        with _telling():
            answer = self._server.post(rest.place(_named(memory_id), "secret"), {})
            clear = rows.text(answer, "content")
            if not clear:
                raise wire.foreign("it has no content")
            return clear

    def _body(self, new: NewMemory) -> tuple[wire.Fields, tuple[str, ...]]:
        project = self._place.project if new.project is None else new.project
        scope = checks.scope(new.scope)
        is_homeless = scope == "project" and not project
        body = {
            "content": checks.content(new.content),
            "category": checks.category(new.category),
            "tags": checks.tags(new.tags),
            "importance": checks.importance(new.importance),
            "expanded_keywords": checks.keywords(new.expanded_keywords),
            "force_sensitive": new.force_sensitive,
            "scope": "global" if is_homeless else scope,
            "project": project,
            "session": self._place.session if new.session is None else new.session,
            "source": new.source,
            "expires_at": checks.expiry(new.expires_at, self._place.now()) or None,
        }
        created = checks.time(new.created_at)
        if created:
            body["created_at"] = created
        return body, (checks.NO_PROJECT,) if is_homeless else ()

    def _already(
        self,
        body: wire.Fields,
        same: Memory,
        superseded: Memory | None,
        notes: tuple[str, ...],
    ) -> Stored:
        """Answer with the memory that holds the same text, which from now on holds as asked."""
        same = same._replace(expires_at=checks.time(same.expires_at))
        expires = body["expires_at"] or ""
        after, told = widened(same, body["scope"], expires, superseded, self._is_there)
        wanted = {
            name: getattr(after, name) or None
            for name in ("scope", "expires_at", "supersedes")
            if getattr(after, name) != getattr(same, name)
        }
        if wanted:
            path = rest.place(same.uid)
            self._once([path, wanted], lambda once: self._server.patch(path, wanted, once=once))
        return Stored(after, "already", notes=(*notes, *told))

    def _is_there(self, uid: str) -> bool:
        try:
            self._server.get(rest.place(uid))
        except NotFound:
            return False
        return True

    def _same(self, body: wire.Fields, superseded: Memory | None) -> Memory | None:
        """Find the memory that says the same already, other than the one to be superseded."""
        asked = {
            "context": body["content"],
            "limit": ALIKE,
            "scope": "",
            "project": body["project"],
        }
        text = normalise(body["content"])
        for one in self._found(asked):
            is_other = one.is_sensitive or (superseded and one.uid == superseded.uid)
            if not is_other and normalise(one.content) == text:
                return one
        return None

    def _change(self, edit: Edit) -> Edited:
        name = _named(edit.id)
        before = self._get(name)
        wanted = _changes(edit, before, self._place.now())
        if not wanted:
            said = f"Memory {label(before)} already says that; nothing was changed."
            return Edited(before, said)
        path = rest.place(name)
        answer = self._once(
            [path, wanted], lambda once: self._server.patch(path, wanted, once=once)
        )
        after = rows.read(answer)
        names = [one for one in wanted if getattr(before, one) != getattr(after, one)]
        changed = ", ".join(names) or "its secret"
        said = f"Updated memory {label(after)}: {changed}. The earlier state is kept."
        return Edited(after, said)

    def _restore(self, memory_id: str) -> Edited:
        name = _named(memory_id)
        path = rest.place(name, "restore")
        answer = self._once(path, lambda once: self._server.post(path, {}, once=once))
        back = rows.read(answer)
        said = RESTORED.get(rows.text(answer, "restored"), "Restored memory {}.")
        is_new = name not in {str(back.no), back.uid}
        renamed = f" It was {_shown(name)} before it was deleted." if is_new else ""
        return Edited(back, f"{said.format(label(back))}{renamed}")

    def _known(self, memory_id: str, *, deleted_too: bool) -> str:
        """Return the name of a memory that is there; a purge reaches deleted ones as well."""
        name = _named(memory_id)
        try:
            if deleted_too:
                self._server.get(rest.place(name, "history"))
                return name
            return str(self._get(name).no)
        except NotFound as error:
            message = f"There is no memory {_shown(name)}; nothing was deleted."
            raise NotFound(message) from error

    def _delete(self, name: str, *, purge: bool) -> Deleted:
        answer = self._server.delete(rest.place(name) + ("?purge=now" if purge else ""))
        self._lost.clear()
        shown = f"#{rows.number(answer)}"
        if purge:
            sentence = (
                f"Purged memory {shown}: its text is gone from the server, its history and the "
                "search index; other machines drop it when they next sync. This cannot be undone."
            )
            return Deleted(shown, sentence)
        undo = "memory_update with restore=true undoes it (30 days)."
        return Deleted(shown, f"Deleted memory {shown}; {undo}")

    def _get(self, memory_id: str) -> Memory:
        name = _named(memory_id)
        try:
            return rows.read(self._server.get(rest.place(name)))
        except NotFound as error:
            message = f"There is no memory {_shown(name)}; nothing was done."
            raise NotFound(message) from error

    def _found(self, asked: wire.Fields) -> tuple[Memory, ...]:
        answer = self._server.post(f"{rest.MEMORIES}/recall", asked)
        return tuple(map(rows.read, rows.listed(answer)))

    def _once(self, what: object, call: Call) -> wire.Fields:
        """Make a write under a new name, or under that of the same write that was not answered.

        Once another write is done, a repetition is a new one: it may have been undone meanwhile.
        """
        digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()
        lost = self._lost.get(digest)
        name = lost or memory.new_uid(self._place.now())
        try:
            answer = call(name)
            rows.number(answer)
        except BadInput:
            self._lost.pop(digest, None)
            raise
        except RemoteError as error:
            if not lost and not isinstance(error, AnswerLost):
                raise
            self._lost[digest] = name
            raise AnswerLost(str(error), error.fix) from error
        if not self._lost.pop(digest, None):
            self._lost.clear()
        return answer


@contextmanager
def _telling(deed: str = "") -> Iterator[None]:
    """Reword a failure for this mode, in which nothing is tried again by itself."""
    try:
        yield
    except AnswerLost as error:
        if not deed:
            raise AnswerLost(str(error), _fix(error)) from error
        raise AnswerLost(f"{error} It is not known whether it was {deed}.", UNKNOWN) from error
    except RemoteError as error:
        told = f" Nothing was {deed}: {NOTHING}." if deed else ""
        raise RemoteError(f"{error}{told}", _fix(error)) from error


def _fix(error: RemoteError) -> str:
    if isinstance(error, RemoteBusy):
        return f"Try again in {error.retry_after:.0f} s."
    return "Try again in a moment." if error.fix in BY_ITSELF else error.fix


def _changes(edit: Edit, before: Memory, now: datetime) -> wire.Fields:
    """Return what an edit changes; an edit that changes nothing would make an undo do nothing."""
    given = {name: getattr(edit, name) for name in READ}
    wanted = {name: READ[name](value) for name, value in given.items() if value is not None}
    if edit.expires_at is not None:
        wanted["expires_at"] = checks.expiry(edit.expires_at, now, "changed")
    present = before._replace(expires_at=checks.time(before.expires_at))
    return {
        name: value or (None if name == "expires_at" else value)
        for name, value in wanted.items()
        if value != getattr(present, name)
    }


def _named(text: str) -> str:
    """Return what names a memory in a path: the server's number, or the uid.

    Raises:
        BadInput: it is no id of a server's memory.
    """
    cleaned = text.strip()
    if ids.UID.fullmatch(cleaned.lower()):
        return cleaned.lower()
    found = ids.SHAPE.fullmatch(cleaned)
    if found is None:
        message = f"'{cleaned[:40]}' is not a memory id."
        raise BadInput(message, "An id looks like #42 or 42.")
    if found["sign"] in {"l", "L"}:
        message = f"{cleaned} names a memory of a local store; in HTTP-only mode there is none."
        raise BadInput(message, "Use the server's number, such as #42.")
    return str(int(found["number"]))


def _shown(name: str) -> str:
    return f"#{name}" if name.isdigit() else name
