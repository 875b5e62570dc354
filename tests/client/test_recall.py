"""The main promise: told in one session, given in the next, without asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import call, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]

REGION = "The deploy region is eu-north-7"


@pytest.fixture
def told(client: Client) -> Client:
    """A user who has told Claude one fact, in one project."""
    session = client.play(
        ["Please remember where we deploy to."],
        [call("memory_store", content=REGION), say("{{last_tool_result}}")],
        project="first",
    )
    assert session.denied == []
    assert session.answers == ["Stored memory L1 in category 'facts'."]
    return client


def test_fact_is_given_in_another_project_without_asking(told: Client) -> None:
    """A new session elsewhere has the fact before the model says its first word."""
    session = told.play(["Which deploy region do we use?"], project="second")

    assert REGION in session.main[0].given_by("UserPromptSubmit")


def test_unrelated_prompt_is_given_nothing(told: Client) -> None:
    """A prompt that no memory fits gets no word of any memory."""
    session = told.play(["Please write a haiku about autumn leaves."], project="second")

    assert session.main[0].given_by("UserPromptSubmit") == ""


def test_fact_is_given_once_in_a_session(told: Client) -> None:
    """A second prompt on the same subject does not pay for the same memory again."""
    session = told.play(
        ["Which deploy region do we use?", "Is the deploy region far from here?"],
        [say("That one."), say("Quite far.")],
        project="second",
    )

    given = [found.text for found in session.main[-1].injected if REGION in found.text]
    assert len(given) == 1


def test_fact_is_given_to_a_prompt_in_other_words(client: Client) -> None:
    """What is meant alike is found, though hardly a word is shared."""
    formatter = "We format our Python code with black."
    client.play(["Remember."], [call("memory_store", content=formatter), say("Done.")])

    session = client.play(["Which formatter do we use for our Python files?"])

    assert formatter in session.main[0].given_by("UserPromptSubmit")


def test_superseded_fact_never_appears(told: Client) -> None:
    """Neither with a prompt, nor when the model asks, nor in the greeting."""
    fresh = "The deploy region is us-east-3"
    told.play(["It moved."], [call("memory_store", content=fresh, supersedes="L1"), say("Noted.")])

    session = told.play(
        ["Which deploy region do we use?"],
        [call("memory_recall", context="deploy region eu-north-7"), say("Done.")],
    )

    assert fresh in session.main[0].given_by("UserPromptSubmit")
    assert fresh in session.results[0].text
    assert "eu-north-7" not in session.main[-1].conversation


def test_rule_is_given_once_when_its_command_is_about_to_run(client: Client) -> None:
    """The model has the rule beside the first result, and not again beside the second."""
    rule = "Always pnpm in this repository, never npm."
    client.play(
        ["Remember."],
        [call("memory_store", content=rule, category="preferences"), say("Done.")],
    )

    session = client.play(
        ["Please go on with what is left."],
        [
            call("Bash", command="npm --version; true"),
            call("Bash", command="npm ls; true"),
            say("Done."),
        ],
        options=("--allowedTools", "Bash"),
    )

    assert [h.outcome for h in session.hooks_of("PreToolUse")] == ["success", "success"]
    assert session.main[0].injected == [] or rule not in session.main[0].conversation
    assert rule in session.main[1].given_by("PreToolUse:Bash")
    assert session.main[-1].conversation.count(rule) == 1


def test_model_finds_the_fact_when_it_asks(told: Client) -> None:
    """Recall answers with the memory as quoted data, under its id."""
    session = told.play(
        ["Look it up."],
        [call("memory_recall", context="deploy region"), say("Done.")],
        project="second",
    )

    [result] = session.results
    assert result.is_error is False
    assert "L1 [facts]" in result.text
    assert f'"{REGION}"' in result.text


def test_resumed_session_keeps_what_it_was_given(told: Client) -> None:
    """Resuming neither loses a memory nor gives it a second time."""
    before = told.play(["Which deploy region do we use?"], project="second")

    after = told.play(
        ["And the deploy region once more?"],
        project="second",
        options=("--resume", before.id),
    )

    given = [found.text for found in after.main[-1].injected if REGION in found.text]
    assert len(given) == 1
