"""The page at /docs: from this server alone, and alive in a real browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import components
from tests.support.promises import promise
from tests.support.serving import Serving

if TYPE_CHECKING:
    from tests.support.api import Api

ROOT = Path(__file__).resolve().parents[3]
VISIT = ROOT / "tests" / "support" / "page_visit.py"


@promise("server.page-works-offline")
@pytest.mark.anyio
async def test_page_is_from_this_server_alone(api: Api) -> None:
    """Each file that it names is served here, without a key, and the policy allows no other."""
    page = await api.nobody.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text
    named = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(named) == 3
    for path in ["/docs", *named]:
        answer = await api.nobody.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    whole = await api.nobody.get("/docs/swagger-ui.css", headers={"Range": "bytes=a-b"})
    assert whole.status_code == 200  # what makes no sense in that header is passed over
    assert "SwaggerUIBundle" in (await api.nobody.get("/docs/swagger-ui-bundle.js")).text


@promise("server.page-works-offline")
@pytest.mark.parametrize("lock", ["backend", "otel", "semantic"])
def test_page_is_installed_with_every_server_of_ones_own(lock: str) -> None:
    """Its files come with each lock that the documents let an operator install."""
    assert "\nfastapi-offline==" in (ROOT / f"requirements-{lock}.lock").read_text("utf-8")


@pytest.mark.anyio
async def test_server_without_the_page_names_what_it_has(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on AWS Lambda, whose lock has no page: the answer says where the document is."""
    monkeypatch.setitem(sys.modules, "fastapi_offline", None)
    answer = await api.nobody.get("/docs")
    told = answer.json()
    assert (answer.status_code, told["code"]) == (404, "no_endpoint")
    for said in (told["detail"], told["fix"]):
        assert "/openapi.json" in said
        assert "/docs" not in said
    assert (await api.nobody.get("/openapi.json")).status_code == 200


@pytest.mark.anyio
async def test_nothing_else_is_served_beside_the_page(api: Api) -> None:
    """No other file of the package, and none of the server."""
    for name in ("favicon.png", "redoc.standalone.js", "..%2f__init__.py", "oauth2-redirect"):
        answer = await api.nobody.get(f"/docs/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_endpoint")


@promise("server.page-works-offline")
@pytest.mark.heavy
def test_page_works_in_a_browser_without_a_network(tmp_path: Path) -> None:
    """Every operation is shown and one is sent by its buttons; nothing is asked of elsewhere."""
    with (
        Serving({"MEMORY_DATA": str(tmp_path / "data")}) as server,
        server.wait_until_ready() as client,
    ):
        address = str(client.base_url).rstrip("/")
        visit = [str(components.browser_python()), str(VISIT), str(components.chromium()), address]
        done = subprocess.run(
            [*visit, str(tmp_path / "page.png")],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        paths = client.get("/openapi.json").json()["paths"]
    seen = json.loads(done.stdout)
    assert seen["operations"] == sum(len(operations) for operations in paths.values())
    assert '"status": "ok"' in seen["answer"]
    assert {url for url in seen["asked"] if not url.startswith(f"{address}/")} == set()
    assert (seen["refused"], seen["console"], seen["errors"]) == ([], [], [])
