"""What recall finds, and in which order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.postgres import LOGIN, Server
from tests.support.promises import promise
from tests.support.rows import Tenant, as_application, recall

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

    import psycopg

    from backend.schemas import Recalled

    Ask = Callable[..., list[uuid.UUID]]


@pytest.fixture
def tenant(superuser: psycopg.Connection[Any]) -> Tenant:
    """Make an account."""
    return Tenant(superuser, "ann")


@pytest.fixture
def ask(postgres: Server, database_name: str, tenant: Tenant) -> Ask:
    """Recall as the server does."""

    def asking(context: str, **named: Any) -> list[uuid.UUID]:
        with as_application(postgres.url(database_name, LOGIN), tenant.id) as connection:
            found: list[Recalled] = recall(connection, tenant.id, context, **named)
        return [one.uid for one in found]

    return asking


@promise("server.wanted-memory-is-found")
def test_rare_word_counts_more_than_frequent_ones(tenant: Tenant, ask: Ask) -> None:
    """One word that a single memory holds beats two that many hold."""
    usual = [tenant.store(f"deploy the service number {n}") for n in range(30)]
    rare = tenant.store("zanzibar is the code name")
    found = ask("deploy service zanzibar")
    assert found[0] == rare
    assert set(found[1:]) <= set(usual)


def test_memories_with_all_words_come_before_those_with_some(tenant: Tenant, ask: Ask) -> None:
    """However rare one of the words is."""
    for number in range(20):
        tenant.store(f"tea is ready {number}")
    some = tenant.store("matcha matcha matcha")
    everything = tenant.store("tea and much else that has to be said at length about matcha today")
    assert ask("tea matcha")[:2] == [everything, some]


def test_words_of_the_context_count_more_than_expanded_ones(tenant: Tenant, ask: Ask) -> None:
    """What was said outweighs what was only guessed from it."""
    guessed = tenant.store("the lorry is red")
    said = tenant.store("the truck is blue")
    assert ask("truck", expanded_query="lorry") == [said, guessed]


def test_name_in_several_parts_is_found_whole(tenant: Tenant, ask: Ask) -> None:
    """Its words in a row; only where no memory has them so, they count one by one."""
    together = tenant.store("use fetch user here")
    apart = tenant.store("user and fetch")
    assert ask("fetch_user") == [together]
    assert set(ask("fetch_user_fast")) == {together, apart}


@pytest.mark.parametrize(
    ("scope", "project", "expected"),
    [
        ("", "here", ["world", "here"]),
        ("", "", ["world"]),
        ("global", "here", ["world"]),
        ("project", "here", ["here"]),
        ("all", "", ["world", "here", "there"]),
    ],
)
def test_scope_decides_which_projects_take_part(
    tenant: Tenant, ask: Ask, scope: str, project: str, expected: list[str]
) -> None:
    """By default what is global and what is of the project at hand."""
    stored = {
        "world": tenant.store("tea"),
        "here": tenant.store("tea", scope="project", project="here"),
        "there": tenant.store("tea", scope="project", project="there"),
    }
    found = ask("tea", scope=scope, project=project)
    assert sorted(found) == sorted(stored[name] for name in expected)


def test_only_the_category_that_was_asked_for(tenant: Tenant, ask: Ask) -> None:
    """Others do not take part, whether their words are rare or frequent."""
    tenant.store_all({"content": f"tea zebra {n}"} for n in range(600))
    wanted = tenant.store("tea", category="decisions")
    assert ask("tea zebra", category="decisions") == [wanted]


def test_what_is_superseded_expired_or_deleted_is_not_found(tenant: Tenant, ask: Ask) -> None:
    """Unless what superseded it is deleted again."""
    old = tenant.store("tea at four")
    new = tenant.store("tea at five", supersedes=old)
    kept = tenant.store("tea at six")
    tenant.store("tea at seven", supersedes=kept, deleted_at="2026-01-02Z")
    tenant.store("tea at eight", expires_at="2026-01-02Z")
    lasting = tenant.store("tea at nine", expires_at="2999-01-02Z")
    assert set(ask("tea")) == {new, kept, lasting}


@pytest.mark.parametrize(("sort_by", "first"), [("importance", "grave"), ("recency", "late")])
def test_other_orders_are_of_what_fits(tenant: Tenant, ask: Ask, sort_by: str, first: str) -> None:
    """The most important or the newest comes first."""
    stored = {
        "plain": tenant.store("tea tea tea", importance=0.1),
        "grave": tenant.store("some tea", importance=0.9),
        "late": tenant.store("some other tea here", importance=0.2),
    }
    tenant.store("coffee", importance=1.0)
    found = ask("tea", sort_by=sort_by)
    assert found[0] == stored[first]
    assert len(found) == 3


@pytest.mark.parametrize(
    "context",
    [
        "",
        "the of",
        "missing",
        "'",
        "\\",
        "a:b & !c | (d <-> *)",
        "*",
        "'*",
        "\x01*",
        "🙂",
        "x" * 3_000,
        "%s {} $1 :name",
        "会",
    ],
)
def test_any_question_is_answered(tenant: Tenant, ask: Ask, context: str) -> None:
    """What means nothing finds nothing, and nothing is an error."""
    tenant.store("tea")
    assert ask(context) == []


def test_limit_is_kept(tenant: Tenant, ask: Ask) -> None:
    """No more than was asked for, also when more fit."""
    tenant.store_all({"content": "tea"} for _ in range(50))
    assert len(ask("tea", limit=7)) == 7


def test_frequent_words_alone_find_the_newest(tenant: Tenant, ask: Ask) -> None:
    """Where every memory fits as well, the last ones are the likeliest to be meant."""
    stored = tenant.store_all({"content": "tea is good"} for _ in range(5_000))
    assert set(ask("tea")) <= set(stored[-3_000:])


def test_frequent_words_fill_up_what_a_rare_one_left_empty(tenant: Tenant, ask: Ask) -> None:
    """A rare word that one memory holds does not keep others from being found by the rest."""
    rare = tenant.store("zanzibar")
    tenant.store_all({"content": "tea is good"} for _ in range(3_000))
    found = ask("tea zanzibar")
    assert len(found) == 10
    assert rare in found


@promise("server.wanted-memory-is-found")
def test_wanted_memory_is_found_among_many(tenant: Tenant, ask: Ask) -> None:
    """Four of its words and six frequent ones lead to it among five thousand (see bench/)."""
    chance = random.Random(7)  # noqa: S311  (repeatable on purpose)
    vocabulary = [f"w{number}x" for number in range(5_000)]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    texts = [chance.choices(vocabulary, weights, k=15) for _ in range(5_000)]
    stored = tenant.store_all({"content": " ".join(words)} for words in texts)
    found = 0
    asked = chance.sample(range(len(texts)), 50)
    for place in asked:
        words = sorted(set(texts[place]) - set(vocabulary[:10]))
        terms = chance.sample(words, min(4, len(words))) + chance.sample(vocabulary[:300], 6)
        found += stored[place] in ask(" ".join(terms))
    assert found >= 45
