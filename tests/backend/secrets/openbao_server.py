"""What an operator does to an OpenBao, and the cluster around it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import hvac
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.secrets.choice import choose
from backend.settings import Settings
from tests.backend.secrets.conformance import keep_nothing
from tests.support.openbao import ROOT_TOKEN, OpenBao

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from backend.secrets.keeper import Keeper

# What backend/secrets/vault.py says is enough.
SEALS = 'path "transit/encrypt/claude-memory" { capabilities = ["create", "update"] }\n'
OPENS = 'path "transit/decrypt/claude-memory" { capabilities = ["update"] }\n'
KEEPS = 'path "secret/data/claude-memory/*" { capabilities = ["create", "update", "read"] }\n'
POLICIES = {"seals": SEALS, "seals-and-opens": SEALS + OPENS, "keeps": KEEPS}


class Bao(OpenBao):
    """A development server with the engines transit and kv."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.client: Any = hvac.Client(self.address, ROOT_TOKEN)
        self.client.sys.enable_secrets_engine("transit")
        for name, policy in POLICIES.items():
            self.client.sys.create_or_update_policy(name, policy)

    def keeper(self, **settings: str) -> Keeper:
        """Return the keeper of a server with these settings; without a login it is root."""
        login = {} if "VAULT_ROLE" in settings else {"VAULT_TOKEN": ROOT_TOKEN}
        environ = {"VAULT_ADDR": self.address, **login, **settings}
        keeper = choose(Settings.from_env(environ), keep_nothing)
        assert keeper is not None
        return keeper

    def token(self, policy: str, **named: Any) -> str:
        """Return a new token that may do no more than the policy says."""
        made = self.client.auth.token.create(policies=[policy], **named)
        return str(made["auth"]["client_token"])


class TokenReview:
    """The one question that OpenBao asks a Kubernetes API server, answered for one pod."""

    def __init__(self, genuine: str) -> None:
        self.genuine = genuine
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _reviewer(self.answer))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> TokenReview:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, review: dict[str, Any]) -> dict[str, Any]:
        """Say whose token it is, if it is the genuine one."""
        self.asked += 1
        user = {"username": "system:serviceaccount:memory:claude-memory", "uid": "u1"}
        is_genuine = review["spec"]["token"] == self.genuine
        status = {"authenticated": True, "user": user, "audiences": ["vault"]}
        review["status"] = status if is_genuine else {"authenticated": False}
        return review


def _reviewer(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.dumps(answer(json.loads(self.rfile.read(length)))).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep test output quiet."""

    return Handler


def service_account_token(uid: str) -> str:
    """Return a token as Kubernetes mounts it into a pod, signed by nobody in particular."""
    now = datetime.now(UTC)
    claims = {
        "aud": ["vault"],
        "sub": "system:serviceaccount:memory:claude-memory",
        "nbf": now - timedelta(hours=1),
        "iat": now - timedelta(hours=1),
        "exp": now + timedelta(hours=1),
        "kubernetes.io": {
            "namespace": "memory",
            "serviceaccount": {"name": "claude-memory", "uid": uid},
        },
    }
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256")


def authority() -> str:
    """Return some certificate authority: OpenBao wants one, also where it is not used."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
