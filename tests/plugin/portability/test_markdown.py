"""Markdown notes: every bullet and paragraph is a fact, under its heading."""

from __future__ import annotations

import pytest
from claude_memory.portability import markdown

NOTES = """\
# Tools

Use pnpm, not npm,
because the lock file is shared.

- Python 3.12
  everywhere
* Ruff formats
1. Tests first

## Deploying ##

<!-- - not this,
- nor this -->
```sh
# not a heading
- make deploy
```
On Tuesdays only.
"""
MEMORY_FILE = """\
---
name: package-manager
description: "Use pnpm in every repository"
metadata:
  type: feedback
---

The user corrected npm to pnpm
twice.

**Why:** shared lock file.
"""


def read(text: str, path: str = "CLAUDE.md") -> list[tuple[str, str]]:
    """Return place and text of each fact."""
    return [(fact.where, fact.content) for fact in markdown.read(path, text, [])]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_bullets_and_paragraphs_are_facts_under_their_headings(ends: str) -> None:
    """Code and comments are none; the line of each is named, whatever ends the lines."""
    assert read(NOTES.replace("\n", ends)) == [
        ("CLAUDE.md, line 3", "Tools: Use pnpm, not npm, because the lock file is shared."),
        ("CLAUDE.md, line 6", "Tools: Python 3.12 everywhere"),
        ("CLAUDE.md, line 8", "Tools: Ruff formats"),
        ("CLAUDE.md, line 9", "Tools: Tests first"),
        ("CLAUDE.md, line 19", "Deploying: On Tuesdays only."),
    ]


def test_what_is_indented_under_a_bullet_belongs_to_it() -> None:
    """With blank lines between, deeper still, or in tabs; the next bullet is another fact."""
    text = (
        "# Git\n- Never push to main\n\n  - except hotfixes,\n    which Anna sees\n"
        "      - and Ben\n\n  Ask first.\n- Rebase:\n\t- daily\n* Sign\n\nAlways.\n"
    )
    assert read(text) == [
        (
            "CLAUDE.md, line 2",
            "Git: Never push to main; except hotfixes, which Anna sees; and Ben Ask first.",
        ),
        ("CLAUDE.md, line 9", "Git: Rebase: daily"),
        ("CLAUDE.md, line 11", "Git: Sign"),
        ("CLAUDE.md, line 13", "Git: Always."),
    ]


def test_long_list_is_divided_and_each_item_keeps_what_it_belongs_to() -> None:
    """One memory would be found less well."""
    names = ("a", "b", "c")
    text = "- Not here:\n" + "".join(f"  - {name * 600}\n    - x\n" for name in names)
    assert [content for _, content in read(text)] == [
        f"Not here: {name * 600}; x" for name in names
    ]


def test_mention_of_a_file_in_a_sentence_is_text() -> None:
    """Only a line that is nothing else is left out."""
    assert [text for _, text in read("See @docs/a.md first.\n\n@anna reviews\n")] == [
        "See @docs/a.md first.",
        "@anna reviews",
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_memory_file_of_the_client_is_one_fact(ends: str) -> None:
    """Its description says it, its text explains it, its type is a category."""
    [fact] = markdown.read("memory/package-manager.md", MEMORY_FILE.replace("\n", ends), [])
    assert fact.content == (
        "Use pnpm in every repository: The user corrected npm to pnpm twice. "
        "**Why:** shared lock file."
    )
    assert (fact.category, fact.tags) == ("preferences", "package-manager")


def test_memory_file_without_text_is_its_description() -> None:
    """No colon is left behind."""
    text = "---\ndescription: Use pnpm\ntype: project\n---\n"
    assert read(text, "pnpm.md") == [("pnpm.md", "Use pnpm")]


def test_description_is_not_repeated() -> None:
    """A text that says it already stands alone."""
    text = "---\ndescription: Use pnpm\ntype: user\n---\nUse pnpm, always."
    assert read(text, "pnpm.md") == [("pnpm.md", "Use pnpm, always.")]


def test_front_matter_of_rules_is_no_memory_file() -> None:
    """Rules have front matter too; their lines are counted from the top of the file."""
    text = "---\npaths: src/**\n---\n- Use tabs\n"
    assert read(text, "rules.md") == [("rules.md, line 4", "Use tabs")]


def test_index_of_memory_files_is_skipped() -> None:
    """It lists the files beside it, which are read themselves."""
    assert read("- [Package manager](package-manager.md)", "memory/MEMORY.md") == []


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a heading\n", "```\ncode\n", "<!-- x"])
def test_file_without_facts_gives_none(text: str) -> None:
    """Headings, code and comments alone."""
    assert read(text) == []
