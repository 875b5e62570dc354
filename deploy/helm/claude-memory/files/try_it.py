"""What `helm test` runs inside the cluster: store a memory, recall it, delete it."""

from __future__ import annotations

import json
import os
import urllib.request

SERVER = os.environ["SERVER"]
KEYS = [os.environ.get("API_KEY"), *json.loads(os.environ.get("API_KEYS") or "{}").values()]
WORD = "okapi" + os.urandom(6).hex()


def ask(method: str, path: str, body: dict[str, str] | None = None) -> dict[str, object]:
    """Send one request; whatever is not a success ends the test."""
    request = urllib.request.Request(
        SERVER + path,
        json.dumps(body).encode() if body else None,
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, object] = json.load(answer)
        return found


KEY = next(filter(None, KEYS), "")
if not KEY:
    raise SystemExit("The Secret holds neither api-key nor api-keys, so nothing can be tried.")
stored = ask("POST", "/api/memories", {"content": f"{WORD} was here"})
recalled = ask("POST", "/api/memories/recall", {"context": WORD})["memories"]
ask("DELETE", f"/api/memories/{stored['id']}")
left = ask("POST", "/api/memories/recall", {"context": WORD})["memories"]
if [memory["id"] for memory in recalled] != [stored["id"]] or left:
    raise SystemExit(f"Recalled {recalled} after storing {stored}, and {left} after deleting it.")
print("Stored, recalled and deleted a memory.")
