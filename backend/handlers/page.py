"""The page that shows the API to a person: all of it from this server, nothing from elsewhere.

Scripts and styles of Swagger UI come out of the package `fastapi-offline`, which is never imported;
where it is not installed, there is no page.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from backend.errors import NoEndpoint

router = APIRouter(include_in_schema=False)
PACKAGE = "fastapi_offline"
FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
HTML = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>claude-memory</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
START = """\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
});
"""
# `data:` is for the arrows in the style sheet; a key typed into the page stays in its memory.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/docs")
async def show() -> Response:
    """Return the page."""
    _folder()
    return HTMLResponse(HTML, headers=HEADERS)


@router.get("/docs/start.js")
async def start() -> Response:
    """Return the script that fills the page."""
    return Response(START, media_type="text/javascript", headers=HEADERS)


@router.get("/docs/{name}")
def file(name: str) -> Response:
    """Return a file of Swagger UI."""
    if name not in FILES:
        raise NoEndpoint
    return Response((_folder() / name).read_bytes(), media_type=FILES[name], headers=HEADERS)


def _folder() -> Path:
    """Return where the files of Swagger UI lie.

    Raises:
        NoEndpoint: the package is not installed, as on AWS Lambda.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoEndpoint("This server has no page; /openapi.json shows the same.")
    return Path(spec.submodule_search_locations[0]) / "static"
