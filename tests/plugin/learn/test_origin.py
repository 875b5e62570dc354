"""Of a queued turn only that remains which a person typed, as far as the transcript knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from claude_memory.hooks import stop
from claude_memory.learn.origin import only_typed
from claude_memory.learn.prompt import read_conversation
from claude_memory.store import turns

from tests.support import transcripts
from tests.support.transcripts import answered, queued, tool_result, typed

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" + "K1l2M3n4O5p6Q7r8"


def kept(path: str, *words: str) -> list[str]:
    """Return what remains of a turn's words, as they were typed."""
    held = {"words": [stop.shorten(text, stop.WORDS_LIMIT) for text in words], "transcript": path}
    return list(only_typed(read_conversation(json.dumps(held))).words)


def test_words_of_a_person_stay(tmp_path: Path) -> None:
    """What tools and the assistant said in the same words takes nothing away."""
    path = transcripts.write(
        tmp_path / "t", typed("use tabs"), answered("use tabs"), tool_result("use tabs")
    )
    assert kept(path, "use tabs") == ["use tabs"]
    assert kept(str(tmp_path / "none"), "use tabs") == ["use tabs"]
    assert kept("", "use tabs") == ["use tabs"]


def test_prompts_of_programs_are_left_out(tmp_path: Path) -> None:
    """Whether they opened the turn or came in the middle of it."""
    path = transcripts.write(
        tmp_path / "t",
        typed("always skim", isMeta=True, promptSource="system"),
        queued("always jump", isMeta=True),
    )
    assert kept(path, "always skim", "use tabs", "always jump") == ["use tabs"]


@pytest.mark.parametrize(
    "text",
    [
        "always use " + SECRET,
        SECRET + " is always used",
        "  <system-reminder>x</system-reminder> always use tabs ",
        "always use \ud800 tabs",
        "\ud800 always use tabs",
        "always " + "x y " * 50_000,
    ],
)
def test_queued_form_of_a_programs_prompt_is_recognised(tmp_path: Path, text: str) -> None:
    """What was redacted, cut or mended for the queue is still the same prompt."""
    from claude_memory.hooks.typed import statement

    path = transcripts.write(tmp_path / "t", typed(text, isMeta=True))
    assert kept(path, statement(text)) == []


def test_prompt_that_was_cut_to_fit_the_queue_is_recognised(tmp_path: Path) -> None:
    """Six thousand signs of four bytes are more than a turn may hold."""
    text = "\U0001f600 always" * 2_000
    path = transcripts.write(tmp_path / "t", typed(text, isMeta=True))
    body = stop._body([stop.shorten(text, stop.WORDS_LIMIT)], [], "", path, [])
    assert len(body.encode()) <= turns.BODY_LIMIT
    said = read_conversation(body)
    assert said.words
    assert only_typed(said).words == ()
