"""One simulated server for all runs of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sim.server import simulated_server
from tests.support.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sim.server import SimulatedServer


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimulatedServer]:
    """Start a server, on the PostgreSQL that the workers of this run share."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker == "main" else base.parent) / "postgres"
    with Server(folder) as postgres, simulated_server(postgres, f"sim_{worker}") as found:
        yield found
