"""The end of a turn: queue what the user said, redacted, for auto-learn to look at later. Hot.

Nothing is judged here, and nothing is said: the client waits for this hook.
"""

from __future__ import annotations

import json

from claude_memory.hooks import transcript
from claude_memory.store import turns
from claude_memory.store.connection import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claude_memory.hooks.context import Context
    from claude_memory.hooks.transcript import Said

EARLIER = 6  # texts before the turn, so that "no, the other one" can be understood
WORDS_LIMIT = 6_000  # characters of the turn's own words
USER_LIMIT, ASSISTANT_LIMIT = 1_000, 700  # characters of one earlier text
REDACTED_AT_ONCE = 65_536  # characters; no secret is as long as the part then cut off
LONGEST_SECRET = 8_192
GAP = "\n[...]\n"


def answer(event: dict[str, Any], context: Context) -> None:
    """Queue the turn that just ended, unless learning is off or it holds no words of the user."""
    if context.learn == "off" or context.silent:
        return
    prompt = str(event.get("prompt_id") or "")
    turn, earlier = transcript.read_turn(str(event.get("transcript_path") or ""), prompt, EARLIER)
    words = [_short(one.text, WORDS_LIMIT) for one in turn if one.speaker == transcript.USER]
    if not words:
        return
    connection = context.connection()
    if connection is None:
        return
    body = _body(words, [_line(one) for one in earlier], _reply(event, turn))
    with write(connection, durable=False):
        turns.enqueue(
            connection,
            session=str(event.get("session_id") or context.session),
            project=context.project,
            words="\n".join(words),
            body=body,
            now=context.now,
        )


def _line(said: Said) -> list[str]:
    limit = USER_LIMIT if said.speaker == transcript.USER else ASSISTANT_LIMIT
    return [said.speaker, _short(said.text, limit)]


def _reply(event: dict[str, Any], turn: list[Said]) -> str:
    """Return what the assistant answered, from the event or else from the transcript."""
    text = event.get("last_assistant_message")
    if not isinstance(text, str) or not text.strip():
        spoken = [one.text for one in turn if one.speaker == transcript.ASSISTANT]
        text = spoken[-1] if spoken else ""
    return _short(text, ASSISTANT_LIMIT)


def _short(text: str, limit: int) -> str:
    """Redact a text, then keep its beginning and its end."""
    from claude_memory.redaction.detector import redact  # rules that other hooks can do without

    sound = text[:REDACTED_AT_ONCE].encode("utf-8", "replace").decode("utf-8")
    clean: str = redact(sound).text
    if len(text) > REDACTED_AT_ONCE:  # the cut may have gone through a secret
        clean = clean[:-LONGEST_SECRET]
    if len(clean) <= limit:
        return clean
    half = (limit - len(GAP)) // 2
    return clean[:half] + GAP + clean[-half:]


def _body(words: list[str], earlier: list[list[str]], reply: str) -> str:
    """Write the turn as JSON of at most BODY_LIMIT bytes; the oldest context goes first."""
    while True:
        body = json.dumps({"words": words, "earlier": earlier, "reply": reply}, ensure_ascii=False)
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
