"""Re-making the lock files: each dependency group of pyproject.toml into one, with hashes only.

The output names no index, so it holds on any machine. Versions stay unless an upgrade is asked for.
"""

from __future__ import annotations

import shutil

from tools.environment import SetupFailed, run_quietly, say

LOCKS = {  # group: (file, oldest Python it must install on)
    "dev": ("requirements.lock", "3.11"),
    "backend": ("requirements-backend.lock", "3.11"),
    "otel": ("requirements-otel.lock", "3.11"),
    "semantic": ("requirements-semantic.lock", "3.11"),
    "function": ("requirements-function.lock", "3.13"),
    "plugin-tests": ("requirements-plugin-tests.lock", "3.9"),
    "mcp-1": ("requirements-mcp-1.lock", "3.11"),
    "openbao": ("requirements-openbao.lock", "3.11"),
    "deploy": ("requirements-deploy.lock", "3.11"),
    "lambda-runtime": ("requirements-lambda-runtime.lock", "3.11"),
    "sam": ("requirements-sam.lock", "3.11"),
    "gitleaks": ("requirements-gitleaks.lock", "3.11"),
    "browser": ("requirements-browser.lock", "3.11"),
}


def run(arguments: list[str]) -> int:
    """Re-make every lock; `--upgrade` in `arguments` moves versions forward.

    Raises:
        SetupFailed: uv is missing, or a group cannot be resolved.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise SetupFailed(
            "locks are made with uv. Install it (pip install uv), then run this again."
        )
    for group, (name, oldest) in LOCKS.items():
        command = [uv, "pip", "compile", "--universal", "--generate-hashes", "--no-header"]
        command += ["--no-annotate", "--python-version", oldest, "--output-file", name]
        run_quietly(
            [*command, "--group", f"pyproject.toml:{group}", *arguments], f"locking {group}"
        )
        say(f"{name} is locked")
    return 0
