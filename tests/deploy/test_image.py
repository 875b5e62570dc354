"""The image and compose.yaml: linted, and followed as far as a machine without Docker goes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support import components, compose
from tests.support.readme import blocks, commands
from tools import deploying
from tools.environment import python_of

if TYPE_CHECKING:
    from tests.support.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = DOCKER / "Dockerfile"
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
        source
        for name, text in instructions()
        if name == "COPY" and not text.startswith("--from")
        for source in text.split()[:-1]
    }
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)


def test_locks_that_the_documents_name_can_be_chosen() -> None:
    """By an argument that has a default: what is named is copied, and is what is installed."""
    building, _ = stages()
    arguments = dict(text.split("=", 1) for name, text in building if name == "ARG")
    assert arguments["REQUIREMENTS"] == "requirements-backend.lock"
    assert any('-r "${REQUIREMENTS}"' in text for name, text in building if name == "RUN")
    copied = " ".join(text for name, text in building if name == "COPY").split()
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    named = set(re.findall(r"--build-arg REQUIREMENTS=(\S+\.lock)", page))
    assert named == {"requirements-otel.lock", "requirements-semantic.lock"}
    assert named <= set(copied)


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
    arguments = dict(text.split("=", 1) for name, text in building if name == "ARG")
    for name, text in building:
        if name == "COPY":
            *sources, target = text.split()
            for source in sources:
                subprocess.run(["cp", "-r", ROOT / source, app / target], check=True)
        elif name == "RUN":
            moved = text.replace("/venv", str(folder / "venv")).replace("/app", str(app))
            subprocess.run(
                ["/bin/sh", "-ec", moved], cwd=app, env={**arguments, "PATH": path}, check=True
            )
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

    def checked(file: object) -> int:
        told = VARIABLE.sub(r"\1", json.dumps(file))
        command = [str(python), "-c", CHECK]
        done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
        return done.returncode

    assert checked(compose.COMPOSE) == 0
    wrong = json.loads(json.dumps(compose.COMPOSE))
    wrong["services"]["api"]["depend_on"] = []
    assert checked(wrong) != 0


def test_compose_services_are_closed() -> None:
    """Ours cannot write, gain rights or be reached from elsewhere; the order of starts holds."""
    services: dict[str, Any] = compose.SERVICES
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


def test_first_start_makes_a_key_and_every_start_shows_it(tmp_path: Path) -> None:
    """Again after a start that was broken off; and what it made is what the services read."""
    first = compose.set_up(tmp_path)
    assert re.search(r"MEMORY_API_KEY=\S{40,}", first)
    assert compose.set_up(tmp_path) == first
    (tmp_path / "env").unlink()
    second = compose.set_up(tmp_path)
    assert second != first
    assert compose.set_up(tmp_path) == second
    url, key = compose.run('. /secrets/env; echo "$DATABASE_URL $API_KEY"', tmp_path).split()
    password = (tmp_path / "database-password").read_text()
    assert url == f"postgresql://memory:{password}@database:5432/memory"
    assert f"MEMORY_API_KEY={key}" in second


def test_line_of_the_readme_starts_services_that_follow_one_another(
    tmp_path: Path, postgres: Server, empty_database: str
) -> None:
    """Each with its own command; the key that is shown opens the API that is served at the end."""
    [line] = commands("docker compose")
    assert ROOT / line.split()[3] == compose.FILE
    assert compose.order() == ["setup", "database", "migrate", "api"]
    [key] = re.findall(r"MEMORY_API_KEY=(\S+)", compose.set_up(tmp_path))
    env = tmp_path / "env"
    text = re.sub(r"(?<=DATABASE_URL=').*(?=')", postgres.url(empty_database), env.read_text())
    env.chmod(0o644)
    env.write_text(text)
    shell, options, migrate = compose.SERVICES["migrate"]["command"]
    assert (shell, options) == ("sh", "-ec")
    compose.run(migrate, tmp_path)
    *_, serve = compose.SERVICES["api"]["command"]
    here = serve.replace("--host 0.0.0.0 --port 8000", "--port 0")
    environ = {**compose.SERVICES["api"]["environment"], "MEMORY_METRICS_PORT": "0"}
    with compose.start(here, tmp_path, **environ) as api:
        try:
            address = address_of(api)
            headers = {"Authorization": f"Bearer {key}"}
            body = {"content": "The token is ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"}
            stored = httpx.post(f"{address}/api/memories", json=body, headers=headers).json()
            opened = httpx.post(f"{address}/api/memories/{stored['id']}/secret", headers=headers)
            assert opened.json()["content"] == body["content"]
        finally:
            api.terminate()


def test_line_of_the_operations_page_makes_a_key_in_the_container(
    tmp_path: Path, database_url: str
) -> None:
    """It brings the settings along, which the environment of the container has not."""
    [line] = [
        re.sub(r"\\\n *", "", block)
        for block in blocks("sh", ROOT / "docs" / "operations.md")
        if "exec api" in block and "backend" in block
    ]
    *compose_line, shell, option, command = shlex.split(line)
    assert compose_line == ["docker", "compose", "-f", "deploy/docker/compose.yaml", "exec", "api"]
    assert (shell, option) == ("sh", "-c")
    compose.set_up(tmp_path)
    env = tmp_path / "env"
    text = re.sub(r"(?<=DATABASE_URL=').*(?=')", database_url, env.read_text())
    env.chmod(0o644)
    env.write_text(text)
    assert compose.run(command, tmp_path).startswith("cmk_")


def address_of(server: subprocess.Popen[str]) -> str:
    """Wait until a server is ready; return its address."""
    assert server.stderr
    for line in server.stderr:
        if found := re.match(r"Ready: (\S+)/docs", line):
            return found[1]
    raise AssertionError("it never got ready")
