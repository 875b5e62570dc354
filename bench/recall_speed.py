"""memory_recall through a server at 10,000 and 100,000 memories, and how often it is right."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from claude_memory import paths

from bench import stores
from bench.corpus import SEED, Corpus
from bench.processes import Costs, Server

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report import Report

BOUNDS = {10_000: (6, 18), 100_000: (33, 99)}  # CPU-ms: median, 95th percentile
MOST_HELD = {10_000: 45}  # MB of a server process
QUESTIONS = 1_000
OF_THE_MEMORY = 4  # words of a question
UNRELATED = 6  # of the most frequent ones
FREQUENT = 100  # words
WARMING = 20


class Question(NamedTuple):
    """Words to ask for, and the content of the memory that they were taken from."""

    words: str
    wanted: str


def run(report: Report) -> None:
    """Ask for memories by four of their words among six frequent ones."""
    for count, bounds in BOUNDS.items():
        with stores.copy(count, report) as home:
            _measure(report, home, count, bounds)


def _measure(report: Report, home: Path, count: int, bounds: tuple[int, int]) -> None:
    asked = _questions(home, QUESTIONS + WARMING)
    found = 0
    costs = []
    report.progress(f"{QUESTIONS} questions to {count:,} memories")
    with Server(home) as server:
        server.initialize()
        for question in asked[:WARMING]:
            server.call("memory_recall", context=question.words)
        for question in asked[WARMING:]:
            before = server.cpu()
            answer = server.call("memory_recall", context=question.words)
            costs.append(server.cpu() - before)
            found += f'"{question.wanted}"' in answer
        held = server.peak_mb()
        server.leave()
    cost = Costs.of(costs)
    report.add(f"recall at {count:,}", cost.median, "CPU-ms", bounds[0])
    report.add("the same, 95th percentile", cost.p95, "CPU-ms", bounds[1])
    share = 100 * found / QUESTIONS
    report.add("the same, wanted memory among the ten given", share, "%", 90, at_least=True)
    report.add("the same, server process", held, "MB", MOST_HELD.get(count))


def _questions(home: Path, count: int) -> list[Question]:
    """Take words of memories that every project sees."""
    with closing(sqlite3.connect(paths.database(str(home)))) as store:
        rows = store.execute("SELECT content FROM memories WHERE scope = 'global'").fetchall()
    chance = random.Random(SEED)
    corpus = Corpus()
    found = []
    for (content,) in chance.sample(rows, count):
        own = sorted(set(content.split()))
        words = chance.sample(own, OF_THE_MEMORY) + corpus.frequent(UNRELATED, FREQUENT)
        chance.shuffle(words)
        found.append(Question(" ".join(words), content))
    return found
