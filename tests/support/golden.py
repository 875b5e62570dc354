"""Exchanges with the server as they were recorded once, for every later version to keep to.

A story is a file of exchanges with a server whose database was empty. What the server makes up
itself (account, epoch, cursor, key) stands in later requests as `{name}`. To add one, write a story
without answers and run `python -m tests.support.golden`: it records what has no answer yet, and
notes the file in the manifest. What is recorded is never changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from backend.errors import KeeperDown
from backend.secrets.marks import Marks
from tests.support.api import KEYS, Api, running
from tests.support.postgres import LOGIN, Server

FOLDER = Path(__file__).parents[1] / "contract" / "golden" / "v1"
MANIFEST = FOLDER / "manifest.json"
MADE_UP = ("server_id", "account_id", "epoch", "cursor", "key", "server_time")
KEPT_HEADERS = ("content-type", "retry-after")
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing?connect_timeout=1"

Json = dict[str, Any]


class Away:
    """A keeper of secrets that does not answer."""

    marks = Marks()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever it is asked for)
        """Return a call that fails."""

        def fail(*_: object, **__: object) -> None:
            raise KeeperDown

        return fail


def stories() -> list[Path]:
    """Return the files of all stories."""
    return sorted(path for path in FOLDER.glob("*.json") if path != MANIFEST)


def read(path: Path) -> Json:
    """Read a story."""
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def digest(path: Path) -> str:
    """Return what tells that a file was changed."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest() -> dict[str, str]:
    """Return the digest of each recorded file."""
    return json.loads(MANIFEST.read_text(encoding="utf-8")) if MANIFEST.is_file() else {}


def filled(request: Any, known: dict[str, str]) -> Any:  # noqa: ANN401  (any JSON)
    """Return a request with what the server made up in its places."""
    text = PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), json.dumps(request))
    return json.loads(text)


def learn(body: Any, known: dict[str, str]) -> None:  # noqa: ANN401  (any JSON)
    """Note what an answer tells of the server."""
    if isinstance(body, dict):
        known.update({name: body[name] for name in MADE_UP if isinstance(body.get(name), str)})


async def play(story: Json, url: str, owner: str) -> list[Json]:
    """Ask a server everything in a story; return its answers.

    `owner` is the URL of the owner of the database, who restores it where the story says so.
    """
    named = dict(story.get("server", {}))
    keeper = Away() if named.pop("keeper", "") == "away" else None
    url = NOWHERE if named.pop("database", "") == "away" else url
    known = {"token": TOKEN}
    answers = []
    async with running(url, keeper=keeper, **named) as api:
        for one in story["exchanges"]:
            if one.get("first") == "restored from a backup":
                await asyncio.to_thread(_rotate, owner)
            answer = await _ask(api, one, filled(one["request"], known), known)
            learn(answer["body"], known)
            answers.append(answer)
    return answers


async def _ask(api: Api, one: Json, request: Json, known: dict[str, str]) -> Json:
    caller = one.get("as", "alice")
    key = known["key"] if caller == "the new key" else KEYS.get(caller, "")
    body = request.get("body")
    content = b"x" * one["bytes"] if "bytes" in one else json.dumps(body).encode()
    headers = dict(request.get("headers", {}))
    if body is not None or "bytes" in one:
        headers["content-type"] = "application/json"
    answer = await api.with_key(key).request(
        request["method"],
        request["path"],
        headers=headers,
        content=content if body is not None or "bytes" in one else None,
    )
    kept = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    return {"status": answer.status_code, "headers": kept, "body": answer.json()}


def _rotate(owner: str) -> None:
    with psycopg.connect(owner) as connection:
        connection.execute("SELECT memory_rotate_epoch(%s)", (uuid4(),))


def main() -> None:
    """Record every story that has no answers yet."""
    noted = manifest()
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as postgres:
        for path in stories():
            if path.name in noted:
                continue
            story = read(path)
            postgres.create("golden")
            urls = postgres.url("golden", LOGIN), postgres.url("golden")
            for one, answer in zip(
                story["exchanges"], asyncio.run(play(story, *urls)), strict=True
            ):
                if "key" in answer["body"]:
                    answer["body"]["key"] = "made up"
                one["answer"] = answer
            path.write_text(json.dumps(story, indent=1, ensure_ascii=False) + "\n", "utf-8")
            noted[path.name] = digest(path)
            sys.stdout.write(f"recorded {path.name}\n")
    MANIFEST.write_text(json.dumps(noted, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
