"""Calls: answers, failures, cancellation, several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stdio_peer import Message, Peer


def cancel(peer: Peer, request_id: object) -> None:
    """Cancel one call."""
    params = {"requestId": request_id, "reason": "no longer wanted"}
    peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def text(answer: Message) -> object:
    """Return the one text of a result."""
    (content,) = answer["result"]["content"]
    return content["text"]


def test_call_answers_with_text_alone(peer: Peer) -> None:
    """No structuredContent: the model would be given that instead of the text."""
    peer.call(1, "echo", text="hello")
    assert peer.hear()["result"] == {
        "content": [{"type": "text", "text": "hello"}],
        "isError": False,
    }


@pytest.mark.parametrize("params", [{"name": "echo"}, {"name": "echo", "arguments": None}])
def test_call_without_arguments_has_none(peer: Peer, params: object) -> None:
    """Arguments may be left out."""
    assert text(peer.answer("tools/call", params)) == "[]"


def test_hidden_tool_can_be_called(peer: Peer) -> None:
    """Hooks call what the model never sees."""
    peer.call(1, "hook", text="{}")
    assert text(peer.hear()) == "{}"


def test_refusal_is_an_error_the_model_can_read(peer: Peer) -> None:
    """What happened and what to do, as a result and not as a protocol error."""
    peer.call(1, "refused")
    answer = peer.hear()
    assert answer["result"]["isError"] is True
    assert text(answer) == "The text is too long. Split it."


def test_accident_is_recorded_and_told_without_its_words(peer: Peer) -> None:
    """The kind of failure is named; its text may be private. A failing record changes nothing."""
    peer.call(1, "broken")
    answer = peer.hear()
    assert answer["result"]["isError"] is True
    assert text(answer) == "Internal error (KeyError); memory_status shows what is known of it."
    peer.close()
    assert peer.end() == 0
    assert peer.errors() == "failure in broken: KeyError\n"


def test_nothing_but_the_protocol_reaches_stdout(peer: Peer) -> None:
    """Prints, C code and children write to stderr, and find no request on their stdin."""
    peer.call(1, "noisy")
    assert text(peer.hear()) == "quiet"
    peer.close()
    assert peer.hear_line() == b""
    assert peer.end() == 0
    assert "stray print" in peer.errors()
    assert "stray write" in peer.errors()
    assert "stray child" in peer.errors()


def test_slow_calls_block_neither_ping_nor_hooks_nor_cancellation(
    peer: Peer, tmp_path: Path
) -> None:
    """With every worker busy the server still listens, and hooks have workers of their own."""
    for request_id in range(4):
        peer.start_slow(request_id, tmp_path / "never")
    assert peer.answer("ping")["result"] == {}
    peer.call("hook", "hook", text="{}")
    assert peer.hear()["id"] == "hook"
    peer.call("waiting", "echo", text="hello")
    cancel(peer, 2)
    assert peer.hear()["id"] == "waiting"


def test_cancelled_call_sends_no_answer(peer: Peer, tmp_path: Path) -> None:
    """The handler learns of it and ends; the next answer is that of the next request."""
    peer.start_slow("slow", tmp_path / "never")
    cancel(peer, "slow")
    while not (tmp_path / "never.cancelled").exists():
        assert peer.answer("ping")["id"] == "asked"
    assert peer.answer("ping")["id"] == "asked"
    peer.close()
    assert peer.hear_line() == b""


def test_call_cancelled_before_its_turn_never_runs(peer: Peer, tmp_path: Path) -> None:
    """Behind four slow calls a fifth waits; cancelled there, it leaves no trace."""
    for request_id in range(4):
        peer.start_slow(request_id, tmp_path / "go")
    peer.call("fifth", "slow", until=str(tmp_path / "other"))
    cancel(peer, "fifth")
    assert peer.answer("ping")["id"] == "asked"
    (tmp_path / "go").touch()
    assert {peer.hear()["id"] for _ in range(4)} == {0, 1, 2, 3}
    peer.call("last", "echo", text="hello")
    assert peer.hear()["id"] == "last"
    peer.close()
    assert peer.hear_line() == b""
    assert not (tmp_path / "other.cancelled").exists()


def test_cancelled_call_in_a_batch_leaves_the_rest(peer: Peer, tmp_path: Path) -> None:
    """The batch is complete without it."""
    until = tmp_path / "never"
    params = {"name": "slow", "arguments": {"until": str(until)}}
    peer.send(
        [
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            {"jsonrpc": "2.0", "id": 2, "method": "ping"},
        ]
    )
    peer.wait_for_start(until, 1)
    cancel(peer, 1)
    assert peer.hear() == [{"jsonrpc": "2.0", "id": 2, "result": {}}]


def test_same_id_twice_is_answered_twice(peer: Peer, tmp_path: Path) -> None:
    """A client that repeats an id harms nobody but itself."""
    peer.start_slow(1, tmp_path / "go")
    peer.call(1, "echo", text="hello")
    assert text(peer.hear()) == "hello"
    (tmp_path / "go").touch()
    assert text(peer.hear()) == "waited"


def test_many_calls_at_once_are_each_answered_whole(peer: Peer) -> None:
    """Answers of several threads do not mix on the pipe, and none is lost or doubled."""
    for request_id in range(300):
        peer.call(request_id, "echo", text=str(request_id) * 3000)
    heard = [peer.hear() for _ in range(300)]
    assert sorted(answer["id"] for answer in heard) == list(range(300))
    assert all(text(answer) == str(answer["id"]) * 3000 for answer in heard)
