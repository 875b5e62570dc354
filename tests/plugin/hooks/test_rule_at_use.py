"""A rule that names a command is given when the command is about to run, once a session."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from claude_memory.hooks import approve, rule_at_use
from claude_memory.memory import stamp
from claude_memory.store import lines, sessions

from tests.support.hook_calls import added, asked, context_in
from tests.support.promises import promise
from tests.support.stores import NOW, PROJECT, opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

RULE = "Always pnpm in this monorepo, never npm or yarn."


@pytest.fixture
def store(tmp_path: Path) -> sqlite3.Connection:
    """An empty store."""
    return opened(tmp_path)


def given(
    store: sqlite3.Connection,
    command: object,
    tool: object = "Bash",
    session: str = "s",
    **environ: str,
) -> str:
    """Return what a call of a tool is given."""
    event = {
        "event": "PreToolUse",
        "session_id": session,
        "tool_name": tool,
        "tool_input": json.dumps({"command": command, "description": "npm"}),
    }
    return added(asked(event, context_in("/nowhere", store, environ)))


@promise("hooks.rule-at-use")
def test_rule_is_given_when_the_command_it_names_is_about_to_run(store: sqlite3.Connection) -> None:
    """As quoted data, with no word about whether the command may run."""
    put(store, RULE, category="preferences")
    event = {
        "event": "PreToolUse",
        "session_id": "s",
        "tool_name": "Bash",
        "tool_input": {"command": "cd web && npm install left-pad"},
    }

    said = asked(event, context_in("/nowhere", store))

    assert said == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "additionalContext": f'{lines.HEADER}\nL1 [preferences] 2026-03-01 "{RULE}"',
        }
    }


@promise("hooks.rule-at-use")
def test_rule_is_given_once_in_a_session(store: sqlite3.Connection) -> None:
    """However often the command runs; after a compaction it is given again."""
    put(store, RULE, category="preferences")

    assert RULE in given(store, "npm install")
    assert given(store, "npm test") == ""
    assert RULE in given(store, "npm test", session="other")
    sessions.compacted(store, "s", PROJECT, NOW)
    assert RULE in given(store, "npm test")


def test_rule_that_the_prompt_was_given_is_not_repeated(store: sqlite3.Connection) -> None:
    """It stands in the context already."""
    put(store, RULE, category="preferences")
    prompt = {"event": "UserPromptSubmit", "session_id": "s", "prompt": "do we use pnpm or npm?"}
    assert RULE in added(asked(prompt, context_in("/nowhere", store)))

    assert given(store, "npm install") == ""


@pytest.mark.parametrize(
    ("content", "command"),
    [
        ("Never git push to main.", "git push origin main"),
        ("Never git push to main.", "FORCE=1 git -c x=y push"),
        ("Use `make check` before a commit, never plain pytest.", "make check"),
        ("Use `make check` before a commit, never plain pytest.", "python3 -m pytest -q"),
        ("terraform apply runs only in the pipeline.", "cd infra; terraform apply"),
        ("Immer uv statt pip.", "sudo pip install x"),
        ("Avoid sudo on the build machine.", "sudo systemctl restart nginx"),
        ("docker-compose is gone, always docker compose.", "docker-compose up"),
        ("kubectl を本番で使わない。", "/usr/local/bin/kubectl get pods"),
        ("Always pass --locked to cargo.", "for f in a b; do cargo build; done"),
        ("Never rm -rf the cache folder.", "echo $(rm -rf cache)"),
        (RULE, 'bash -c "npm ci"'),
        (RULE, "sudo sh -lc 'cd x && npm ci'"),
        (RULE, 'eval "NODE_ENV=\\"a b\\" npm ci"'),
        (RULE, "timeout -k 5 10s npm ci"),
        (RULE, "doas -u build npm ci"),
        (RULE, "watch -n1 npm test"),
        (RULE, "watch -n 5 'npm test'"),
        (RULE, "ssh -i key -p 22 host npm ci"),
        (RULE, 'ssh host "cd web && npm ci"'),
        (RULE, "xargs -n 1 npm info < names"),
        (RULE, '"npm" ci'),
        (RULE, "NOTE='two words' npm ci"),
        (RULE, "if ! npm ci; then exit 1; fi"),
        ("Never rm -rf the cache folder.", "find . -name x -exec rm -rf {} +"),
        ("`go test` always with -race.", "go test ./..."),
        ("`docker -H` is for the lab only.", "docker ps"),
    ],
)
def test_commands_are_found_wherever_they_stand(
    store: sqlite3.Connection, content: str, command: str
) -> None:
    """Behind variables, sudo and loops, with a path, as a module, in other languages."""
    put(store, content)

    assert content in given(store, command)


@pytest.mark.parametrize(
    ("content", "command"),
    [
        ("Always pnpm, never npm.", "cargo build"),
        ("Always pnpm, never npm.", "echo npm"),
        ("Always pnpm, never npm.", "git commit -m 'use npm'"),
        ("Always pnpm, never npm.", "cat > notes <<'EOF'\nnpm install\nEOF"),
        ("Always pnpm, never yarn.", "npm install"),
        ("The npm registry token lives in the vault.", "npm install"),
        ("Never make a fuss about time.", "time make all"),
        ("Only find what you look for.", "find . -name x"),
        ("Never deploy without Anna.", "./deploy-all.sh"),
        (RULE, "bash -c 'echo npm'"),
        (RULE, "echo 'npm ci'"),
        (RULE, "ssh npm ls"),
        (RULE, "timeout 10 make npm"),
        ("`go test` always with -race.", "go build"),
        ("Never run `docker system prune`.", "docker ps"),
        ("Never `git push` to main.", "git status"),
    ],
)
def test_other_commands_are_given_nothing(
    store: sqlite3.Connection, content: str, command: str
) -> None:
    """A word is no command, a fact no rule, and a name not part of another."""
    put(store, content)

    assert given(store, command) == ""


def test_preference_and_correction_are_rules_whatever_their_words(
    store: sqlite3.Connection,
) -> None:
    """A correction is what somebody insisted upon."""
    put(store, "helm charts are linted with helm lint", category="preferences")
    old = put(store, "We deploy with helm 2")
    put(store, "We deploy with helm 3", supersedes=old.uid)

    text = given(store, "helm lint .")
    assert "linted" in text
    assert "helm 3" in text
    assert "helm 2" not in text


def test_what_does_not_hold_here_stays_out(store: sqlite3.Connection) -> None:
    """Rules of other projects, and expired ones."""
    put(store, "Never npm, foreign", scope="project", project="github.com/acme/other")
    put(store, "Never npm, over", expires_at=stamp(NOW - timedelta(hours=1)))
    put(store, "Never npm, ours", scope="project", project=PROJECT)

    assert [line.split('"')[1] for line in given(store, "npm ci").splitlines()[1:]] == [
        "Never npm, ours"
    ]


def test_few_rules_are_given_the_weightiest_first(store: sqlite3.Connection) -> None:
    """A command does not bring a flood."""
    for number in range(10):
        put(store, f"Never npm, reason {number} " + "x" * 100, importance=number / 10)

    shown = given(store, "npm ci")
    assert [line.split("reason ")[1][0] for line in shown.splitlines()[1:]] == ["9", "8", "7"]
    assert len(shown) <= rule_at_use.ROOM


OURS = (approve.SECRET, approve.DELETE, *sorted(approve.HARMLESS))


@pytest.mark.parametrize("tool", [*OURS, "Edit", "WebFetch", "mcp__other__run", "", None, 7])
def test_other_tools_are_given_nothing(store: sqlite3.Connection, tool: object) -> None:
    """Commands alone have names to match."""
    put(store, RULE, category="preferences")

    assert given(store, "npm install", tool) == ""


@pytest.mark.parametrize(
    "command", [None, 7, ["npm"], "", "'", '"' * 5_000, "`" * 9_000, "\ud800 npm", "(" * 5_000]
)
def test_odd_commands_are_no_failure(store: sqlite3.Connection, command: object) -> None:
    """Whatever is about to run, it runs."""
    put(store, RULE, category="preferences")

    given(store, command)


@pytest.mark.parametrize("tool_input", ["no json", "[" * 100_000, [], None, "7", '{"command": 7}'])
def test_arguments_that_cannot_be_read_are_no_failure(
    store: sqlite3.Connection, tmp_path: Path, tool_input: object
) -> None:
    """Silence, and nothing to report."""
    event = {"event": "PreToolUse", "tool_name": "Bash", "tool_input": tool_input}

    assert asked(event, context_in(tmp_path, store)) == {}
    assert not (tmp_path / "memory" / "failures.jsonl").exists()


def test_budget_of_nothing_switches_it_off(store: sqlite3.Connection) -> None:
    """One setting for all that is given unasked."""
    put(store, RULE, category="preferences")

    assert given(store, "npm install", MEMORY_RECALL_BUDGET="0") == ""


def test_without_a_local_store_nothing_is_given(tmp_path: Path) -> None:
    """In HTTP-only mode, and before the first memory."""
    event = {"event": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "npm ci"}}
    direct = {"MEMORY_API_KEY": "k", "MEMORY_SYNC_DISABLE": "1"}

    assert asked(event, context_in(tmp_path, None, direct)) == {}
    assert asked(event, context_in(tmp_path, None)) == {}
