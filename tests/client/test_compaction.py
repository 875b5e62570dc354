"""What a session knew before its context was shortened, it knows afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import call, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client
    from tests.support.claude_code.transcript import Session

pytestmark = [pytest.mark.heavy, pytest.mark.once]

RULE = "Never touch the billing schema"
PRINTER = "The invoice printer is called Gutenberg"


@pytest.fixture
def compacted(client: Client) -> Session:
    """A session that was given one memory, stored another, was compacted and went on."""
    client.play(["Remember this."], [call("memory_store", content=RULE), say("Done.")])
    return client.play(
        ["May I change the billing schema?", "Remember the printer.", "/compact", "Go on, please."],
        [say("No."), call("memory_store", content=PRINTER), say("Done."), say("Fine.")],
        project="second",
    )


def test_summary_is_told_what_to_keep(compacted: Session) -> None:
    """The order to the summariser names the memories that this session was given and stored."""
    assert compacted.has_event("compact_boundary")
    [request] = compacted.of_kind("compact")
    order = request.conversation.split("Additional Instructions:")[-1]
    assert RULE in order
    assert PRINTER in order


def test_memories_are_given_again_after_compaction(compacted: Session) -> None:
    """The first prompt after compaction has them, although it names none of them."""
    request = compacted.main[-1]
    assert "being continued from a previous conversation" in request.conversation
    assert RULE in request.given_by("SessionStart")
    assert PRINTER in request.given_by("SessionStart")


def test_memories_are_not_given_twice_after_compaction(client: Client) -> None:
    """A prompt after compaction is not given what compaction already gave back."""
    client.play(["Remember this."], [call("memory_store", content=RULE), say("Done.")])
    session = client.play(
        ["May I change the billing schema?", "/compact", "Why is the billing schema off limits?"],
        [say("No."), say("It is.")],
    )

    given = [found.event for found in session.main[-1].injected if RULE in found.text]
    assert given == ["SessionStart"]


def test_what_was_stored_after_clear_survives_compaction(client: Client) -> None:
    """`/clear` begins a new session, while the server of the plugin goes on."""
    session = client.play(
        ["Remember the rule.", "/clear", "Remember the printer.", "/compact", "Go on, please."],
        [
            call("memory_store", content=RULE),
            say("Done."),
            call("memory_store", content=PRINTER),
            say("Done."),
            say("Fine."),
        ],
    )

    [request] = session.of_kind("compact")
    order = request.conversation.split("Additional Instructions:")[-1]
    assert PRINTER in order
    assert RULE not in order
    assert PRINTER in session.main[-1].given_by("SessionStart")
