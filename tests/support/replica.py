"""What a client holds of the server: pages applied as the sync protocol says, nothing more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

FEED = "/api/memories/sync"


@dataclass
class Replica:
    """The state of one client that only pulls."""

    client: httpx.AsyncClient
    limit: int = 500
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    cursor: str = ""
    check: dict[str, Any] = field(default_factory=dict)
    _generation: set[str] = field(default_factory=set)
    _must_sweep: bool = False

    async def page(self, **more: str) -> bool:
        """Pull and apply one page; return whether there is more."""
        asked = {"limit": str(self.limit), **({"cursor": self.cursor} if self.cursor else {})}
        answer = await self.client.get(FEED, params=asked, headers=more)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        if not self.cursor:
            self._generation, self._must_sweep = set(), True
        for row in page["memories"]:
            self._generation.add(row["uid"])
            if row["version"] > self.rows.get(row["uid"], {"version": 0})["version"]:
                self.rows[row["uid"]] = row
        self.cursor = page["cursor"]
        if not page["has_more"] and self._must_sweep:
            self._sweep(page["version"])
        if not page["has_more"]:
            self.check = page["check"]
        return bool(page["has_more"])

    async def catch_up(self) -> None:
        """Pull until there is no more."""
        while await self.page():
            pass

    def live(self) -> dict[str, int]:
        """Return the versions of the live memories."""
        return {uid: row["version"] for uid, row in self.rows.items() if row["deleted_at"] is None}

    def digest(self) -> str:
        """Return the digest of what is live, as the protocol defines it."""
        total = 0
        for uid, version in self.live().items():
            digest = hashlib.blake2b(f"{uid}:{version}".encode(), digest_size=8).digest()
            total ^= int.from_bytes(digest, "big")
        return f"{total:016x}"

    def assert_equal_to_server(self) -> None:
        """Check count and digest of the last page."""
        assert self.check == {"live": len(self.live()), "digest": self.digest()}

    def _sweep(self, version: int) -> None:
        for uid in set(self.rows) - self._generation:
            if self.rows[uid]["version"] <= version:
                del self.rows[uid]
        self._must_sweep = False
