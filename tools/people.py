"""Reads the invented people that training learns from: what they keep, and what they ask.

tools/training/README.md tells the form of a file. Nobody of the evaluation set is among them.
"""

from __future__ import annotations

from pathlib import Path

from bench.questions import Note, Person, Prompt

FOLDER = Path(__file__).with_name("training")
WORK, LIVES = "people", "lives"  # folders: at coding work, and in everyday life
GENERAL = ("general", "pointing")  # would be answered alike for everybody, or by what is on screen
EVERYWHERE = "*"  # in the place of a project
NEWLINE = "\\n"  # as it stands in a line


def read(folder: str) -> list[Person]:
    """Return the people of a folder, by their names."""
    return [_person(path, folder) for path in sorted((FOLDER / folder).glob("*.tsv"))]


def live(person: Person) -> list[Note]:
    """Return the memories whose place no other one took."""
    replaced = {note.supersedes for note in person.notes}
    return [note for note in person.notes if note.id not in replaced]


def is_seen(note: Note, prompt: Prompt) -> bool:
    """Tell whether a memory can be seen where a prompt is typed."""
    return note.project in ("", prompt.project)


def _person(path: Path, group: str) -> Person:
    notes: list[Note] = []
    prompts: list[Prompt] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.replace(NEWLINE, "\n").split("\t")
        if fields[0] == "M":
            notes.append(_note(fields))
        else:
            _, kind, project, gold, text = fields
            needed = frozenset(gold.split(",") if gold else ())
            prompts.append(Prompt(str(len(prompts)), kind, text, project, needed))
    return Person(path.stem, group, tuple(notes), tuple(prompts))


def _note(fields: list[str]) -> Note:
    _, number, project, session, category, tags, replaces, content = fields
    scope, project = ("global", "") if project == EVERYWHERE else ("project", project)
    return Note(number, content, session, category, tags, scope, project, supersedes=replaces)
