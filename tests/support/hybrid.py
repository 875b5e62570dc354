"""Machines that share memories through a real server, and what they and it say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.support.sessions import Session
from tests.support.waiting import PATIENCE, comes

if TYPE_CHECKING:
    from pathlib import Path

USERS = [f"user{number}" for number in range(80)]
unused = iter(USERS)


def key_of(user: str) -> str:
    """Return a user's key."""
    return f"{user}-" + "key-for-tests"


def a_key() -> str:
    """Return the key of a user whom no other test has."""
    return key_of(next(unused))


def machine(home: Path, url: str, key: str, **environ: str) -> Session:
    """Start a session on a machine of its own, whose data folder is `home`."""
    return Session(home, environ={"MEMORY_API_URL": url, "MEMORY_API_KEY": key, **environ})


def on_server(server: str, key: str) -> list[str]:
    """Return all texts that the server has for a key, newest first."""
    asked = {"Authorization": f"Bearer {key}"}
    url = f"{server}/api/memories?limit=500"
    answer = httpx.get(url, headers=asked, timeout=PATIENCE)
    return [row["content"] for row in answer.raise_for_status().json()["memories"]]


def all_sent(session: Session, patience: float = PATIENCE) -> None:
    """Wait until a session says that nothing is left to send."""
    comes(lambda: session.call("memory_status").text, "Queue: everything is sent", patience)
