"""A line of an export that was edited or forged is refused by its place, or made harmless."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import shell
from tests.support.desk import Desk

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
UID = "01980000-0000-7000-8000-00000000000"
TIME = "2026-03-01T12:00:00.000000Z"
MEMORY = {
    "uid": UID + "1",
    "local_no": 1,
    "no": None,
    "content": "The office is in Bern",
    "category": "facts",
    "tags": "",
    "expanded_keywords": "",
    "importance": 0.5,
    "is_sensitive": False,
    "scope": "global",
    "project": "",
    "session": "",
    "session_seq": 1,
    "source": "model",
    "supersedes": "",
    "expires_at": "",
    "created_at": TIME,
    "updated_at": TIME,
}
OURS = [name for name in MEMORY if name not in {"local_no", "no"}]
SEAL = {
    "bound": UID + "1",
    "keeper": "aes",
    "key_id": "617a6eced1dfa01b",
    "blob": "AQAAADUAefxXJHqfQ3lf",
    "at": TIME,
    "history": None,
}


def line(**fields: Any) -> dict[str, Any]:
    """Return a sound line with some fields replaced, or left out where they are `...`."""
    found = {**MEMORY, "history": [], "sealed": [], **fields}
    return {name: value for name, value in found.items() if value is not ...}


def import_lines(tmp_path: Path, *lines: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Import an export made of these lines into an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    file = tmp_path / "x.jsonl"
    entries = [json.dumps(entry) for entry in lines]
    file.write_text("\n".join([shell.HEADER, *entries]) + "\n")
    return shell.run(home, "import", file)


def test_sound_line_is_imported(tmp_path: Path) -> None:
    """So that the refusals below are about the one field that each of them changes."""
    past = [{"at": TIME, "fields": dict(MEMORY)}]
    sealed = [SEAL, {**SEAL, "history": 0}]
    done = import_lines(tmp_path, line(history=past, sealed=sealed))
    summary, note = shell.said(done).splitlines()
    assert summary == "1 memory imported, 0 already here."
    assert note.startswith("1 secret cannot be opened: no file of ")


def test_line_without_a_past_is_imported(tmp_path: Path) -> None:
    """Made by another program, perhaps."""
    shell.said(import_lines(tmp_path, line(history=..., sealed=...)))


def test_names_that_no_server_takes_are_shortened(tmp_path: Path) -> None:
    """Each keeps its end, and two that end alike stay apart."""
    names = ["a" * 2_000 + "/depot", "b" * 2_000 + "/depot"]
    ends = [{"uid": f"{UID}{place}", "project": name} for place, name in enumerate(names)]
    shell.said(import_lines(tmp_path, *(line(session="s" * 501, **end) for end in ends)))
    exported = shell.said(shell.run(tmp_path / "home", "export")).splitlines()[1:]
    kept = [json.loads(text) for text in exported]
    assert [len(one[name]) for one in kept for name in ("project", "session")] == [500] * 4
    assert {one["project"][-6:] for one in kept} == {"/depot"}
    assert len({one["project"] for one in kept}) == 2


@pytest.mark.parametrize(
    "fields",
    [
        *({name: ...} for name in OURS if name not in {"uid", "session_seq", "updated_at"}),
        *({name: [1]} for name in OURS),
        *({name: None} for name in OURS if name not in {"supersedes", "expires_at"}),
        {"uid": "7"},
        {"uid": UID.upper() + "G"},
        {"content": " "},
        {"content": "a\x00b"},
        {"content": "a\ud800b"},
        {"tags": "\ud800"},
        {"category": "secrets"},
        {"importance": float("nan")},
        {"importance": float("inf")},
        {"importance": 1.5},
        {"importance": True},
        {"importance": "0.5"},
        {"is_sensitive": 1},
        {"scope": "all"},
        {"project": "p" * 4_097},
        {"project": "a\x00b"},
        {"project": f"https://u:{TOKEN}@example.com/x"},
        {"session": TOKEN},
        {"session_seq": "x"},
        {"session_seq": -1},
        {"session_seq": 10**30},
        {"session_seq": 1.5},
        {"source": "somebody"},
        {"supersedes": "L7"},
        {"supersedes": UID + "1"},
        {"expires_at": "soon"},
        {"created_at": ""},
        {"updated_at": "yesterday"},
        {"history": {}},
        {"history": [1]},
        {"history": [{"at": TIME}]},
        {"history": [{"at": "x", "fields": dict(MEMORY)}]},
        {"history": [{"at": TIME, "fields": {**MEMORY, "importance": "high"}}]},
        {"history": [{"at": TIME, "fields": {}}]},
        {"sealed": "x"},
        {"sealed": [None]},
        {"sealed": [{**SEAL, "blob": "no base64!"}]},
        {"sealed": [{**SEAL, "blob": "\u00e9"}]},
        {"sealed": [{**SEAL, "blob": 7}]},
        {"sealed": [{**SEAL, "key_id": None}]},
        {"sealed": [{**SEAL, "keeper": "a\x00b"}]},
        {"sealed": [{**SEAL, "bound": TOKEN}]},
        {"sealed": [{**SEAL, "history": 0}]},
        {"sealed": [{**SEAL, "history": True}]},
        {"sealed": [{**SEAL, "at": ""}]},
        {"sealed": [{**SEAL, "blob": base64.b64encode(TOKEN.encode()).decode()}]},
    ],
    ids=lambda fields: json.dumps(fields, default=str)[:60],
)
def test_unsound_field_is_refused_by_its_place(tmp_path: Path, fields: dict[str, Any]) -> None:
    """One sentence that names file, line and field; never a traceback, and nothing imported."""
    said = shell.complaint(import_lines(tmp_path, line(uid=UID + "2"), line(**fields)))
    assert said.startswith(f"{tmp_path / 'x.jsonl'}, line 3: ")
    assert said.endswith("Nothing was imported.")
    assert TOKEN not in said
    assert Desk(tmp_path / "home").texts() == []


def test_circle_of_memories_is_refused(tmp_path: Path) -> None:
    """Each would hide the other for ever."""
    lines = [line(supersedes=UID + "2"), line(uid=UID + "2", supersedes=UID + "1")]
    said = shell.complaint(import_lines(tmp_path, *lines))
    assert "line 2: it supersedes itself, directly or through others." in said


def test_clear_secrets_of_a_forged_export_are_never_written(tmp_path: Path) -> None:
    """The present text is sealed, earlier ones are redacted; no byte is left of either."""
    text = f"The token is {TOKEN}"
    past = [{"at": TIME, "fields": {**MEMORY, "content": text, "tags": TOKEN}}]
    shell.said(import_lines(tmp_path, line(content=text, history=past)))

    home = tmp_path / "home"
    assert not [name for name, data in shell.everything_in(home).items() if TOKEN.encode() in data]
    desk = Desk(home)
    assert desk.call("secret_get", id="L1") == text
    answer = desk.call("memory_update", id="L1", restore=True)
    assert '"The token is [secret: github-token]"' in answer


def test_new_secret_joins_the_sealed_one(tmp_path: Path) -> None:
    """A detector that has learnt something finds in an export what an earlier one left in clear."""
    desk = Desk(tmp_path / "one")
    desk.store(f"The token is {TOKEN}")
    file = tmp_path / "export.jsonl"
    shell.run(tmp_path / "one", "export", file)
    other = TOKEN[:-4] + "Zz99"
    file.write_text(file.read_text().replace('github-token]"', f'github-token] or {other}"'))
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "keys").rename(tmp_path / "two" / "keys")

    shell.said(shell.run(tmp_path / "two", "import", file))

    opened = Desk(tmp_path / "two").call("secret_get", id="L1")
    assert opened == f"The token is {TOKEN}\nThe token is [secret: github-token] or {other}"


def test_new_secret_that_cannot_join_is_named(tmp_path: Path) -> None:
    """Without the key of the sealed one, that one stays, and the user is told of the other."""
    desk = Desk(tmp_path / "one")
    desk.store(f"The token is {TOKEN}")
    file = tmp_path / "export.jsonl"
    shell.run(tmp_path / "one", "export", file)
    other = TOKEN[:-4] + "Zz99"
    file.write_text(file.read_text().replace('github-token]"', f'github-token] or {other}"'))
    (tmp_path / "two").mkdir()

    answer = shell.said(shell.run(tmp_path / "two", "import", file))

    assert f"{file}, line 2: a new secret was NOT kept: The seal needs key " in answer
