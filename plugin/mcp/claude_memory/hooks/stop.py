"""The end of a turn: queue what the user said, redacted, for auto-learn to look at later. Hot.

Nothing is judged here, and nothing is said: the client waits for this hook.
"""

from __future__ import annotations

import json
from datetime import timedelta

from claude_memory.hooks import transcript
from claude_memory.hooks.spoken import STORED
from claude_memory.hooks.transcript import Said
from claude_memory.store import turns
from claude_memory.store.connection import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claude_memory.hooks.context import Context
    from claude_memory.hooks.spoken import Heard

EARLIER = 6  # texts before the turn, so that "no, the other one" can be understood
WORDS_LIMIT = 6_000  # characters of the turn's own words
USER_LIMIT, ASSISTANT_LIMIT = 1_000, 700  # characters of one earlier text
REDACTED_AT_ONCE = 65_536  # characters; no secret is as long as the part then cut off
LONGEST_SECRET = 8_192
PATH_LIMIT = 2_048  # characters
GAP = "\n[...]\n"
# Until then the client has written its transcript, which tells who the words are from.
SETTLING = timedelta(seconds=2)


def answer(event: dict[str, Any], context: Context) -> None:
    """Queue the turn that just ended, unless learning is off or it holds no words of the user."""
    if context.learn == "off":
        return
    session = str(event["session_id"])
    path = str(event.get("transcript_path") or "")
    heard = context.spoken.heard(session)
    if heard:
        turn, earlier = _recall(heard, path)
    elif _was_queued(event):
        return
    else:  # a hook in a process of its own, or a server that began in the middle of the turn
        turn, earlier = transcript.read_turn(path, str(event.get("prompt_id") or ""), EARLIER)
    words = [one.text for one in turn if one.speaker == transcript.USER]
    if words:
        connection = context.connection()
        if connection is None:
            return
        if transcript.is_withheld(turn):
            with write(connection):
                turns.forget(connection, session)  # "that" may be what was said in the turn before
        else:
            clean = [shorten(text, WORDS_LIMIT) for text in words]
            stored = [uid for one in heard for uid in one.stored]
            body = _body(clean, [_line(one) for one in earlier], _reply(event, turn), path, stored)
            with write(connection, durable=False):
                turns.enqueue(
                    connection,
                    session=session,
                    project=context.project,
                    words="\n".join(clean),
                    body=body,
                    now=context.now,
                    rest=SETTLING,
                )
    context.spoken.forget(session, heard)  # not before they are queued: a full disk loses none


def shorten(text: str, limit: int) -> str:
    """Redact a text, then keep its beginning and its end; that is how it is queued."""
    from claude_memory.redaction.detector import redact  # rules that other hooks can do without

    clean: str = redact(sound(text[:REDACTED_AT_ONCE])).text
    if len(text) > REDACTED_AT_ONCE:  # the cut may have gone through a secret
        clean = clean[:-LONGEST_SECRET]
    if len(clean) <= limit:
        return clean
    half = (limit - len(GAP)) // 2
    return clean[:half] + GAP + clean[-half:]


def sound(text: str) -> str:
    """Replace what UTF-8 or a memory cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def _recall(heard: list[Heard], path: str) -> tuple[list[Said], list[Said]]:
    """Return the turn as it was heard, and from the transcript what was said before it."""
    turn = [Said(transcript.USER, one.text, one.prompt, is_first=True) for one in heard if one.text]
    prompts = [one.prompt for one in heard]
    return turn, transcript.read_before(path, prompts, EARLIER) if turn else []


def _was_queued(event: dict[str, Any]) -> bool:
    """Tell whether this turn has ended before, and a hook of someone else made it go on."""
    return str(event.get("stop_hook_active")).lower() == "true"


def _line(said: Said) -> list[str]:
    limit = USER_LIMIT if said.speaker == transcript.USER else ASSISTANT_LIMIT
    return [said.speaker, shorten(said.text, limit)]


def _reply(event: dict[str, Any], turn: list[Said]) -> str:
    """Return what the assistant answered, from the event or else from the transcript."""
    text = event.get("last_assistant_message")
    if not isinstance(text, str) or not text.strip():
        spoken = [one.text for one in turn if one.speaker == transcript.ASSISTANT]
        text = spoken[-1] if spoken else ""
    return shorten(text, ASSISTANT_LIMIT)


def _body(
    words: list[str], earlier: list[list[str]], reply: str, path: str, stored: list[str]
) -> str:
    """Write the turn as JSON of at most BODY_LIMIT bytes; the oldest context goes first."""
    file = sound(path) if len(path) <= PATH_LIMIT else ""
    while True:
        held = {
            "words": words,
            "earlier": earlier,
            "reply": reply,
            "transcript": file,
            "stored": stored[-STORED:],
        }
        body = json.dumps(held, ensure_ascii=False)
        if len(body.encode("utf-8")) <= turns.BODY_LIMIT:
            return body
        if earlier:
            earlier = earlier[1:]
        elif reply:
            reply = ""
        elif len(words) > 1:
            words = words[:-1]
        else:
            words = [words[0][: len(words[0]) * 3 // 4]]
