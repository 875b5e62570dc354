"""What holds of every answer, whatever is stored and asked: seeded random stores and questions."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.store import recall

from tests.support.stores import NOW, PROJECT, opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from claude_memory.memory import Memory
    from claude_memory.store.recall import Hit

WORDS = (
    "deploy region server invoice billing quokka wombat test flaky rounding midnight error E4012 "
    "fetch_user_name fetchUserName src/api/user.py v1.2.3 C++ Anna Ben cache queue "
    "数据库 部署 東京 コミット 배포 서울 café naïve "
    "the of and we always never npm pnpm prefers tabs spaces"
).split()
APART = "violin orchestra sonata cello trumpet melody concert soprano chorus rehearsal".split()
SIGNS = ('"', "'", "*", "(", ")", ":", "^", "-", "\x00", "\ud800", "\U0001f600", "%", "{", "NEAR")
CLEAR = 1.05  # times the score of the second: more than rarity and age of others can shift
ENOUGH = 0.5  # more than an unrelated memory reaches by meaning alone


def said(chance: random.Random, most: int = 14) -> str:
    """Return some words of the vocabulary."""
    return " ".join(chance.choices(WORDS, k=chance.randint(1, most)))


def filled(store: sqlite3.Connection, chance: random.Random, count: int) -> list[Memory]:
    """Store random memories: of several sessions, scopes and ages, some superseded or expired."""
    made: list[Memory] = []
    for number in range(count):
        fields = {
            "session": chance.choice(["", "s", "t"]),
            "tags": chance.choice(["", said(chance, 2)]),
            "expanded_keywords": chance.choice(["", said(chance, 3)]),
            "importance": chance.random(),
            "category": chance.choice(["facts", "preferences", "people"]),
            "scope": chance.choice(["global", "global", "project"]),
            "project": chance.choice([PROJECT, "elsewhere"]),
            "supersedes": chance.choice(made).uid if made and not number % 7 else "",
            "expires_at": "2026-02-01T00:00:00.000000Z" if not number % 11 else "",
            "now": NOW + timedelta(seconds=number),
        }
        made.append(put(store, said(chance), **fields))
    return made


def ask(store: sqlite3.Connection, context: str, **others: Any) -> list[Hit]:
    """Ask for ten memories by relevance, unless `others` say otherwise."""
    usual = recall.Query(context, PROJECT, NOW, limit=10)
    return recall.search(store, usual._replace(**others))


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Return the chance of one seed; a failure names it."""
    return random.Random(request.param)  # noqa: S311  (repeatable on purpose)


seeds = pytest.mark.parametrize("chance", range(3), indirect=True)


@seeds
def test_no_question_is_an_error_and_no_answer_too_long(
    tmp_path: Path, chance: random.Random
) -> None:
    """Whatever signs it holds and whatever else is asked for; each memory comes once."""
    store = opened(tmp_path)
    filled(store, chance, 60)
    for _ in range(40):
        parts = chance.choices([*WORDS, *SIGNS], k=chance.randint(0, 30))
        limit = chance.randint(1, 50)
        hits = ask(
            store,
            chance.choice(["", " "]).join(parts),
            expanded=said(chance),
            category=chance.choice(["", "facts", "no such category"]),
            sort_by=chance.choice(["relevance", "importance", "recency"]),
            scope=chance.choice(["", "global", "project", "all"]),
            limit=limit,
            floor=chance.random() < 0.3,
        )
        uids = [hit.memory.uid for hit in hits]
        assert len(uids) == len({*uids}) <= limit


@seeds
def test_order_is_the_same_for_everybody_who_asks(tmp_path: Path, chance: random.Random) -> None:
    """Asked again, and by another session of the same store."""
    store, other = opened(tmp_path), opened(tmp_path)
    filled(store, chance, 60)
    for _ in range(25):
        context = said(chance)
        first = [(hit.memory.uid, hit.score) for hit in ask(store, context)]
        assert first == [(hit.memory.uid, hit.score) for hit in ask(store, context)]
        assert first == [(hit.memory.uid, hit.score) for hit in ask(other, context)]


@seeds
def test_superseded_and_expired_memories_never_come(tmp_path: Path, chance: random.Random) -> None:
    """Nor those of another project, whatever stands in their place."""
    store = opened(tmp_path)
    made = filled(store, chance, 80)
    gone = {memory.supersedes for memory in made}
    for _ in range(25):
        for hit in ask(store, said(chance), limit=50):
            assert hit.memory.uid not in gone
            assert not hit.memory.expires_at
            assert hit.memory.scope == "global" or hit.memory.project == PROJECT


@seeds
def test_unrelated_memory_never_takes_the_first_place(
    tmp_path: Path, chance: random.Random
) -> None:
    """What is clearly the best answer stays it, however many others of another subject come."""
    store = opened(tmp_path)
    filled(store, chance, 40)
    questions = [said(chance, 6) for _ in range(40)]
    clear = {}
    for context in questions:
        hits = ask(store, context)
        scores = [hit.score for hit in hits] + [0.0, 0.0]
        if scores[0] > max(ENOUGH, CLEAR * scores[1]):
            clear[context] = hits[0].memory.uid
    assert len(clear) > 10
    for count in (1, 29):
        for _ in range(count):
            put(store, " ".join(chance.choices(APART, k=8)), session=chance.choice(["", "s"]))
        for context, uid in clear.items():
            assert ask(store, context)[0].memory.uid == uid
