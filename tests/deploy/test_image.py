"""The image and compose.yaml: linted, and followed as far as a machine without Docker goes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml

from tests.support import components
from tools import deploying
from tools.environment import python_of

if TYPE_CHECKING:
    from tests.support.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = DOCKER / "Dockerfile"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)
CHECK = """
import json, sys, compose_spec
compose_spec.PyCompose.from_json(sys.stdin.read()).validate()
"""


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each on one line."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line.strip()]


def stages() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the instructions that build, and those of what is shipped."""
    found = instructions()
    second = [number for number, (name, _) in enumerate(found) if name == "FROM"][1]
    return found[:second], found[second:]


@pytest.mark.parametrize("name", ["backend", "otel", "function", "lambda-runtime"])
def test_what_is_shipped_is_what_was_tested(name: str) -> None:
    """Every version of the smaller lock is that of the development environment."""
    tested = dict(PINNED.findall((ROOT / "requirements.lock").read_text("utf-8")))
    shipped = PINNED.findall((ROOT / f"requirements-{name}.lock").read_text("utf-8"))
    assert len(shipped) > 5
    assert [(one, version) for one, version in shipped if tested.get(one) != version] == []


def test_image_holds_no_tools_and_runs_as_nobody() -> None:
    """Slim, without pip, as a user with a number, with a health check."""
    _, shipped = stages()
    names = [name for name, _ in shipped]
    assert [text for name, text in shipped if name == "USER"] == ["10001:10001"]
    assert names.index("USER") < names.index("CMD")
    assert "HEALTHCHECK" in names
    assert not any("apt" in text for _, text in instructions())
    assert [text for name, text in shipped if name == "RUN"] == [
        "python -m pip uninstall --yes pip"
    ]


def test_context_is_what_is_copied() -> None:
    """Nothing else is sent to the builder, so nothing else can get into a layer."""
    sent = {
        line[1:]
        for line in (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        text.split()[0]
        for name, text in instructions()
        if name == "COPY" and not text.startswith("--from")
    }
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.heavy
def test_dockerfile_is_clean() -> None:
    """By hadolint, with every rule."""
    command = [str(components.deploying_program("hadolint")), str(DOCKERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Follow the Dockerfile in a folder: its copies, and its steps with the paths moved there."""
    folder = tmp_path_factory.mktemp("image")
    app = folder / "app"
    app.mkdir()
    base = deploying.runtime_python() or Path(sys.executable)
    path = f"{folder / 'bin'}{os.pathsep}/usr/bin:/bin"
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(base)
    building, _ = stages()
    for name, text in building:
        if name == "COPY":
            *sources, target = text.split()
            for source in sources:
                subprocess.run(["cp", "-r", ROOT / source, app / target], check=True)
        elif name == "RUN":
            moved = text.replace("/venv", str(folder / "venv")).replace("/app", str(app))
            subprocess.run(["/bin/sh", "-ec", moved], cwd=app, env={"PATH": path}, check=True)
    return folder


@pytest.mark.heavy
def test_followed_steps_make_a_server_that_runs(image: Path, database_url: str) -> None:
    """Without pip, compiled, and complete: the command that the image runs finds all it needs."""
    python = image / "venv" / "bin" / "python"
    environ = {"DATABASE_URL": database_url, "MEMORY_ENCRYPTION_KEY": "0f" * 32, "PATH": "/bin"}
    done = subprocess.run(
        [python, "-m", "backend", "doctor"],
        cwd=image / "app",
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(image.glob("venv/lib/python3*/site-packages/pip"))
    assert list((image / "app" / "backend").glob("__pycache__/app.*.pyc"))


@pytest.mark.heavy
def test_compose_file_is_valid() -> None:
    """By the rules of the specification; a misspelt key is refused."""
    python = components.there(python_of(deploying.ENVIRONMENT), "compose-spec")

    def checked(compose: object) -> int:
        told = VARIABLE.sub(r"\1", json.dumps(compose))
        command = [str(python), "-c", CHECK]
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
        return done.returncode

    assert checked(COMPOSE) == 0
    wrong = json.loads(json.dumps(COMPOSE))
    wrong["services"]["api"]["depend_on"] = []
    assert checked(wrong) != 0


def test_compose_services_are_closed() -> None:
    """Ours cannot write, gain rights or be reached from elsewhere; the order of starts holds."""
    services: dict[str, Any] = COMPOSE["services"]
    for name in ("setup", "migrate", "api"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
    published = [port for one in services.values() for port in one.get("ports", [])]
    assert published == ["127.0.0.1:${PORT:-8000}:8000"]
    assert services["api"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    profiled = {name for name, one in services.items() if one.get("profiles") == ["vault"]}
    assert profiled == {"vault", "vault-setup"}
    assert services["api"]["depends_on"]["vault-setup"]["required"] is False


def started(folder: Path) -> str:
    """Run what the service `setup` runs; return what it printed."""
    command = [sys.executable, str(DOCKER / "setup.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sourced(folder: Path, command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a service's command in a shell, where the volume is `folder`."""
    moved = command.replace("/secrets", str(folder)).replace("python ", f"{sys.executable} ")
    named = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(
        ["/bin/sh", "-ec", moved], cwd=ROOT, env=named, capture_output=True, text=True, check=False
    )


def test_first_start_makes_a_key_and_every_start_shows_it(tmp_path: Path) -> None:
    """Again after a start that was broken off; and what it made is what the services read."""
    first = started(tmp_path)
    assert re.search(r"MEMORY_API_KEY=\S{40,}", first)
    assert started(tmp_path) == first
    (tmp_path / "env").unlink()
    second = started(tmp_path)
    assert second != first
    assert started(tmp_path) == second
    shown = sourced(tmp_path, '. /secrets/env; echo "$DATABASE_URL $API_KEY"')
    url, key = shown.stdout.split()
    password = (tmp_path / "database-password").read_text()
    assert url == f"postgresql://memory:{password}@database:5432/memory"
    assert f"MEMORY_API_KEY={key}" in second


def test_migrate_service_runs_as_it_stands(
    tmp_path: Path, postgres: Server, empty_database: str
) -> None:
    """Its command, with the volume and the database moved to this machine."""
    started(tmp_path)
    env = (tmp_path / "env").read_text()
    url = postgres.url(empty_database)
    (tmp_path / "env").chmod(0o644)
    (tmp_path / "env").write_text(re.sub(r"DATABASE_URL='.*'", f"DATABASE_URL='{url}'", env))
    shell, options, command = COMPOSE["services"]["migrate"]["command"]
    assert (shell, options) == ("sh", "-ec")
    done = sourced(tmp_path, command)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM memories").fetchone() == (0,)
