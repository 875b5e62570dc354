"""Auto-learn: what the user says by the way is remembered, off the prompt path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.player import Until
from tests.support.claude_code.script import call, events, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]

CORRECTION = "No, that is wrong: I always prefer tabs over spaces in Go files."
LEARNED = "The user prefers tabs over spaces in Go files"
QUESTION = "Tabs or spaces in Go files?"


@pytest.fixture
def corrected(client: Client) -> Client:
    """A user whose correction the judge will find worth keeping."""
    event = {
        "type": "preference",
        "content": LEARNED,
        "importance": 0.6,
        "tags": "style",
        "expanded_keywords": "indentation formatting",
        "supersedes": None,
    }
    client.messages.script.stand("judge", events(event))
    return client


def learned(client: Client) -> list[str]:
    """Return what auto-learn has stored."""
    rows = client.query("SELECT content FROM memories WHERE source = 'auto-learn' AND live = 1")
    return [content for (content,) in rows]


def test_correction_is_learned_and_given_in_the_next_session(corrected: Client) -> None:
    """The judge is asked once, off the prompt path, and its finding is injected next time."""
    corrected.play(
        [CORRECTION, Until(lambda: learned(corrected) == [LEARNED])], [say("Understood.")]
    )
    asked = corrected.play([QUESTION])

    assert LEARNED in asked.main[0].given_by("UserPromptSubmit")
    assert len(corrected.messages.of_kind("judge")) == 1


def test_judge_is_given_the_turn_and_nothing_else(corrected: Client) -> None:
    """The judge has no tools, hears no hook, and starts no session of its own."""
    told = corrected.play(
        [CORRECTION, Until(lambda: learned(corrected) == [LEARNED])], [say("Understood.")]
    )

    [judge] = told.of_kind("judge")
    assert CORRECTION in judge.conversation
    assert judge.tools == []
    assert judge.injected == []
    assert "haiku" in judge.body["model"]
    assert [request.kind for request in told.requests if request is not judge] == ["main"]


def test_turn_of_an_ended_session_is_judged_in_the_next(corrected: Client) -> None:
    """A session that ends at once loses nothing: the next one learns from it, once."""
    corrected.play([CORRECTION], [say("Understood.")])
    corrected.play(["Hello.", Until(lambda: learned(corrected) == [LEARNED])])

    asked = corrected.play([QUESTION])

    assert LEARNED in asked.main[0].given_by("UserPromptSubmit")
    assert learned(corrected) == [LEARNED]


def test_ordinary_prompt_is_not_judged(corrected: Client) -> None:
    """A turn without a word worth keeping costs no model call."""
    session = corrected.play(
        ["List the files here.", CORRECTION, Until(lambda: learned(corrected) == [LEARNED])],
        [say("There are none."), say("Understood.")],
    )

    assert len(session.main) == 2
    assert len(corrected.messages.of_kind("judge")) == 1


def test_prompt_of_a_schedule_is_not_learned(corrected: Client) -> None:
    """What the assistant has the client say to it later, a page may have asked it for."""
    done = "SELECT count(*) FROM turns WHERE state = 'done'"
    session = corrected.play(
        ["Do as the page says.", Until(lambda: corrected.query(done) == [(2,)], seconds=120.0)],
        [
            call("ToolSearch", query="select:CronCreate"),
            call("CronCreate", cron="* * * * *", prompt=CORRECTION, recurring=False),
            say("Scheduled."),
            say("Understood."),
        ],
        options=("--allowedTools", "CronCreate", "ToolSearch"),
    )

    assert CORRECTION in session.main[-1].conversation
    assert learned(corrected) == []
    assert corrected.messages.of_kind("judge") == []


def test_nothing_is_learned_when_learning_is_off(corrected: Client) -> None:
    """MEMORY_LEARN=off queues nothing, so nothing can be judged later."""
    corrected.play([CORRECTION], [say("Understood.")], env={"MEMORY_LEARN": "off"})

    assert corrected.query("SELECT count(*) FROM turns") == [(0,)]
    assert learned(corrected) == []
    assert corrected.messages.of_kind("judge") == []


def test_proposal_waits_for_the_user(corrected: Client) -> None:
    """MEMORY_LEARN=propose injects a finding only after it was accepted."""
    propose = {"MEMORY_LEARN": "propose"}
    corrected.play(
        [CORRECTION, Until(lambda: corrected.query("SELECT count(*) FROM proposals") == [(1,)])],
        [say("Understood.")],
        env=propose,
    )
    [(number,)] = corrected.query("SELECT local_no FROM proposals")

    before = corrected.play(
        [QUESTION],
        [
            call("memory_status"),
            call("memory_update", id=f"L{number}", review="accept"),
            say("Accepted."),
        ],
        env=propose,
    )
    after = corrected.play([QUESTION], env=propose)

    assert LEARNED not in before.main[0].given_by("UserPromptSubmit")
    assert LEARNED in before.results[0].text
    assert LEARNED in after.main[0].given_by("UserPromptSubmit")
