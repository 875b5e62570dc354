"""The hooks: through the server, as most of them run, and as commands."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from bench import stores
from bench.corpus import SEED, Corpus
from bench.processes import Costs, Server, command_cpu, doorway, interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.report import Report

CALLS = 200
RUNS = 25


def run(report: Report) -> None:
    """Measure the prompt hook, the rules at use, the Stop hook and the greeting."""
    with stores.copy(10_000, report) as home:
        prompts, turn = _prompts(10_000), _turn(home)
        with Server(home) as server:
            server.initialize()
            _through_server(report, server, "prompt hook at 10,000", lambda: next(prompts), 15)
            commands = _commands(10_000)
            _through_server(report, server, "rule at use at 10,000", lambda: next(commands), 15)
            _through_server(report, server, "Stop hook at 10,000", lambda: turn, None)
            server.leave()
        prompt = _as_command(report, home, "user-prompt-recall", lambda: next(prompts))
        report.add("prompt hook at 10,000, as a command", prompt.median, "CPU-ms", 60)
        report.add("the same, 95th percentile", prompt.p95, "CPU-ms")
        bare = Costs.of(
            [command_cpu([interpreter(), "-S", "-E", "-c", ""], home) for _ in range(RUNS)]
        )
        report.add("the same in starts of a bare Python", prompt.median / bare.median, "times")
        stop = _as_command(report, home, "auto-learn", lambda: turn)
        report.add("Stop hook at 10,000, as a command", stop.median, "CPU-ms")
    with stores.copy(100_000, report) as home:
        greetings = _greetings()
        greeting = _as_command(report, home, "session-start", lambda: next(greetings))
        report.add("greeting at 100,000, as a command", greeting.median, "CPU-ms")


def _through_server(
    report: Report,
    server: Server,
    name: str,
    event: Callable[[], dict[str, Any]],
    bound: float | None,
) -> None:
    report.progress(f"{name}, {CALLS} calls")
    for _ in range(5):
        server.call("hook", **event())
    found = server.costs(lambda: server.call("hook", **event()), CALLS)
    report.add(f"{name}, through the server", found.median, "CPU-ms", bound)
    report.add("the same, 95th percentile", found.p95, "CPU-ms")


def _as_command(
    report: Report, home: Path, name: str, event: Callable[[], dict[str, Any]]
) -> Costs:
    report.progress(f"{name} as a command, {RUNS} runs")
    figures = [
        command_cpu(doorway(name), home, json.dumps(event()).encode()) for _ in range(RUNS + 1)
    ]
    return Costs.of(figures[1:])  # the first compiles what is new


def _prompts(size: int) -> Iterator[dict[str, Any]]:
    """Make prompts that hold four words of a stored memory and six frequent ones."""
    chance = random.Random(SEED)
    corpus = Corpus()
    texts = [fact.content for fact in corpus.facts(size)]
    while True:
        words = chance.sample(chance.choice(texts).split(), 4) + corpus.frequent(6)
        chance.shuffle(words)
        yield {
            "event": "UserPromptSubmit",
            "session_id": f"session-{chance.randrange(50)}",
            "prompt": " ".join(words),
        }


def _commands(size: int) -> Iterator[dict[str, Any]]:
    """Make commands whose program, its argument and a second program are words of memories."""
    chance = random.Random(SEED + 1)
    corpus = Corpus()
    texts = [fact.content for fact in corpus.facts(size)]
    while True:
        words = chance.sample(chance.choice(texts).split(), 2) + corpus.frequent(1)
        yield {
            "event": "PreToolUse",
            "session_id": f"session-{chance.randrange(50)}",
            "tool_name": "Bash",
            "tool_input": json.dumps({"command": "{} {} && {} --quiet".format(*words)}),
        }


def _greetings() -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        number += 1
        yield {"event": "SessionStart", "source": "startup", "session_id": f"new-{number}"}


def _turn(home: Path) -> dict[str, Any]:
    """Write a transcript of forty turns and return the event that ends the last one."""
    corpus = Corpus(SEED + 2)
    path = home.parent / "transcript.jsonl"
    entries = []
    for number in range(40):
        said = {"role": "user", "content": f"Remember for later: {corpus.text(40)}"}
        entries.append({"type": "user", "uuid": f"u{number}", "message": said})
        answer = {"role": "assistant", "content": [{"type": "text", "text": corpus.text(300)}]}
        entries.append({"type": "assistant", "uuid": f"a{number}", "message": answer})
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
    return {
        "event": "Stop",
        "session_id": "session-0",
        "transcript_path": str(path),
        "last_assistant_message": corpus.text(300),
    }
