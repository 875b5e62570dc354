"""The table of word vectors that comes with the plugin, and what it makes of a text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from claude_memory.store import vectors
from claude_memory.store.embedding import DIMENSIONS, MOST_TOKENS, PATH, UNIT, Embedding


@pytest.fixture(scope="module")
def embedding() -> Embedding:
    """The table as it is shipped."""
    return Embedding()


def likeness(embedding: Embedding, one: str, other: str) -> float:
    """How near two texts are in meaning."""
    return vectors.products(embedding.vector(one), [embedding.vector(other)])[0] / UNIT**2


@pytest.mark.parametrize(
    ("asked", "near", "far"),
    [
        ("run the tests", "pytest is our test runner", "The office is closed on Friday"),
        ("what pets does she have?", "Anna has two cats", "Anna bought a new car"),
        ("the site is slow", "Response times got worse after the release", "We use blue buttons"),
        ("which database do we use?", "PostgreSQL stores all orders", "Indent with four spaces"),
    ],
)
def test_same_meaning_is_nearer_than_another(
    embedding: Embedding, asked: str, near: str, far: str
) -> None:
    """Texts that share no telling word."""
    assert likeness(embedding, asked, near) > likeness(embedding, asked, far) + 0.02


def test_text_is_as_long_as_a_unit_whatever_its_length(embedding: Embedding) -> None:
    """So that a product of two vectors is the cosine between them."""
    for text in ("wombat", "the quick brown fox", "deploy " * 700, "a b c d " * MOST_TOKENS):
        vector = embedding.vector(text)
        length = sum((value - 128) ** 2 for value in vector) ** 0.5
        assert len(vector) == DIMENSIONS
        assert abs(length / UNIT - 1) < 0.05


@pytest.mark.parametrize("text", ["", " \n", "...!?", "ฐานข้อมูล", "\ud800", "\x00", "🦘"])
def test_text_without_known_words_means_nothing(embedding: Embedding, text: str) -> None:
    """No bytes, and no failure."""
    assert embedding.vector(text) == b""


def test_writing_makes_no_difference(embedding: Embedding) -> None:
    """Case, accents, punctuation and the order of words."""
    plain = embedding.vector("zoe names the deploy")
    assert embedding.vector("DEPLOY, the: names (Zoë)!") == plain


def test_name_in_code_means_what_its_words_mean(embedding: Embedding) -> None:
    """Where the table does not know it whole."""
    assert embedding.vector("parseUserAnswer") == embedding.vector("parse user answer")
    assert embedding.vector("parse_user_answer") == embedding.vector("parse user answer")


@pytest.mark.parametrize(
    ("abroad", "english"),
    [
        ("Die Rechnungen werden freitags verschickt", "invoices are sent on Fridays"),
        ("où sont les sauvegardes de la base de données", "where are the backups of the database"),
        ("¿quién aprueba los despliegues?", "who approves deployments"),
        ("オフラインのとき書き込みはどうなる", "what becomes of a write when offline"),
        ("数据库的备份", "backup of the database"),
        ("서버 배포", "deploy the server"),
        ("резервная копия базы данных", "backup copy of the database"),
    ],
)
def test_word_of_another_language_means_what_it_means(
    embedding: Embedding, abroad: str, english: str
) -> None:
    """Written together, inflected, with accents: nearer to the same in English than to another."""
    other = "the sauce needs more salt and an hour in the oven"
    assert likeness(embedding, abroad, english) > likeness(embedding, abroad, other) + 0.2


def test_word_that_means_nothing_by_itself_counts_nothing(embedding: Embedding) -> None:
    """An article of another language is no word about anything, nor are longer ones it begins."""
    assert embedding.vector("wir") == b""
    assert embedding.vector("wir löschen") == embedding.vector("löschen")
    assert embedding.vector("если файл") == embedding.vector("файл")


def test_accents_may_be_left_out(embedding: Embedding) -> None:
    """Where the plain word is not another one, and however the accents are encoded."""
    assert embedding.vector("contrasena de manana") == embedding.vector("contraseña de mañana")
    assert embedding.vector("gro\u0308\u00dfe") == embedding.vector("gr\u00f6\u00dfe") != b""


def test_table_keeps_its_size() -> None:
    """A stranger downloads it with the plugin, and maps it."""
    assert Path(PATH).stat().st_size <= 8_000_000


def test_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    """An interrupted download, or something else."""
    other = tmp_path / "embedding.bin"
    other.write_bytes(b"something else entirely" * 10)
    with pytest.raises(ValueError, match="no table of word vectors"):
        Embedding(str(other))
    other.write_bytes(b"CMEMVEC2")
    with pytest.raises(ValueError, match="no table of word vectors"):
        Embedding(str(other))
    shutil.copy(PATH, other)
    with other.open("r+b") as file:
        file.truncate(5_000_000)
    with pytest.raises(ValueError, match="no table of word vectors"):
        Embedding(str(other))
