"""The judge is the user's own program: asked on stdin, without tools, never nested, ended."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from claude_memory import paths
from claude_memory.learn import judge as judges
from claude_memory.learn.judge import ClaudeJudge, Verdict

from tests.support.stand_in_claude import StandIn, ends

FOUND = {"type": "fact", "content": "x"}
SESSION = {
    "CLAUDECODE": "1",
    "CLAUDE_CODE_SESSION_ID": "outer",
    "CLAUDE_CODE_ENTRYPOINT": "cli",
    "CLAUDE_CODE_MESSAGING_TOKEN": "t",
    "CLAUDE_CODE_CHILD_SESSION": "1",
    "CLAUDE_PROJECT_DIR": "/p",
    "CLAUDE_PLUGIN_ROOT": "/r",
    "MEMORY_API_KEY": "k",
    "VAULT_TOKEN": "v",
}
SIGN_IN = {
    "ANTHROPIC_API_KEY": "mine",
    "CLAUDE_CODE_OAUTH_TOKEN": "mine",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "CLAUDE_CONFIG_DIR": "/c",
    "HTTPS_PROXY": "http://proxy",
}


def judge_of(claude: StandIn, tmp_path: Path, seconds: float = 60.0) -> ClaudeJudge:
    """Return a judge that runs the stand-in."""
    environ = {**os.environ, **SESSION, **SIGN_IN}
    return ClaudeJudge(claude.path, str(tmp_path / "data"), environ, seconds)


def test_judge_returns_events_and_what_they_cost(claude: StandIn, tmp_path: Path) -> None:
    """The answer is read, the cached tokens are counted too."""
    claude.finds(FOUND)
    assert judge_of(claude, tmp_path).ask("a prompt") == Verdict("answered", (FOUND,), 500, 20)


def test_conversation_is_on_stdin_and_not_in_argv(claude: StandIn, tmp_path: Path) -> None:
    """Any user of the machine can read argv."""
    judge_of(claude, tmp_path).ask("what the user said: wörds")
    [call] = claude.calls
    assert call["stdin"] == "what the user said: wörds"
    assert not any("user said: w" in argument for argument in call["argv"])


def test_judge_has_no_tools_no_plugins_and_no_session(claude: StandIn, tmp_path: Path) -> None:
    """The call is as small as it can be, and loads nothing of ours."""
    judge_of(claude, tmp_path).ask("x")
    [call] = claude.calls
    assert call["argv"] == [
        "-p",
        "--safe-mode",
        "--tools",
        "",
        "--no-session-persistence",
        "--model",
        "haiku",
        "--output-format",
        "json",
        "--system-prompt",
        call["argv"][-1],
    ]
    assert "memory judge" in call["argv"][-1]


def test_judge_is_guarded_and_knows_nothing_of_the_session(claude: StandIn, tmp_path: Path) -> None:
    """The guard is set, the outer session is gone, the user's way to sign in stays."""
    judge_of(claude, tmp_path).ask("x")
    env = claude.calls[0]["env"]
    assert env["CLAUDE_MEMORY_JUDGE"] == "1"
    assert not set(SESSION) & set(env)
    assert {name: env.get(name) for name in SIGN_IN} == SIGN_IN


def test_judge_works_in_an_empty_private_folder(claude: StandIn, tmp_path: Path) -> None:
    """No CLAUDE.md and no project of the user is in reach."""
    judge_of(claude, tmp_path).ask("x")
    [call] = claude.calls
    assert call["cwd"] == str((tmp_path / "data" / "judge").resolve())
    assert call["found"] == []
    assert Path(call["cwd"]).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "text",
    [
        '{"events": [{"type": "fact", "content": "x"}]}',
        'Here it is:\n```json\n{"events": [{"type": "fact", "content": "x"}]}\n```\nDone.',
        'I {"a": 1} and {not json} {"events": [{"type": "fact", "content": "x"}]} {"events": []}',
    ],
)
def test_answer_is_found_among_other_text(claude: StandIn, tmp_path: Path, text: str) -> None:
    """Fences and chatter around the object do no harm."""
    claude.says(text)
    assert judge_of(claude, tmp_path).ask("x").events == (FOUND,)


@pytest.mark.parametrize(
    "text", ["", "nothing", "[]", '{"events": 7}', '{"event": []}', '{"events": [', "[" * 9_000]
)
def test_any_other_answer_holds_no_events(claude: StandIn, tmp_path: Path, text: str) -> None:
    """The model may say anything."""
    claude.says(text)
    verdict = judge_of(claude, tmp_path).ask("x")
    assert (verdict.outcome, verdict.events) == ("answered", ())


@pytest.mark.parametrize(
    ("printed", "code", "reason"),
    [
        ("", 1, "code 1"),
        ("no json", 0, "no readable answer"),
        ("[1]", 0, "no readable answer"),
        (json.dumps({"is_error": True, "result": "Invalid API key"}), 1, "Invalid API key"),
        (json.dumps({"result": "x", "usage": "?"}), 3, "x"),
    ],
)
def test_failure_is_told_with_its_reason(
    claude: StandIn, tmp_path: Path, printed: str, code: int, reason: str
) -> None:
    """A judge that cannot work is not one that found nothing."""
    claude.prints(printed, code)
    verdict = judge_of(claude, tmp_path).ask("x")
    assert verdict.outcome == "failed"
    assert reason in verdict.reason


def test_program_that_cannot_be_started_is_a_failure(tmp_path: Path) -> None:
    """It was removed since it was found."""
    judge = ClaudeJudge(str(tmp_path / "none"), str(tmp_path / "data"), os.environ)
    assert judge.ask("x").outcome == "failed"


def test_endless_output_is_cut_off(claude: StandIn, tmp_path: Path) -> None:
    """A program gone wild cannot fill the memory."""
    claude.prints("x" * (judges.OUTPUT_LIMIT * 4))
    assert judge_of(claude, tmp_path).ask("x").outcome == "failed"


def test_prompt_larger_than_a_pipe_is_handed_over(claude: StandIn, tmp_path: Path) -> None:
    """Neither side waits for the other."""
    judge_of(claude, tmp_path).ask("x" * 500_000)
    assert len(claude.calls[0]["stdin"]) == 500_000


def test_late_judge_is_ended(claude: StandIn, tmp_path: Path) -> None:
    """A program that never answers is given up, with the reason."""
    claude.hangs()
    verdict = judge_of(claude, tmp_path, seconds=0.01).ask("x")
    assert verdict.outcome == "timeout"
    assert "no answer" in verdict.reason


def test_stopped_judge_is_killed_with_its_children(claude: StandIn, tmp_path: Path) -> None:
    """A stop ends the call at once, and no later one begins."""
    claude.hangs()
    judge = judge_of(claude, tmp_path)
    verdicts: list[Verdict] = []
    asking = threading.Thread(target=lambda: verdicts.append(judge.ask("x")))
    asking.start()
    pids = claude.wait_until_started()
    judge.stop()
    asking.join()
    assert [verdict.outcome for verdict in verdicts] == ["stopped"]
    assert all(map(ends, pids))
    assert judge.ask("y").outcome == "stopped"
    assert len(claude.calls) == 1


def test_program_is_found_on_the_path_or_at_its_usual_places(
    claude: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server started from a desktop often has a short PATH."""
    assert paths.find_claude({"PATH": str(claude.folder)}) == claude.path
    monkeypatch.setattr(paths, "CLAUDE_PLACES", paths.CLAUDE_PLACES[:2])
    assert paths.find_claude({"PATH": str(tmp_path)}) == ""
    usual = Path.home() / ".local" / "bin"
    usual.mkdir(parents=True)
    (usual / "claude").symlink_to(claude.path)
    assert paths.find_claude({"PATH": str(tmp_path)}) == str(usual / "claude")


def test_judge_is_only_chosen_when_asked_for_and_there(claude: StandIn, tmp_path: Path) -> None:
    """`off` means local rules only."""
    found = {"PATH": str(claude.folder)}
    assert judges.choose("claude", str(tmp_path), found) is not None
    assert judges.choose("off", str(tmp_path), found) is None
