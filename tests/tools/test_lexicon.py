"""The lexicon stands in the table as it is written, and says what its rules promise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from claude_memory.store.embedding import PATH, Embedding

from tools.static_embedding import lexicon, table

TOKENS = ["invoice", "bill", "gift", "delete", "present"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lexicon of one's own."""
    monkeypatch.setattr(lexicon, "FOLDER", tmp_path)
    return tmp_path


def test_table_that_is_shipped_has_the_lexicon_as_it_is(tmp_path: Path) -> None:
    """A line that was changed is of no use before the table is made again."""
    copy = tmp_path / "embedding.bin"
    shutil.copy(PATH, copy)
    lexicon.main(copy)
    assert copy.read_bytes() == Path(PATH).read_bytes()


def test_words_stand_for_tokens(folder: Path) -> None:
    """For two at most, for nothing, or for none that is known; English keeps its own."""
    lines = ["rechnung\tinvoice bill present", "der\t-", "quark\tcurd", "gift\tdelete"]
    (folder / "de.tsv").write_text("\n".join(lines), encoding="utf-8")
    assert lexicon.read(TOKENS) == {"rechnung": [0, 1], "der": []}


def test_accents_may_be_left_out_of_long_words(folder: Path) -> None:
    """Unless the plain word is another one, in any language."""
    lines = ["löschen\tdelete", "für\t-", "gîft\tbill"]
    (folder / "de.tsv").write_text("\n".join(lines), encoding="utf-8")
    found = lexicon.read(TOKENS)
    assert found == {"löschen": [3], "loschen": [3], "für": [], "gîft": [1]}


def test_first_languages_decide(folder: Path) -> None:
    """Where two spell a word alike, whatever their files are called."""
    (folder / "aa.tsv").write_text("cadeau\tbill", encoding="utf-8")
    (folder / "fr.tsv").write_text("cadeau\tpresent gift", encoding="utf-8")
    assert lexicon.read(TOKENS) == {"cadeau": [4, 2]}


def test_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Tokens and rows come back; words of other languages mean what their tokens mean."""
    path = tmp_path / "table.bin"
    rows = bytes(range(1, 6)) * 256
    table.write(path, TOKENS, rows, {"rechnung": [0, 1], "der": [], "unse": [], "serv": [2]})
    assert table.read(path) == (TOKENS, rows)
    written = Embedding(str(path))
    assert list(written.tokens("der Rechnungen")) == [0, 1]
    assert list(written.tokens("unserv")) == [2]  # what means nothing hides no longer word
