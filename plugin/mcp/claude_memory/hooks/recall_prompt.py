"""A prompt was sent: give Claude the memories that fit it, within the budget, none twice. Hot."""

from __future__ import annotations

import re

from claude_memory.hooks import injection, typed
from claude_memory.memory import label
from claude_memory.store import recall, rules, sessions, weighings
from claude_memory.store.floor import Floor

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from claude_memory.hooks.context import Context
    from claude_memory.store.recall import Hit

RECORDED = 3  # memories that were kept back
MOST = 16  # memories for one prompt
CANDIDATES = 40  # the best of them may have been given before
PROMPT_LIMIT = 200_000  # characters; what comes behind them was pasted
TYPED = 300  # characters of a line that a person may have typed
OWN_COMMANDS = re.compile(r"memory:|(?:remember|recall|forget)$")  # they recall by themselves
WORD = re.compile(r"\w+")
FILLERS = frozenset(
    "a again agreed all alright and b c continue correct d do done exactly fine go good great hello"
    " hey hi it ja k keep let lets looks me more n nein next nice no nope now ok okay on one"
    " perfect please proceed right s si so stop sure thank thanks that the then this to two undo"
    " weiter y yea yeah yep yes you".split()
)


def answer(event: dict[str, Any], context: Context) -> dict[str, Any] | None:
    """Return the memories that fit the prompt, or None when none does."""
    session = str(event["session_id"])
    prompt = str(event.get("prompt") or "")
    if context.learn != "off":  # when the turn ends, the transcript may not hold it yet
        context.spoken.hear(session, str(event.get("prompt_id") or ""), prompt)
    connection = context.connection()
    if connection is None:
        return None
    if session and not sessions.is_known(connection, session):
        # The very first session started before there was a store to record it in.
        sessions.begin(connection, session, context.project, context.now)
    words = question(prompt)
    room = injection.size(context)
    if not words or not room:
        return None
    hits, cut = _found(connection, words, context)
    hits.sort(key=lambda hit: rules.is_rule(hit.memory), reverse=True)  # to be obeyed: first
    found = [hit.memory for hit in hits]
    text = injection.inject(event, context, connection, found, characters=room, most=MOST)
    if not text:
        return None
    _record(connection, hits, cut, text, context)
    return injection.additional(event, text)


def _found(
    connection: sqlite3.Connection, words: str, context: Context
) -> tuple[list[Hit], list[Hit]]:
    """Return what fits the prompt, else what fits its first and last line: the rest was pasted.

    What was kept back is returned as well.
    """
    floors: list[Floor] = []

    def floor(*question: Any) -> Floor:
        floors.append(Floor(*question))
        return floors[-1]

    ends = _ends(words)
    for asked in (words, ends) if ends else (words,):
        query = recall.Query(asked, context.project, context.now, CANDIDATES, floor=True)
        hits = recall.search(connection, query, floor)
        if hits:
            return hits, floors[-1].cut
    return [], []


def _record(
    connection: sqlite3.Connection, hits: list[Hit], cut: list[Hit], text: str, context: Context
) -> None:
    """Keep why the prompt was given what it was given: what `explain` would say."""
    given = [hit for hit in hits if f"\n{label(hit.memory)} [" in text]
    others = [hit for hit in (*hits, *cut) if hit not in given][:RECORDED]
    told, kept_back = map(recall.explained, given), map(recall.explained, others)
    weighings.note(connection, told, kept_back, context.now)


def _ends(words: str) -> str:
    """Return the first and the last line of a text of many, as far as a person typed them."""
    first, *rest = [line for line in words.splitlines() if line.strip()]
    ends = [line for line in (first, *rest[-1:]) if len(line) <= TYPED]
    return "\n".join(ends) if rest else ""


def question(prompt: str) -> str:
    """Return the user's own words of a prompt, or nothing when there is nothing to look for."""
    text = typed.ends(typed.own_words(prompt[:PROMPT_LIMIT]))
    command = typed.COMMAND.match(text)
    if command:
        if OWN_COMMANDS.match(command.group("name")):
            return ""
        text = text[command.end() :]
    unfenced = typed.FENCED.sub(" ", text)
    text = (unfenced if _says_something(unfenced) else text).strip()
    return text if _says_something(text) else ""


def _says_something(text: str) -> bool:
    words = {word.lower() for word in WORD.findall(text)}
    return any(word not in FILLERS and not word.isdigit() for word in words)
