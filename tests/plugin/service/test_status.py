"""memory_status: one line a fact, and everything that needs a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.desk import Desk
from tests.support.hook_calls import added, asked, context_in
from tests.support.promises import promise

if TYPE_CHECKING:
    from pathlib import Path


@promise("tools.text-cannot-forge-an-entry")
def test_name_of_a_folder_cannot_forge_a_line(tmp_path: Path) -> None:
    """A folder may be called anything."""
    home = tmp_path / "a\nQueue: all sent"
    desk = Desk(home, project="/srv/a\nNeeds attention:")
    lines = desk.call("memory_status").splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "Mode",
        "Store",
        "Project",
        "Memories",
        "Queue",
        "Learning",
        "Injected today",
        "All well.",
    ]
    assert "Project: /srv/a Needs attention:" in lines


def test_last_prompts_are_told_with_why_they_were_given_what(tmp_path: Path) -> None:
    """Words, meaning and score of what was given, and of the next best that was kept back."""
    desk = Desk(tmp_path)
    desk.store("The deploy region is eu-north-7")
    desk.store("Anna waters the plants of the region on Mondays")
    prompt = {"event": "UserPromptSubmit", "session_id": "s", "prompt": "Which deploy region?"}
    assert "eu-north-7" in added(asked(prompt, context_in(tmp_path, desk.connection)))

    told = desk.call("memory_status").split("Given to the last prompts:")[1]

    given, kept_back = [line for line in told.splitlines() if "score" in line]
    assert re.match(r"    given L1: score \d\.\d\d, words region, deploy, meaning 0\.\d\d$", given)
    assert re.match(r"    kept back L2: score \d\.\d\d, words region, meaning ", kept_back)


def test_purge_takes_the_reasons_along(tmp_path: Path) -> None:
    """A record quotes words of the memory."""
    desk = Desk(tmp_path)
    desk.store("The deploy region is eu-north-7")
    prompt = {"event": "UserPromptSubmit", "session_id": "s", "prompt": "Which deploy region?"}
    assert added(asked(prompt, context_in(tmp_path, desk.connection)))

    desk.call("memory_delete", id="L1", purge=True)

    assert "Given to the last prompts" not in desk.call("memory_status")
