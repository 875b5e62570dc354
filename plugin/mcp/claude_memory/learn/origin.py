"""Whose words they are: what a program put into a turn as a prompt is left out of it.

The event of a prompt says nothing of its origin, so a schedule that the assistant made, perhaps
because a web page asked for it, would be heard as the user. The transcript tells them apart; it is
asked some seconds after the turn has ended, when it is surely written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from claude_memory.hooks import stop, transcript

if TYPE_CHECKING:
    from claude_memory.learn.prompt import Conversation


BEGINNING = 16  # characters; only what begins alike is worth redacting for a comparison
REDACTED = "[secret"


def only_typed(said: Conversation) -> Conversation:
    """Leave out the words that the transcript knows not to be a person's."""
    beginnings = tuple(text.partition(REDACTED)[0][:BEGINNING] for text in said.words)
    texts = map(stop.sound, transcript.read_machine_made(said.transcript))
    alike = {text for text in texts if text.startswith(beginnings)}
    made = [stop.shorten(text, stop.WORDS_LIMIT) for text in alike]
    # A turn that was too long for the queue has lost the ends of its words.
    typed = tuple(text for text in said.words if not any(one.startswith(text) for one in made))
    return replace(said, words=typed)
