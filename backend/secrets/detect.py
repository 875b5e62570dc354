"""Finds secrets in what is about to be written, by the plugin's rules (see detection/)."""

from __future__ import annotations

from backend.secrets.detection.detector import Found, Redacted, find, redact

__all__ = ["Found", "Redacted", "find", "redact"]
