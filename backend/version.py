"""The version of this server; the truth is plugin.json, and a test compares."""

VERSION = "0.1.0"
