"""compose.yaml, and its services as processes of this machine: a volume is a folder here."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy" / "docker"
FILE = DOCKER / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def order() -> list[str]:
    """Return the services of a plain `up`, each after those that it waits for."""
    found: list[str] = []

    def add(name: str) -> None:
        if name not in found and "profiles" not in SERVICES[name]:
            for needed in SERVICES[name].get("depends_on", {}):
                add(needed)
            found.append(name)

    for name in SERVICES:
        add(name)
    return found


def set_up(folder: Path) -> str:
    """Run what the service `setup` runs; return what it printed."""
    command = [sys.executable, str(DOCKER / "setup.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def start(command: str, folder: Path, **environ: str) -> subprocess.Popen[str]:
    """Start a service's command in a shell, where the volume is `folder`."""
    moved = command.replace("/secrets", shlex.quote(str(folder)))
    moved = moved.replace("python ", f"{shlex.quote(sys.executable)} ")
    named = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environ}
    return subprocess.Popen(
        ["/bin/sh", "-ec", moved],
        cwd=ROOT,
        env=named,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(command: str, folder: Path) -> str:
    """Run such a command to its end, which is a good one; return what it printed."""
    process = start(command, folder)
    said, problem = process.communicate(timeout=90)
    assert process.returncode == 0, problem
    return said
