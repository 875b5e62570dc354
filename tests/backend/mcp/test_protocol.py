"""The protocol: who may call, from where, in which version; the official SDK as the client."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from backend.remote.answers import TOOLS
from backend.remote.definitions import DEFINITIONS, INSTRUCTIONS
from backend.secrets import vault_login
from backend.secrets.wrapping import THREADS
from tests.backend.mcp.conftest import listening
from tests.support.api import stored, until
from tests.support.severed import SeveredWay
from tools.copy_protocol import PROTOCOL

if TYPE_CHECKING:
    from tests.backend.mcp.conftest import Mode, Served

pytestmark = pytest.mark.anyio

NAMES = [
    *("memory_store", "memory_recall", "memory_list", "memory_update"),
    *("memory_delete", "memory_status", "secret_get"),
]
HANDSHAKES = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
NEWEST = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"
SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def opening(version: str) -> dict[str, Any]:
    """Return the parameters of a handshake."""
    return {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_sdk_stores_and_recalls(served: Served, mode: Mode) -> None:
    """In both eras the official client finds the tools and gets texts from them."""
    async with served.client(mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == NAMES
        await client.call_tool("memory_store", {"content": "Ostrava has the spare cluster"})
        found = await client.call_tool("memory_recall", {"context": "spare cluster"})
        refused = await client.call_tool("memory_store", {"content": ""})
        version = client.session.protocol_version
    assert (version == NEWEST) == (mode == "auto")
    assert found.structured_content is None
    assert not found.is_error
    assert found.content[0].text.startswith("Found 1 memory.")  # type: ignore[union-attr]
    assert refused.is_error


@pytest.mark.parametrize("version", HANDSHAKES)
async def test_handshake_in_every_version(served: Served, version: str) -> None:
    """The version that is asked for is spoken, no session is made, and calls need no handshake."""
    result = (await served.rpc("initialize", opening(version)))["result"]
    assert result["protocolVersion"] == version
    assert result["serverInfo"]["name"] == "claude-memory"
    assert result["instructions"] == INSTRUCTIONS
    assert "tools" in result["capabilities"]
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answer = await served.post(ready, mcp_protocol_version=version)
    assert (answer.status_code, answer.content) == (202, b"")
    assert "mcp-session-id" not in answer.headers
    listed = await served.post(LIST, mcp_protocol_version=version)
    assert listed.headers["content-type"].startswith("application/json")
    assert [tool["name"] for tool in listed.json()["result"]["tools"]] == NAMES


async def test_unknown_version_is_named_the_known_ones(served: Served) -> None:
    """A client from the future learns what is spoken here."""
    meta = {f"{PREFIX}protocolVersion": "2099-01-01", f"{PREFIX}clientCapabilities": {}}
    message = {**LIST, "params": {"_meta": meta}}
    answer = await served.post(message, mcp_protocol_version="2099-01-01", mcp_method="tools/list")
    assert answer.status_code == 400
    assert answer.json()["error"]["data"]["supported"][0] == NEWEST


async def test_parallel_calls_are_told_apart(served: Served) -> None:
    """Many calls of one client at once, the first ones while the server only begins."""
    texts = [f"parallel fact number {number}" for number in range(20)]

    async def one(text: str) -> None:
        await client.call_tool("memory_store", {"content": text})

    async with served.client() as client, anyio.create_task_group() as group:
        for text in texts:
            group.start_soon(one, text)
    listed = (await served.tool("memory_list", limit=50)).text
    assert all(json.dumps(text) in listed for text in texts)


async def test_accounts_are_apart(served: Served) -> None:
    """Whatever Bob asks for of Alice's, he hears what he would of a memory that never was."""
    made = await stored(served.api.alice, f"alice-only-words {SECRET}")
    uid, unknown = made["uid"], "01900000-0000-7000-8000-000000000000"
    calls: list[tuple[str, dict[str, Any]]] = [
        ("memory_update", {"tags": "taken"}),
        ("memory_update", {"restore": True}),
        ("memory_delete", {}),
        ("memory_delete", {"purge": True}),
        ("secret_get", {}),
    ]
    for tool, rest in calls:
        for theirs, nobodys in ((1, 4242), (uid, unknown)):
            one = await served.tool(tool, user="bob", id=theirs, **rest)
            other = await served.tool(tool, user="bob", id=nobodys, **rest)
            assert one.is_error
            assert one.text.replace(str(theirs), "") == other.text.replace(str(nobodys), "")
    new = {"content": "mine", "supersedes": uid}
    assert (await served.tool("memory_store", user="bob", **new)).is_error
    for tool, rest in (("memory_recall", {"context": "alice-only-words"}), ("memory_list", {})):
        assert (await served.tool(tool, user="bob", **rest)).text.startswith("No memories")
    assert "Memories: 0 " in (await served.tool("memory_status", user="bob")).text
    assert (await served.tool("memory_status")).text.count("Memories: 1 ") == 1


async def test_two_users_at_once_get_their_own(served: Served) -> None:
    """Calls that overlap do not mix up who called."""
    await stored(served.api.alice, "shared word of alice")
    await stored(served.api.bob, "shared word of bob")
    answers: dict[str, list[str]] = {"alice": [], "bob": []}

    async def ask(user: str) -> None:
        answers[user].append((await served.tool("memory_list", user=user)).text)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(ask, ("alice", "bob")[number % 2])
    for user, texts in answers.items():
        assert all(f"of {user}" in text and text.count("shared") == 1 for text in texts)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read", {"memory_recall", "memory_list", "memory_status"}),
        ("write", {"memory_store", "memory_update", "memory_delete"}),
        ("secret", {"secret_get"}),
        ("admin", set()),
    ],
)
async def test_key_does_what_its_scope_allows(
    served: Served, scope: str, allowed: set[str]
) -> None:
    """A tool that a key may not use says which scope is missing, before it reads anything."""
    body = {"name": scope, "scopes": [scope]}
    key = (await served.api.alice.post("/api/keys", json=body)).json()["key"]
    for name, (needed, _kind, _handle) in TOOLS.items():
        said = await served.tool(name, user=key, nonsense=1)
        assert said.is_error
        assert ("Unknown argument 'nonsense'" in said.text) == (name in allowed), name
        if name not in allowed:
            assert f"This call needs the scope '{needed}'." in said.text


async def test_key_that_may_only_write_is_shown_no_memory(served: Served) -> None:
    """It changes and restores what it cannot read, and is told which memory that was."""
    await served.tool("memory_store", content="the old words", tags="private-tag")
    body = {"name": "writer", "scopes": ["write"]}
    key = (await served.api.alice.post("/api/keys", json=body)).json()["key"]
    changed = await served.tool("memory_update", user=key, id=1, importance=0.9)
    same = await served.tool("memory_update", user=key, id=1, importance=0.9)
    back = await served.tool("memory_update", user=key, id=1, restore=True)
    assert [one.text for one in (changed, same, back)] == [
        "Updated memory #1: importance. The earlier state is kept.",
        "Memory #1 already says that.",
        "Restored the earlier state of memory #1.",
    ]


@pytest.mark.parametrize("key", ["", "wrong-key-entirely"])
async def test_stranger_is_told_where_to_ask(served: Served, key: str) -> None:
    """401 leads to the metadata of this resource, which anybody may read."""
    answer = await served.post(LIST, user=key)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    metadata = f"{served.url}/.well-known/oauth-protected-resource/mcp"
    assert answer.headers["www-authenticate"] == f'Bearer resource_metadata="{metadata}"'
    async with httpx.AsyncClient() as http:
        for address in (metadata, metadata.removesuffix("/mcp")):
            found = (await http.get(address)).json()
            assert found["resource"] == f"{served.url}/mcp"
            assert found["scopes_supported"] == ["read", "write", "secret"]
            assert found["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("[::1]:80", 200),
        ("127.0.0.1", 200),
        ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example@127.0.0.1", 421),
        ("[::1", 421),
    ],
)
async def test_name_of_a_stranger_is_refused(served: Served, host: str, status: int) -> None:
    """A page that lets its own name point at this machine does not get through."""
    answer = await served.post(LIST, host=host)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["code"] == "wrong_host"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:6274", 200),
        ("https://evil.example", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
    ],
)
async def test_page_of_a_stranger_is_refused(served: Served, origin: str, status: int) -> None:
    """Pages on this machine may call a server on this machine."""
    answer = await served.post(LIST, origin=origin)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["code"] == "wrong_origin"


async def test_public_name_is_the_only_one_besides_loopback(app_url: str) -> None:
    """With MEMORY_PUBLIC_URL the server has that name, in what it tells too."""
    async with listening(app_url, public_url="https://memory.example") as served:
        for host, origin, status in (
            ("memory.example", "https://memory.example", 200),
            ("memory.example", "https://evil.example", 403),
            ("memory.example", "http://localhost:6274", 403),
            ("other.example", "https://memory.example", 421),
        ):
            answer = await served.post(LIST, host=host, origin=origin)
            assert answer.status_code == status, (host, origin)
        answer = await served.post(LIST, user="")
        assert "https://memory.example/.well-known/" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[]", {}, 400),
        (b"null", {}, 400),
        (b"", {}, 400),
        (b"{}", {"content_type": "text/plain"}, 415),
        (json.dumps(LIST).encode(), {"content_type": "application/vnd.api+json"}, 415),
        (b'{"jsonrpc": "2.0", "id": 1.5, "result": 5}', {}, 202),  # nobody asked
        (b'{"jsonrpc": "2.0", "id": 1}', {}, 400),
        (b'"' + b"x" * 1_100_000 + b'"', {}, 413),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud800"}}', {}, None),
    ],
)
async def test_bad_bodies_are_refused(
    served: Served, body: bytes, headers: dict[str, str], status: int | None
) -> None:
    """A broken message is the sender's fault, in every version of the protocol."""
    for version in ({}, {"mcp_protocol_version": NEWEST}):
        answer = await served.post(body, **headers, **version)
        assert answer.status_code < 500, answer.text
        assert status is None or answer.status_code == status, answer.text


@pytest.mark.parametrize("version", [{}, {"mcp_protocol_version": NEWEST}])
@pytest.mark.parametrize(
    ("body", "code", "given"),
    [
        (b"", -32700, None),
        (b"{", -32700, None),
        (b"\xff\xfe", -32700, None),
        (b"[" * 1_000, -32700, None),
        (b'{"a":' + b"9" * 5_000 + b"}", -32700, None),
        (b"[" + b"1," * 30_000 + b"1]", -32700, None),
        (b"null", -32600, None),
        (b"[]", -32600, None),
        (b"[" + json.dumps(LIST).encode() + b"]", -32600, None),
        (b"{}", -32600, None),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": "one"}', -32600, "one"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}', -32602, 1),
        *(
            (b'{"jsonrpc": "2.0", "id": %b, "method": "tools/list"}' % bad, -32600, None)
            for bad in (b"1.5", b"null", b"{}", b"[]", b"true", b"1e300")
        ),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
async def test_what_is_no_request_is_told_so_in_json_rpc(
    served: Served, body: bytes, code: int, given: object, version: dict[str, str]
) -> None:
    """Whatever waits for an answer gets one: an error with its id, or null where it has none."""
    answer = await served.post(body, **version)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert (found["jsonrpc"], found["id"], found["error"]["code"]) == ("2.0", given, code)
    assert found["error"]["message"].startswith(("Parse error: ", "Invalid "))
    assert set(found) == {"jsonrpc", "id", "error"}


async def test_argument_that_is_given_twice_is_refused(served: Served) -> None:
    """As a field over REST is: of two values one would be lost, unseen."""
    call = {"name": "memory_store", "arguments": {"content": "the first"}}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call}
    body = json.dumps(message).replace('"the first"', '"the first", "content": "the last"')
    answer = await served.post(body.encode())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)
    assert (
        "'content' is given more than once; nothing was done." in answer.json()["error"]["message"]
    )
    assert "the last" not in (await served.tool("memory_list")).text


async def test_packed_message_that_is_broken_is_a_parse_error(served: Served) -> None:
    """However it came, it could not be read."""
    answer = await served.post(b"no gzip", content_encoding="gzip")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)


def test_messages_are_read_as_the_plugin_reads_them() -> None:
    """After a change: python tools/copy_protocol.py."""
    assert PROTOCOL.differences() == []


async def test_unknown_methods_and_tools_are_errors(served: Served) -> None:
    """They are errors of the protocol, not results."""
    assert (await served.rpc("prompts/list"))["error"]["code"] == -32601
    call = {"name": "memory_explode", "arguments": {}}
    assert (await served.rpc("tools/call", call))["error"]["code"] == -32602


async def test_only_post_is_taken(served: Served) -> None:
    """There is no stream to listen to, and no session to end."""
    async with httpx.AsyncClient(headers={"Authorization": "Bearer x"}) as http:
        for method in ("GET", "DELETE", "PUT"):
            answer = await http.request(method, f"{served.url}/mcp")
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_calls_count_for_the_rate(app_url: str) -> None:
    """The limit of a key holds here as everywhere."""
    async with listening(app_url, rate=1, burst=3) as served:
        answers = [await served.post(LIST) for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"]


async def test_database_away_is_a_readable_error(served: Served) -> None:
    """A model is told that nothing was stored, and to try again."""
    await served.tool("memory_list")
    await served.api.app.state.provided.database.close()
    said = await served.tool("memory_store", content="too late")
    assert said.is_error
    assert said.text == "The database does not answer. Nothing was done; try again in a moment."
    (told,) = [line for line in served.api.logged() if line["event"] == "unavailable"]
    assert told["kind"] == "PoolClosed"


async def test_lost_commit_is_no_promise_that_nothing_was_done(app_url: str) -> None:
    """A model is told to look first: what it asked for may be there."""
    with SeveredWay(app_url) as way:
        async with listening(way.url) as served:
            await served.tool("memory_list")
            way.is_armed = True
            said = await served.tool("memory_store", content="there all the same")
            way.is_armed = False
            assert said.is_error
            assert said.text.startswith("The database was lost at the very end. It is not known")
            assert "there all the same" in (await served.tool("memory_list")).text


async def test_logs_hold_no_content(served: Served) -> None:
    """Neither what was stored nor what was asked for."""
    await served.tool("memory_store", content="wombat facts")
    await served.tool("memory_recall", context="wombat")
    await served.tool("memory_store", content=["wombat"], wombat=1)
    assert "wombat" not in served.api.logs.getvalue()
    assert {one["route"] for one in served.api.logged() if one["event"] == "request"} == {"/mcp"}


def test_definitions_cost_at_most_1000_tokens() -> None:
    """Four characters a token: name, description and schema are what the model is given."""
    shown = [
        {"name": one.name, "description": one.description, "inputSchema": one.schema}
        for one in DEFINITIONS
    ]
    assert len(json.dumps(shown, separators=(",", ":"))) / 4 <= 1000
    assert len(INSTRUCTIONS) <= 2048


def test_definitions_are_what_is_read() -> None:
    """Each schema is sound and names exactly the arguments that are taken, with their defaults."""
    assert [one.name for one in DEFINITIONS] == NAMES == list(TOOLS)
    for one in DEFINITIONS:
        Draft202012Validator.check_schema(one.schema)
        _scope, kind, _handle = TOOLS[one.name]
        assert set(one.properties) == set(kind.model_fields)
        needed = {name for name, field in kind.model_fields.items() if field.is_required()}
        assert set(one.required) == needed
        for name, schema in one.properties.items():
            if "default" in schema:
                assert kind.model_fields[name].default == schema["default"]


async def test_hints_are_true(served: Served) -> None:
    """Only what changes nothing is called read-only; two tools are shown up front."""
    tools = (await served.rpc("tools/list"))["result"]["tools"]
    read_only = [t["name"] for t in tools if t.get("annotations", {}).get("readOnlyHint")]
    up_front = [t["name"] for t in tools if t.get("_meta", {}).get("anthropic/alwaysLoad")]
    assert read_only == ["memory_recall", "memory_list", "memory_status"]
    assert up_front == ["memory_store", "memory_recall"]


PROGRAM = """
import asyncio, sys
from tests.support.api import running, stored

async def main():
    async with running(sys.argv[1]) as api:
        await stored(api.alice, "an ordinary request")
        await api.alice.post("/api/memories/recall", json={"context": "ordinary"})
        await api.alice.get("/.well-known/oauth-protected-resource/mcp")
        await api.nobody.post("/mcp", json={})
        print("mcp" in sys.modules, "mcp_types" in sys.modules)
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"Accept": "application/json, text/event-stream"}
        answer = await api.alice.post("/mcp", json=call, headers=accept)
        print(answer.status_code, "mcp" in sys.modules)

asyncio.run(main())
"""


def test_sdk_is_imported_by_those_who_call(app_url: str) -> None:
    """It costs a second and 40 MB: ordinary requests, and strangers, do not load it."""
    command = [sys.executable, "-c", PROGRAM, app_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines() == ["False False", "200 True"], done.stderr


async def test_first_call_does_not_wait_for_a_vault_that_hangs(
    app_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many secrets wait for it, what has to be done once for all calls is done."""
    monkeypatch.setattr(vault_login, "TIMEOUT", 3_600)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        vault = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        named = {"vault_addr": vault, "vault_token": "none", "encryption_key": ""}
        async with listening(app_url, **named) as served:
            body = {"content": f"Token {SECRET}"}
            posts = (served.api.alice.post("/api/memories", json=body) for _ in range(40))
            waiting = [asyncio.create_task(one) for one in posts]
            await until(lambda: THREADS.borrowed_tokens == len(waiting))
            assert (await served.post(LIST)).status_code == 200
            assert not any(one.done() for one in waiting)
            hanging.close()
            assert {(await one).status_code for one in waiting} == {503}
