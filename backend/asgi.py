"""The app for uvicorn: `uvicorn backend.asgi:app`. Settings come from the environment."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading

from backend.app import create_app, settle
from backend.errors import ConfigurationError
from backend.secrets.settings_source import environment_with_secrets
from backend.settings import Settings

METRICS_HOST = "0.0.0.0"  # noqa: S104  (the port of the metrics is for whoever collects them)


def _leave_with_parent() -> None:
    """Stop when the process that started this worker has died: nobody else would ever stop it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


settings = Settings.from_env(environment_with_secrets(os.environ))
if not settings.database_url:
    raise ConfigurationError(
        "DATABASE_URL is not set. Set it, or run `python -m backend serve`, which brings a "
        "PostgreSQL of its own."
    )
logging.getLogger("uvicorn.access").disabled = True  # it would write what people search for
app = create_app(
    settings,
    metrics_host=METRICS_HOST,
    metrics_folder=os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""),  # of all workers, if it is set
)
threading.Thread(target=_leave_with_parent, daemon=True).start()
settle()
