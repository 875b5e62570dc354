"""Completes the OpenAPI document: who may call, and every problem that an address can answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend import errors
from backend.schemas import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI

REFERENCE = {"$ref": "#/components/schemas/Problem"}
MEDIA_TYPE = "application/problem+json"
PUBLIC = ("/health", "/livez", "/readyz", "/startupz")
ALWAYS = (errors.ApiError, errors.TooLarge)
OF_API = (
    errors.Unauthorized,
    errors.ScopeMissing,
    errors.WrongMediaType,
    errors.Malformed,
    errors.TooManyRequests,
    errors.Unavailable,
)


def problems(*kinds: type[errors.ApiError]) -> dict[int | str, dict[str, Any]]:
    """Return how an endpoint declares the problems that it alone can answer with."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        known = found.setdefault(kind.status, _declared(kind))
        if f"`{kind.code}`" not in known["description"]:
            known["description"] += f" Or `{kind.code}`: {kind.title}"
    return found


def describe(app: FastAPI) -> None:
    """Let the app's document name the key and the problems that every endpoint shares."""
    make = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(make())
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _declared(kind: type[errors.ApiError]) -> dict[str, Any]:
    return {
        "description": f"`{kind.code}`: {kind.title}",
        "content": {MEDIA_TYPE: {"schema": REFERENCE}},
    }


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            shared = ALWAYS if path in PUBLIC else (*ALWAYS, *OF_API)
            _declare(operation["responses"], shared)
            if path not in PUBLIC:
                operation["security"] = [{"key": []}]
    return document


def _declare(responses: dict[str, Any], kinds: Iterable[type[errors.ApiError]]) -> None:
    if MEDIA_TYPE not in responses.get("422", {}).get("content", {}):
        responses.pop("422", None)
    for kind in kinds:
        responses.setdefault(str(kind.status), _declared(kind))
