"""What an operator does to an OpenBao, and the cluster around it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import hvac
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.secrets.choice import choose
from backend.settings import Settings
from tests.backend.secrets.conformance import keep_nothing
from tests.support.answering import Answering
from tests.support.openbao import ROOT_TOKEN, OpenBao

if TYPE_CHECKING:
    from pathlib import Path

    from backend.secrets.keeper import Keeper
    from tests.support.answering import Asked

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


class TokenReview(Answering):
    """The one question that OpenBao asks a Kubernetes API server, answered for one pod."""

    def __init__(self, genuine: str) -> None:
        super().__init__()
        self.genuine = genuine
        self.asked = 0

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Say whose token it is, if it is the genuine one."""
        self.asked += 1
        review = json.loads(asked.body)
        user = {"username": "system:serviceaccount:memory:claude-memory", "uid": "u1"}
        is_genuine = review["spec"]["token"] == self.genuine
        status = {"authenticated": True, "user": user, "audiences": ["vault"]}
        review["status"] = status if is_genuine else {"authenticated": False}
        return 201, json.dumps(review).encode()


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
