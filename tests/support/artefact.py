"""The artefact of the Lambda functions, built by the README's commands, and AWS around it."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from tests.support import components
from tests.support.claude_code.publication import clone_working_tree
from tools import deploying
from tools.environment import BIN, python_of
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
FAKE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
}


def sam(*arguments: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the real SAM CLI, which is told nothing about anybody's AWS."""
    named = {**os.environ, **FAKE, "SAM_CLI_TELEMETRY": "0", **environ}
    command = [str(components.deploying_program("sam")), *arguments]
    return subprocess.run(
        command, cwd=folder, env=named, capture_output=True, text=True, check=False
    )


def runtime_python() -> str:
    """Return the Python that runs the functions: their own series if there is one, else ours."""
    own = python_of(deploying.RUNTIME)
    return str(own) if own.is_file() else sys.executable


def built(base: Path) -> Path:
    """Build once for all workers of a run; return the folder of the built template."""
    with (base / "artefact.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        clone = base / "for-sam"
        folder = clone / "deploy" / "sam"
        result = folder / ".aws-sam" / "build"
        if not result.exists():
            clone.mkdir()
            clone_working_tree(ROOT, clone)
            _build(folder)
        return result


def _build(folder: Path) -> None:
    """Run `sam build`; without the functions' Python, do what it would have done, for ours."""
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    own = python_of(deploying.RUNTIME)
    if own.is_file():
        path = f"{own.resolve().parent}{os.pathsep}{os.environ['PATH']}"
        overrides = f"Architecture={machine}"
        done = sam("build", "--parameter-overrides", overrides, folder=folder, PATH=path)
        assert done.returncode == 0, done.stderr
        return
    target = folder / ".aws-sam" / "build" / "ApiFunction"
    subprocess.run([sys.executable, "artefact.py", machine, target], cwd=folder, check=True)


@contextmanager
def aws(log: Path) -> Iterator[str]:
    """Run moto's server; return its address."""
    program = components.there(deploying.SAM / BIN / "moto_server", "moto's server")
    port = free_port()
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(program), "-H", "127.0.0.1", "-p", str(port)], stdout=out, stderr=out
        )
    try:
        _wait_for(port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def client(address: str, name: str) -> Any:  # noqa: ANN401  (boto3 ships no types)
    """Return a client of the AWS that runs there."""
    return boto3.client(
        name,
        endpoint_url=address,
        region_name=FAKE["AWS_REGION"],
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def environ(address: str, entry: Mapping[str, object]) -> dict[str, str]:
    """Return what the template gives a function: an entry of Secrets Manager, and a key of KMS."""
    secret = client(address, "secretsmanager").create_secret(
        Name="claude-memory", SecretString=json.dumps(entry)
    )
    key = client(address, "kms").create_key()["KeyMetadata"]["Arn"]
    found = {"MEMORY_SECRET_ARN": secret["ARN"], "MEMORY_KMS_KEY_ID": key}
    return {**FAKE, "AWS_ENDPOINT_URL": address, **found}


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
