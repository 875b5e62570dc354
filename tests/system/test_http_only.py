"""HTTP-only mode: real plugin processes on a real server, and nothing on the client's disk."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.hook_calls import added, through_doorway
from tests.support.promises import promise
from tests.support.scripted_server import ScriptedServer, Visit, reply
from tests.support.sessions import Session, files_with
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.once

CANARY = "Zanzibar" + "quokka"  # a word that is in no file of the plugin
TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.fixture
def around(server: str, key: str) -> dict[str, str]:
    """Return the settings of a user whom no other test has."""
    return environment(server, key)


def environment(url: str, key: str) -> dict[str, str]:
    """Return the settings of HTTP-only mode."""
    return {"MEMORY_API_URL": url, "MEMORY_API_KEY": key, "MEMORY_SYNC_DISABLE": "1"}


def number(text: str) -> str:
    """Return the id of the first memory that an answer names."""
    found = re.search(r"memory (#\d+)", text)
    assert found, text
    return found[1]


def in_session(home: Path, environ: Mapping[str, str], **more: str) -> Session:
    """Start a session."""
    return Session(home, environ={**environ, **more})


def nowhere() -> str:
    """Return an address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def assert_nothing_kept(home: Path, *texts: str) -> None:
    """Check that no file below the data folder holds a text, and that there is no store."""
    for text in (CANARY, TOKEN, *texts):
        assert files_with(home, text) == []
    assert list(home.rglob("*.db*")) == []


@promise("direct.nothing-is-kept")
def test_all_tools_work_and_leave_nothing_here(tmp_path: Path, around: dict[str, str]) -> None:
    """Stored, recalled, listed, changed, undone, deleted, brought back, purged, told."""
    home = tmp_path / "home"
    with in_session(home, around) as session:
        said = session.done("memory_store", content=f"The {CANARY} lives in Perth", tags="zoo")
        assert said == f"Stored memory {number(said)} in category 'facts'."
        one = number(said)
        found = session.done("memory_recall", context=f"where does the {CANARY} live")
        assert found.startswith("Found 1 memory. ")
        assert f"{one} [facts] 20" in found
        assert f'"The {CANARY} lives in Perth"  tags: zoo' in found
        why = session.done("memory_recall", context=CANARY, explain=True)
        assert (
            why
            == f"{found}\nWhy each was found is not known: in HTTP-only mode the server searches."
        )
        assert session.contents() == [f"The {CANARY} lives in Perth"]
        told = session.done("memory_update", id=one, content=f"The {CANARY} lives in Darwin")
        assert told.startswith(f"Updated memory {one}: content. The earlier state is kept.")
        told = session.done("memory_update", id=one, content=f"The {CANARY} lives in Darwin")
        assert told.startswith(f"Memory {one} already says that")
        session.done("memory_update", id=one, restore=True)
        assert session.contents() == [f"The {CANARY} lives in Perth"]
        undo = "memory_update with restore=true undoes it (30 days)."
        assert session.done("memory_delete", id=one) == f"Deleted memory {one}; {undo}"
        assert session.contents() == []
        back = session.done("memory_update", id=one, restore=True)
        assert f"It was {one} before it was deleted." in back
        assert session.contents() == [f"The {CANARY} lives in Perth"]
        purged = session.done("memory_delete", id=number(back), purge=True)
        assert "gone from the server" in purged
        session.refused("memory_update", id=number(back), restore=True)
        status = session.done("memory_status")
        assert status.startswith("Mode: HTTP-only: ")
        assert "\nMemories: 0 on the server\n" in status
        assert status.endswith("\nAll well.")
    assert_nothing_kept(home)


def test_key_that_may_only_read_is_told_with_the_tools_that_fail(
    tmp_path: Path, around: dict[str, str]
) -> None:
    """All is not well where every write is refused."""
    asked = {"Authorization": f"Bearer {around['MEMORY_API_KEY']}"}
    wanted = {"name": "reader", "scopes": ["read"]}
    answer = httpx.post(f"{around['MEMORY_API_URL']}/api/keys", headers=asked, json=wanted)
    reader = environment(around["MEMORY_API_URL"], answer.raise_for_status().json()["key"])
    with in_session(tmp_path, reader) as session:
        said = session.done("memory_status")
        assert "This key may not write: memory_store, memory_update and memory_delete fail" in said
        assert "All well." not in said
        assert "Set a key that has that scope" in session.refused("memory_store", content="A fact")


@promise("direct.nothing-is-kept")
def test_secret_is_sealed_by_the_server_and_shown_by_secret_get_alone(
    tmp_path: Path, around: dict[str, str]
) -> None:
    """What is recalled is redacted; the clear text is on no disk of this machine."""
    home = tmp_path / "home"
    with in_session(home, around) as session:
        said = session.done("memory_store", content=f"The CI token is {TOKEN}")
        assert "The value is sealed; secret_get shows it." in said
        one = number(said)
        found = session.done("memory_recall", context="CI token")
        assert one in found
        assert TOKEN not in found
        assert session.done("secret_get", id=one) == f"The CI token is {TOKEN}"
        forced = session.done("memory_store", content=f"{CANARY} again", force_sensitive=True)
        assert "secret: whole text" in session.done("memory_list")
        assert session.done("secret_get", id=number(forced)) == f"{CANARY} again"
        plain = number(session.done("memory_store", content="Nothing secret"))
        said = session.refused("secret_get", id=plain)
        assert said == f"Memory {plain} holds no secret. Recall shows its whole text."
    assert_nothing_kept(home)


def test_fields_arrive_and_what_is_wrong_is_refused_here(
    tmp_path: Path, around: dict[str, str]
) -> None:
    """The same checks and the same words as with a store."""
    with in_session(tmp_path, around) as session:
        old = number(session.done("memory_store", content="Deploys on Fridays"))
        said = session.done(
            "memory_store",
            content="Deploys on Mondays",
            category="decisions",
            tags="ops, ci",
            importance=0.9,
            expanded_keywords="release rollout",
            supersedes=old,
            expires_at="2999-01-01",
        )
        new = number(said)
        assert said == f"Stored memory {new} in category 'decisions', superseding {old}."
        shown = session.done("memory_list")
        assert shown.endswith('"Deploys on Mondays"  tags: ops, ci')
        assert old not in shown
        assert new in session.done("memory_recall", context="rollout", category="decisions")
        assert session.done("memory_list", category="people") == "No memories match."
        assert new in session.done("memory_list", tag="ci")
        for wrong in (
            {"content": " "},
            {"content": "x", "category": "nonsense"},
            {"content": "x", "importance": 2},
            {"content": "x", "expires_at": "2001-01-01"},
            {"content": "x", "supersedes": "#999999"},
            {"content": "x", "supersedes": "L7"},
        ):
            session.refused("memory_store", **wrong)
        assert "no memory #999999" in session.refused("memory_update", id=999999, content="x")
        assert "no memory #999999" in session.refused("memory_delete", id=[new, "#999999"])
        assert session.contents() == ["Deploys on Mondays"]  # all or none
        assert "nothing is learned" in session.refused("memory_update", id=new, review="accept")
        assert "local store" in session.refused("memory_delete", id="L1")


def test_same_text_is_stored_once(tmp_path: Path, around: dict[str, str]) -> None:
    """However it is spaced; and from then on as long as asked, instead of what is named."""
    with in_session(tmp_path, around) as session:
        one = number(session.done("memory_store", content="The office is in Bern"))
        again = session.done("memory_store", content="The  office is in Bern.")
        assert again == f"Already stored as memory {one} in category 'facts'."
        assert len(session.contents()) == 1
        old = number(session.done("memory_store", content="The office is in Lyon"))
        said = session.done("memory_store", content="The office is in Bern", supersedes=old)
        assert said.splitlines() == [again, f"It supersedes {old} from now on."]
        assert session.contents() == ["The office is in Bern"]
        garden = number(session.done("memory_store", content="The office has a garden"))
        said = session.done("memory_store", content="The office is in Bern", supersedes=garden)
        taken = f"It supersedes another memory already; delete {garden} if it is outdated."
        assert said.splitlines() == [again, taken]


@pytest.mark.parametrize("later", ["", "2100-01-01"])
def test_same_text_is_kept_as_long_as_asked(
    tmp_path: Path, around: dict[str, str], later: str
) -> None:
    """A longer life is taken, a shorter one is not, and it stays one memory."""
    with in_session(tmp_path, around) as session:
        freeze = {"content": "The staging freeze is on"}
        one = number(session.done("memory_store", **freeze, expires_at="2099-06-01"))
        already = f"Already stored as memory {one} in category 'facts'."
        assert session.done("memory_store", **freeze, expires_at="2098-01-01") == already
        said = session.done("memory_store", **freeze, expires_at=later)
        assert said.startswith(f"{already}\nIt was to expire on 2099-06-0")
        assert said.endswith(" and is kept longer now.")
        assert session.done("memory_store", **freeze, expires_at=later) == already
        assert len(session.contents()) == 1


def test_memory_of_a_project_stays_in_it(tmp_path: Path, around: dict[str, str]) -> None:
    """Two sessions in two projects, with one memory each and one for both."""
    folders = [tmp_path / name / "work" for name in ("ours", "theirs")]
    for folder in folders:
        (folder / ".git").mkdir(parents=True)
        (folder / ".git" / "config").write_text(
            f'[remote "origin"]\nurl = https://git.example.com/{folder.parent.name}.git\n'
        )
    for folder in folders:
        with in_session(tmp_path, around, CLAUDE_PROJECT_DIR=str(folder)) as session:
            name = folder.parent.name
            session.done("memory_store", content=f"The {name} build is green", scope="project")
            session.done("memory_store", content="Builds run on Linux")
            found = session.done("memory_recall", context="builds green linux build")
            assert f"The {name} build is green" in found
            assert found.startswith("Found 2 memories.")
            assert len(re.findall("build is green", session.done("memory_list"))) == 1
    with in_session(tmp_path, around, CLAUDE_PROJECT_DIR=str(Path.home())) as session:
        everything = session.done("memory_list", scope="all")
        assert everything.startswith("Found 3 memories.")
        said = session.done("memory_store", content="No project here", scope="project")
        assert "belongs to no project, so the memory is global" in said


def test_another_session_sees_it_at_once(tmp_path: Path, around: dict[str, str]) -> None:
    """There is one memory, on the server."""
    with in_session(tmp_path / "a", around) as one, in_session(tmp_path / "b", around) as other:
        one.done("memory_store", content="Seen from everywhere")
        assert other.contents() == ["Seen from everywhere"]


@pytest.mark.parametrize("shape", ["down", "wrong key", "no address", "unencrypted"])
def test_server_that_cannot_be_used_is_told_and_nothing_is_stored(
    tmp_path: Path, server: str, shape: str
) -> None:
    """Each tool says why; the status works and says it too, with the fix."""
    home = tmp_path / "home"
    where = {"down": nowhere(), "no address": "", "unencrypted": "http://memory.example.com"}
    told = {
        "down": "cannot be reached",
        "wrong key": "valid API key",
        "no address": "MEMORY_API_URL is not set",
        "unencrypted": "Set MEMORY_API_URL to https://memory.example.com",
    }[shape]
    around = environment(where.get(shape, server), "nobodys-" + "key")
    with in_session(home, around) as session:
        said = session.refused("memory_store", content=f"The {CANARY} again")
        assert told in said
        assert "Nothing was stored: in HTTP-only mode there is no store on this machine." in said
        asked: dict[str, dict[str, object]] = {
            "memory_recall": {"context": CANARY},
            "memory_list": {},
            "memory_update": {"id": 1, "content": "x"},
            "memory_delete": {"id": 1},
            "secret_get": {"id": 1},
        }
        for tool, arguments in asked.items():
            assert told in session.refused(tool, **arguments)
        assert "Nothing was deleted" in session.refused("memory_delete", id=1)
        status = session.done("memory_status")
        assert status.startswith("Mode: HTTP-only")
        assert "cannot be used now" in status
        assert told in status.partition("Needs attention:")[2]
    assert_nothing_kept(home)


class Between:
    """Passes requests on to the server, and loses answers when it is told to."""

    def __init__(self, url: str) -> None:
        self.port = int(url.rpartition(":")[2])
        self.loses = ""  # method and path of requests whose answers are lost
        self.names: list[str] = []

    def __call__(self, visit: Visit) -> bool:
        """Answer one request."""
        onward = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        kept = ("authorization", "content-type", "idempotency-key")
        headers = {name: visit.headers[name] for name in kept if name in visit.headers}
        onward.request(visit.method, visit.target, visit.body, headers)
        answer = onward.getresponse()
        body = answer.read()
        onward.close()
        is_named = "idempotency-key" in visit.headers  # as every write is
        if self.loses and is_named and f"{visit.method} {visit.target}".startswith(self.loses):
            self.names.append(visit.headers["idempotency-key"])
            return False
        visit.sock.sendall(reply(answer.status, body))
        return True


@promise("direct.lost-answers-double-nothing")
def test_lost_answer_is_told_and_the_repetition_is_done_once(
    tmp_path: Path, around: dict[str, str], server: str
) -> None:
    """A store, an edit and an undo, each asked for again after its answer was lost."""
    between = Between(server)
    with ScriptedServer(between) as losing:
        environ = {**around, "MEMORY_API_URL": losing.url}
        with in_session(tmp_path, environ) as session:

            def lost(path: str, tool: str, **arguments: object) -> str:
                between.loses = path
                assert "not known whether it was" in session.refused(tool, **arguments)
                between.loses = ""
                return session.done(tool, **arguments)

            old = number(session.done("memory_store", content="The first"))
            stored = {"content": "The second", "supersedes": old}
            one = number(lost("POST /api/memories", "memory_store", **stored))
            assert session.contents() == ["The second"]
            lost("PATCH", "memory_update", id=one, content="The third")
            lost(f"POST /api/memories/{one[1:]}/restore", "memory_update", id=one, restore=True)
            assert session.contents() == ["The second"]
            # Nobody looks whether a secret is there already: its name alone finds it out.
            lost("POST /api/memories", "memory_store", content=f"The CI token is {TOKEN}")
            assert len(session.contents()) == 2
    assert len(set(between.names)) == 4


def test_hooks_keep_and_inject_nothing(tmp_path: Path, around: dict[str, str]) -> None:
    """One line of greeting; the approvals go on; every other event is silence."""
    home = tmp_path / "home"
    greeted = through_doorway(
        "session-start", {"source": "startup", "session_id": "s"}, home, **around
    )
    assert added(greeted.said).startswith("claude-memory: HTTP-only mode. ")
    assert "\n" not in added(greeted.said)
    with in_session(home, around) as session:
        session.done("memory_store", content=f"Ask the {CANARY} about trains")
        prompt = f"Remember: I always take the {CANARY} train"
        for event in (
            {"event": "UserPromptSubmit", "prompt": prompt, "prompt_id": "p"},
            {"event": "PreCompact", "trigger": "auto"},
            {"event": "SessionStart", "source": "compact"},
            {"event": "Stop", "last_assistant_message": prompt},
        ):
            assert json.loads(session.done("hook", session_id="s", **event)) == {}
        allowed = json.loads(
            session.done(
                "hook",
                event="PreToolUse",
                session_id="s",
                tool_name="mcp__plugin_memory_memory__memory_recall",
                tool_input={"context": "x"},
            )
        )
        assert allowed["hookSpecificOutput"]["permissionDecision"] == "allow"
        assert "Learning: off" in session.done("memory_status")
    through_doorway("auto-learn", {"session_id": "s"}, home, **around)
    through_doorway("session-end", {"session_id": "s"}, home, **around)
    assert_nothing_kept(home, "trains")


def test_store_of_another_mode_is_left_alone_and_told(
    tmp_path: Path, around: dict[str, str]
) -> None:
    """It is neither read nor written, and the status says how to use it."""
    with Session(tmp_path) as session:
        session.done("memory_store", content="Kept on this machine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.db*")}
    with in_session(tmp_path, around) as session:
        assert session.contents() == []
        session.done("memory_store", content=f"The {CANARY} on the server")
        status = session.done("memory_status")
        assert "memory.db holds memories of another mode" in status
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.db*")} == before
    assert files_with(tmp_path, CANARY) == []
