"""A tiny server that speaks the few calls of Vault's KV version 2, and misbehaves on request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.answering import Answering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.answering import Asked

TOKEN = "hvs." + "stand" + "1n"


class VaultStandIn(Answering):
    """Keeps values in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.headers: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        self.fault: tuple[int, bytes] | None = None  # answered to everything while set

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Do what Vault would do."""
        self.headers.append(dict(asked.headers.items()))
        self.paths.append(asked.path)
        if self.fault is not None:
            return self.fault
        if asked.headers.get("X-Vault-Token", "") != TOKEN:
            return 403, b'{"errors":["permission denied"]}'
        kind, _, name = asked.path.partition("?")[0].partition("/v1/secret/")[2].partition("/")
        if kind == "metadata" and asked.method == "DELETE":
            self.values.pop(name, None)
            return 204, b""
        if kind == "data" and asked.method == "POST":
            return self._write(name, json.loads(asked.body))
        if kind == "data" and name in self.values:
            return 200, json.dumps({"data": {"data": {"value": self.values[name]}}}).encode()
        return 404, b'{"errors":[]}' if kind == "data" else b'{"errors":["no handler"]}'

    def _write(self, name: str, asked: Mapping[str, Mapping[str, object]]) -> tuple[int, bytes]:
        if asked["options"]["cas"] == 0 and name in self.values:
            return 400, b'{"errors":["check-and-set parameter did not match"]}'
        self.values[name] = str(asked["data"]["value"])
        return 200, b'{"data":{"version":1}}'
