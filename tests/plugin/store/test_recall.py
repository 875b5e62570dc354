"""What is asked finds the memories that fit, best first, and nothing where nothing fits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.memory import stamp
from claude_memory.store import memories, recall
from claude_memory.store.connection import write

from tests.support.stores import NOW, PROJECT, opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

DEFAULTS: dict[str, Any] = {"project": PROJECT, "now": NOW, "limit": 10}
EVERYDAY = (
    "fix the failing unit test in this file",
    "write a haiku about autumn leaves",
    "please continue",
    "refactor this class into smaller functions",
    "what does this stack trace mean?",
    "add a docstring to every function",
    "git rebase conflict, how do I resolve it?",
    "how can I parse JSON in Go?",
    "what is the capital of Australia?",
    "generate a random password",
    "请帮我写一个函数",
    "この関数を修正してください",
    "이 코드의 오류를 수정해 주세요",
    "东京的天气怎么样，适合旅行吗",
    "move the license header of each source file into a shared template that the linter checks",
)
KNOWN = (
    ("The deploy region is eu-north-7.", "Which deploy region do we use?"),
    ("User prefers tabs over spaces.", "should I use tabs or spaces here?"),
    ("All money amounts are integer cents.", "add a price field, how do we store money amounts?"),
    ("Error E4012 means the license server is down.", "I get error E4012 when starting"),
    ("Anna is the product owner of billing.", "who is the product owner for billing?"),
    ("The flaky test test_invoice_rounding fails at midnight.", "test_invoice_rounding is red"),
    (
        "Feature flags live in LaunchDarkly, prefix web.",
        "add a feature flag for the new checkout, which prefix?",
    ),
    ("数据库部署在东京", "我们的数据库部署在哪里？"),
    ("デプロイは東京リージョンに行う", "どの東京リージョンにデプロイしますか"),
    ("コミットには署名してください", "コミットに署名は必要ですか"),
    ("배포는 서울 리전에서 합니다", "서울 리전에 배포해줘"),
)


@pytest.fixture
def store(tmp_path: Path) -> sqlite3.Connection:
    """An empty store."""
    return opened(tmp_path)


def ask(store: sqlite3.Connection, context: str, **others: Any) -> list[str]:
    """The contents that a question finds, in order."""
    query = recall.Query(**{**DEFAULTS, "context": context, **others})
    return [hit.memory.content for hit in recall.search(store, query)]


def test_nothing_is_found_in_an_empty_store(store: sqlite3.Connection) -> None:
    """Neither words nor their absence find anything where nothing is."""
    assert ask(store, "deploy region") == []
    assert ask(store, "") == []


def test_memory_is_found_by_another_form_of_its_words(store: sqlite3.Connection) -> None:
    """Endings do not matter, nor capitals, nor accents."""
    put(store, "Deployments are scheduled at the Café.")
    put(store, "Zebras eat grass")

    for question in ("deployment", "SCHEDULING", "cafe", "cafés"):
        assert ask(store, question) == ["Deployments are scheduled at the Café."]


def test_question_without_a_match_finds_nothing(store: sqlite3.Connection) -> None:
    """No memory is given only to fill the answer."""
    put(store, "The deploy region is eu-north-7")

    assert ask(store, "zebra") == []


def test_memory_with_all_words_comes_first(store: sqlite3.Connection) -> None:
    """However long it is, and however often another one says a single word."""
    put(store, "quokka quokka quokka quokka", importance=1.0)
    put(store, "wombat wombat", importance=1.0)
    put(store, "The quokka " + "is one of many small animals that live there " * 40 + "wombat")
    put(store, "quokka")

    assert ask(store, "quokka wombat")[0].startswith("The quokka is")


def test_context_counts_more_than_the_expanded_query(store: sqlite3.Connection) -> None:
    """A word that was meant beats several that were guessed."""
    put(store, "quokka")
    put(store, "wombat numbat bilby potoroo")

    assert ask(store, "quokka", expanded="wombat numbat bilby potoroo") == [
        "quokka",
        "wombat numbat bilby potoroo",
    ]
    assert ask(store, "quokka zebra", expanded="wombat numbat")[0] == "quokka"


def test_expanded_query_alone_finds_memories(store: sqlite3.Connection) -> None:
    """When no memory holds a word of the context, guesses are better than nothing."""
    put(store, "wombat")

    assert ask(store, "quokka", expanded="wombat") == ["wombat"]


def test_content_counts_more_than_tags_and_they_more_than_keywords(
    store: sqlite3.Connection,
) -> None:
    """What a memory says is what it is about."""
    put(store, "keywords are", expanded_keywords="quokka")
    put(store, "tags hold the", tags="quokka")
    put(store, "content is quokka")

    assert ask(store, "quokka") == ["content is quokka", "tags hold the", "keywords are"]


def test_rare_word_counts_more_than_a_frequent_one(store: sqlite3.Connection) -> None:
    """What every memory says tells little about this one."""
    for number in range(20):
        put(store, f"region note {number}")
    put(store, "quokka note")

    assert ask(store, "region quokka")[0] == "quokka note"


def test_importance_only_decides_between_equals(store: sqlite3.Connection) -> None:
    """It lifts a memory over an equal one, never over one that fits better."""
    put(store, "quokka likes fact", importance=0.9)
    put(store, "fact likes quokka", importance=0.1)
    put(store, "quokka wombat", importance=0.0)

    found = ask(store, "quokka fact")
    assert found == ["quokka likes fact", "fact likes quokka", "quokka wombat"]
    assert ask(store, "quokka wombat")[0] == "quokka wombat"


def test_newer_of_two_equals_comes_first(store: sqlite3.Connection) -> None:
    """What was said last is more likely true."""
    put(store, "quokka likes fact")
    put(store, "fact likes quokka", now=NOW + timedelta(seconds=1))

    assert ask(store, "quokka") == ["fact likes quokka", "quokka likes fact"]


def test_other_orders_put_close_matches_first(store: sqlite3.Connection) -> None:
    """By importance or by time: those that fit, then those that hold some word."""
    put(store, "quokka wombat old", importance=0.9)
    put(store, "quokka wombat new", importance=0.2, now=NOW + timedelta(days=1))
    put(store, "note", tags="wombat", importance=1.0, now=NOW + timedelta(days=2))
    orders = {by: ask(store, "quokka wombat", sort_by=by) for by in ("importance", "recency")}

    assert orders == {
        "importance": ["quokka wombat old", "quokka wombat new", "note"],
        "recency": ["quokka wombat new", "quokka wombat old", "note"],
    }


def test_limit_keeps_the_best(store: sqlite3.Connection) -> None:
    """The first ones of the same order, whatever the limit."""
    for number in range(30):
        put(store, "quokka " + " ".join(f"word{number}x{place}" for place in range(number)))
    everything = ask(store, "quokka", limit=30)

    assert len(everything) == 30
    assert ask(store, "quokka", limit=7) == everything[:7]


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("call fetchUserName first", "fetchUserName"),
        ("call fetchUserName first", "user name"),
        ("the connection pool", "max_pool_size"),
        ("call fetchUserName first", "fetch_user_name"),
        ("set app.core.max_size in settings", "app.core.max_size"),
        ("set app.core.max_size in settings", "max_size"),
        ("see src/api/user.py", "src/api/user.py"),
        ("fails with E1234", "e1234"),
        ("needs v1.2.3", "1.2.3"),
        ("needs 1.2.3", "v1.2.3"),
        ("written in C++", "C++"),
        ("数据库使用PostgreSQL，部署在东京", "数据库"),
        ("数据库使用PostgreSQL，部署在东京", "postgresql"),
        ("数据库使用PostgreSQL，部署在东京", "在东京部署"),
        ("数据库使用PostgreSQL，部署在东京", "东"),
        ("数据库使用PostgreSQL，部署在东京", "京"),
        ("日本語の文章を検索する", "検索"),
        ("사용자는 탭을 선호합니다", "사용자"),
    ],
)
def test_name_or_word_within_a_text_is_found(
    store: sqlite3.Connection, content: str, question: str
) -> None:
    """Identifiers are found whole and in parts, words inside unspaced scripts by themselves."""
    put(store, content)
    put(store, "The cat sleeps on the sofa")

    assert ask(store, question) == [content]


def test_whole_name_comes_before_its_scattered_parts(store: sqlite3.Connection) -> None:
    """Where the name exists, memories that only use its words match no word that was asked."""
    put(store, "the user has a name and a fetch quota")
    put(store, "fetch_user_name is slow")

    query = recall.Query(**{**DEFAULTS, "context": "fetch_user_name"})
    found = [(hit.memory.content, hit.matched) for hit in recall.search(store, query)]
    assert found[0] == ("fetch_user_name is slow", ("fetch_user_name",))
    assert [matched for _, matched in found[1:]] in ([], [()])


@pytest.mark.parametrize(
    "text",
    [
        '"quokka',
        "quokka'); DROP TABLE memories; --",
        "quokka AND",
        "NOT quokka OR",
        'NEAR("a b", 3) quokka',
        "content: quokka",
        "-quokka ^quokka {tags}: + *",
        "quokka\x00wombat",
        "\ud800 quokka \udfff",
        "quokka \U0001f600",
        "quokka " * 150_000,
        "京quokka" * 100_000 + " quokka",
        "a.b" * 300_000 + " quokka",
    ],
)
def test_no_text_is_an_error(store: sqlite3.Connection, text: str) -> None:
    """Signs of the query language, broken characters and a megabyte are only text."""
    put(store, "quokka")

    assert ask(store, text) == ["quokka"]


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\ud800", "\U0001f600\U0001f600", "?!*", "''"])
def test_text_without_a_word_finds_nothing(store: sqlite3.Connection, text: str) -> None:
    """There is nothing to look for, and that is no error."""
    put(store, "quokka \U0001f600 ?!*")

    assert ask(store, text) == []


def test_superseded_memory_gives_way(store: sqlite3.Connection) -> None:
    """Only what took its place is found, until that is deleted."""
    old = put(store, "quokka one")
    new = put(store, "quokka two", supersedes=old.uid)
    assert ask(store, "quokka") == ["quokka two"]

    with write(store):
        memories.bury(store, new.uid, stamp(NOW))
    assert ask(store, "quokka") == ["quokka one"]


@pytest.mark.parametrize("floor", [False, True])
def test_question_in_superseded_words_brings_the_successor(
    store: sqlite3.Connection, *, floor: bool
) -> None:
    """However many took each other's place, and whatever words the last one uses."""
    old = put(store, "Invoices are rendered by the quokka service")
    middle = put(store, "PDFs come out of wombat", supersedes=old.uid)
    put(store, "Billing documents: use numbat instead", supersedes=middle.uid)
    put(store, "The quokka is a small animal")

    found = ask(store, "which quokka service renders invoices?", floor=floor)
    assert found[0] == "Billing documents: use numbat instead"
    assert not {"PDFs come out of wombat", old.content} & {*found}


def test_successor_is_seen_only_from_where_it_holds(store: sqlite3.Connection) -> None:
    """What it replaced does not carry it into another project, or another category."""
    old = put(store, "quokka one")
    put(store, "numbat", supersedes=old.uid, scope="project", project="elsewhere")
    assert ask(store, "quokka") == []
    assert ask(store, "quokka", scope="all") == ["numbat"]
    assert ask(store, "quokka", scope="all", category="people") == []


def test_expired_memory_is_out_from_its_moment_on(store: sqlite3.Connection) -> None:
    """It is found until then, never after."""
    put(store, "quokka", expires_at=stamp(NOW))

    assert ask(store, "quokka", now=NOW - timedelta(seconds=1)) == ["quokka"]
    assert ask(store, "quokka", now=NOW) == []


def test_each_scope_sees_its_own(store: sqlite3.Connection) -> None:
    """Another project's memories come only when all are asked for."""
    put(store, "quokka global")
    put(store, "quokka here", scope="project", project=PROJECT)
    put(store, "quokka there", scope="project", project="elsewhere")

    assert set(ask(store, "quokka")) == {"quokka global", "quokka here"}
    assert ask(store, "quokka", scope="global") == ["quokka global"]
    assert ask(store, "quokka", scope="project") == ["quokka here"]
    assert len(ask(store, "quokka", scope="all")) == 3


def test_category_is_found_behind_many_others(store: sqlite3.Connection) -> None:
    """A filter is never defeated by better matches that it leaves out."""
    put(store, "the region of the wombat", category="people")
    for number in range(recall.BUDGET):
        put(store, f"quokka region {number}")

    assert ask(store, "quokka region", category="people") == ["the region of the wombat"]


@pytest.mark.parametrize(("between", "is_near"), [(0, True), (1, True), (2, False)])
@pytest.mark.parametrize("is_after", [True, False])
def test_neighbour_in_the_session_speaks_for_a_memory(
    store: sqlite3.Connection, between: int, *, is_near: bool, is_after: bool
) -> None:
    """One memory names the subject, the next or the one after it says something of it."""
    pair = ["Quokka is our billing service", "its port is 9000"][:: 1 if is_after else -1]
    texts = [pair[0], *(f"Lunch is at {number}" for number in range(between)), pair[1]]
    for text in texts:
        put(store, text, session="s")
    put(store, "a port", session="t")

    found = ask(store, "quokka port zebra")
    order = [one for one in found if "port" in one]
    assert order == (["its port is 9000", "a port"] if is_near else ["a port", "its port is 9000"])


def test_neighbour_without_a_word_of_its_own_is_left_out(store: sqlite3.Connection) -> None:
    """Standing beside a match is no reason to be given, where no word and no meaning is shared."""
    put(store, "Quokka is our billing service", session="s")
    put(store, "ის უსმენს პორტს", session="s")

    assert ask(store, "quokka") == ["Quokka is our billing service"]


def test_hit_says_which_words_it_holds(store: sqlite3.Connection) -> None:
    """So that a reader sees why it was found."""
    put(store, "quokka wombat")
    query = recall.Query(**{**DEFAULTS, "context": "a wombat and a zebra"})

    assert [hit.matched for hit in recall.search(store, query)] == [("wombat",)]


@pytest.mark.parametrize(("content", "prompt"), KNOWN)
def test_prompt_about_a_memory_passes_the_floor(
    store: sqlite3.Connection, content: str, prompt: str
) -> None:
    """Alone in its store or among others, it is given to a prompt that is about it."""
    put(store, content)
    assert ask(store, prompt, floor=True) == [content]

    for other, _ in KNOWN:
        put(store, other)
    assert ask(store, prompt, floor=True)[0] == content


@pytest.mark.parametrize("prompt", EVERYDAY)
def test_unrelated_prompt_is_given_nothing(store: sqlite3.Connection, prompt: str) -> None:
    """Words that everybody uses are no reason to spend the user's tokens."""
    for content, _ in KNOWN:
        put(store, content)

    assert ask(store, prompt, floor=True) == []


def test_pasted_log_does_not_hide_what_was_asked(store: sqlite3.Connection) -> None:
    """A question before thousands of words of output still finds its memory."""
    put(store, "The deploy region is eu-north-7")
    log = "\n".join(
        f"12:00:{number:02} worker {number} finished job {number}" for number in range(400)
    )

    assert ask(store, f"which deploy region?\n{log}") == ["The deploy region is eu-north-7"]


def test_frequent_words_cost_little(store: sqlite3.Connection) -> None:
    """Only a few of the many memories that hold a frequent word are stepped through."""
    many = 6_000
    with write(store):
        store.executemany(
            "INSERT INTO memories (uid, content, category, tags, expanded_keywords, importance, "
            "is_sensitive, scope, project, session, session_seq, source, supersedes, expires_at, "
            "created_at, updated_at, live, twin, words) VALUES (?, 'region server cluster', "
            "'facts', '', '', 0.5, 0, 'global', '', '', 0, 'user', '', '', ?, ?, 1, '', '')",
            ((str(number), stamp(NOW), stamp(NOW)) for number in range(many)),
        )
    put(store, "quokka region server")
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    store.set_progress_handler(step, 1)
    query = "SELECT rowid FROM memories_fts WHERE memories_fts MATCH 'region'"
    assert len(store.execute(query).fetchall()) == many + 1
    of_one_word, steps = steps, 0

    assert ask(store, "quokka region server cluster")[0] == "quokka region server"
    assert steps < of_one_word / 2


def test_near_copies_do_not_fill_the_answer(store: sqlite3.Connection) -> None:
    """The best of them stay in front; others that fit less well come before the rest."""
    for number in range(15):
        put(store, f"The quokka build failed on runner {number} last night")
    others = [
        "quokka is the code name of the billing service",
        "Ask Anna before a build of quokka is released",
        "Nightly jobs of wombat and quokka share one queue",
    ]
    for other in others:
        put(store, other)
    found = ask(store, "why did the quokka build fail last night?")

    assert len(found) == 10
    assert all(one.startswith("The quokka build failed") for one in found[:2])
    assert {*others} <= {*found}


def test_copies_that_the_question_tells_apart_stay_where_they_are(
    store: sqlite3.Connection,
) -> None:
    """One of many like memories is found by what is different in it."""
    names = [f"node{place}" for place in range(8)]
    for name in names:
        put(store, f"The address of quokka {name} is 10.0.0.{name[-1]}")
        put(
            store, f"addresses of quokka in the subnet of {name.upper()[::-1]} are handed out there"
        )
    found = ask(store, f"addresses of quokka {' '.join(names)}", limit=8)

    assert {one.split()[4] for one in found} == {*names}


def test_same_question_has_the_same_answer(store: sqlite3.Connection) -> None:
    """Order never depends on chance, however many are equal."""
    for _ in range(50):
        put(store, "quokka")
    query = recall.Query(**{**DEFAULTS, "context": "quokka"})
    first = [hit.memory.uid for hit in recall.search(store, query)]

    assert first == [hit.memory.uid for hit in recall.search(store, query)]
    assert first == [
        uid for (uid,) in store.execute("SELECT uid FROM memories ORDER BY rid DESC LIMIT 10")
    ]
