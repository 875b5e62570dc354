"""Ties a test to a promise: one sentence of behaviour with an id in tests/promises.toml."""

from __future__ import annotations

import pytest


def promise(*ids: str) -> pytest.MarkDecorator:
    """Mark a test as keeping the promises named `ids`; tests/test_promises.py checks both sides."""
    return pytest.mark.promise(*ids)
