"""Words that the index cannot see by itself are written beside a memory, and asked for alike."""

from __future__ import annotations

import pytest
from claude_memory.store import commonness, terms, words


def extra(text: str) -> set[str]:
    """What is written beside a memory with this content."""
    return set(words.extra_words(text, "", "").split())


def asked(text: str) -> list[str]:
    """The texts of the terms that a question turns into."""
    return [term.text for term in terms.terms(text, "")]


def test_plain_words_need_nothing_beside_them() -> None:
    """An ordinary sentence costs no room."""
    assert words.extra_words("The deploy region is eu-north-7.", "deploy, aws", "hosting") == ""


def test_camel_case_is_cut_into_its_words() -> None:
    """Names are found by what they are made of, capitals in a row included."""
    assert extra("parseHTTPResponse in UserService") == {
        "parse",
        "http",
        "response",
        "user",
        "service",
    }


def test_name_with_a_number_is_found_without_it() -> None:
    """`python3` answers a question about Python; `E12` stays whole."""
    assert extra("python3 raises E12") == {"python"}


def test_tags_and_keywords_are_read_as_well() -> None:
    """Every searched field gets its extra words."""
    found = words.extra_words("", "gitHub", "nodeJs").split()

    assert found == ["git", "hub", "node", "js"]


def test_words_beside_an_accent_are_those_without_one() -> None:
    """A text of ASCII is cut by a quicker rule, at the same places."""
    text = "a_b c-d E9.f/g\\h 'i' \t j0\x7fk\x1fl " + "".join(map(chr, range(32, 128)))
    assert words.of(text) == words.of(f"{text} \u00e9")[:-1]
    assert words.of(text)[:6] == ["a", "b", "c", "d", "E9", "f"]


def test_chinese_is_cut_into_pairs() -> None:
    """Each pair of characters can be asked for, and the last character begins an entry too."""
    assert extra("数据库") == {"数据", "据库", "库"}


def test_latin_word_inside_chinese_is_found() -> None:
    """To the index, letters that touch Chinese characters are one word with them."""
    assert {"postgresql", "PostgreSQL"} & extra("使用PostgreSQL存储")


def test_decomposed_hangul_is_composed_first() -> None:
    """A file name from macOS and what a person types are the same pairs."""
    decomposed = "\u1109\u1165\u110b\u116e\u11af"

    assert "서울" in extra(decomposed)


def test_full_width_letters_are_found_as_plain_ones() -> None:
    """Letters of Japanese keyboards are the letters that others type."""
    assert "API" in extra("ＡＰＩ")


def test_language_with_a_sign_in_its_name_is_a_word() -> None:
    """C++ and C# are not just the letter C."""
    assert extra("We write C++ and c#.") == {"cplusplus", "csharp"}
    assert "cplusplus" in asked("C++ compiler")


def test_stop_words_are_not_asked_for() -> None:
    """What every text holds says nothing, in English or another language."""
    assert asked("What is the region of the deploy?") == ["region", "deploy"]
    assert asked("Wie ist der Preis?") == ["preis"]


def test_question_of_stop_words_alone_keeps_them() -> None:
    """Otherwise there would be nothing to look for."""
    assert asked("who is the who") == ["who", "is", "the"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("fetch_user_name", '"fetch user name"'),
        ("app.core.settings", '"app core settings"'),
        ("src/api/user.py", '"src api user py"'),
        ("v1.2.3", '"1 2 3" OR "v1 2 3"'),
        ("1.2.3", '"1 2 3" OR "v1 2 3"'),
        ("E1234", '"e1234"'),
    ],
)
def test_identifier_is_asked_for_whole(text: str, match: str) -> None:
    """The parts of a name must stand together, in their order."""
    assert [term.match for term in terms.terms(text, "")] == [match]


def test_possessives_and_contractions_leave_the_word() -> None:
    """An apostrophe makes no new word, straight or curly."""
    assert asked("Anna's and Ben\u2019s deploys") == ["anna", "ben", "deploys"]


def test_word_of_both_questions_is_asked_once_as_context() -> None:
    """The expanded query adds only what the context does not say."""
    found = terms.terms("deploy region", "region aws")

    assert [(term.text, term.asked) for term in found] == [
        ("deploy", True),
        ("region", True),
        ("aws", False),
    ]


def test_long_prompt_is_cut_to_its_most_telling_words() -> None:
    """Thousands of words of a log become few terms, and names at the prompt's ends are kept."""
    log = " ".join(f"change line number {number} of test" for number in range(3000))
    found = asked(f"kubernetes {log} zookeeper")

    assert len(found) == terms.MOST
    assert "kubernetes" in found
    assert "zookeeper" in found


def test_forms_of_ordinary_words_are_ordinary() -> None:
    """A word everybody uses is known in its usual forms; a name is not."""
    assert all(map(commonness.is_ordinary, ("file", "files", "fixing", "changed", "queries")))
    assert not commonness.is_ordinary("kubernetes")
    assert commonness.share("files") > commonness.share("aws") > commonness.share("kubernetes")
