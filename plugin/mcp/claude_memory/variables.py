"""How a user's settings are read from the environment: names, switches, and what is wrong. Hot.

Hooks and `settings` share it, so that one value never means two things.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OPTION = "CLAUDE_PLUGIN_OPTION_"  # before the name of an option of the plugin
KEYS = ("MEMORY_API_KEY", "CLAUDE_MEMORY_API_KEY", OPTION + "API_KEY")
URLS = ("MEMORY_API_URL", "CLAUDE_MEMORY_API_URL", OPTION + "API_URL")
RECALL_BUDGET = ("MEMORY_RECALL_BUDGET", OPTION + "RECALL_BUDGET")
BUDGET, BUDGET_LIMIT = 600, 2_400  # tokens; the client cuts a text of more than 10,000 characters
LEARN = ("MEMORY_LEARN", OPTION + "LEARN")
LEARNS = ("auto", "propose", "off")  # the first of such a list is the default
APPROVE = "MEMORY_APPROVE"
APPROVES = ("safe", "all")
DISABLE = "MEMORY_SYNC_DISABLE"
UNAPPROVED = "DISABLE_CLAUDE_MEMORY_AUTO_APPROVE"
DEBUG = "DEBUG_CLAUDE_MEMORY_HOOKS"
SWITCHES = (DISABLE, UNAPPROVED, DEBUG)
ON, OFF = frozenset(("1", "true", "yes", "on")), frozenset(("0", "false", "no", "off", ""))


def given(environ: Mapping[str, str], *names: str) -> str:
    """Return the first of `names` that is really set; a literal `${X}` counts as unset."""
    for name in names:
        value = environ.get(name, "").strip()
        if value and not value.startswith("${"):
            return value
    return ""


def shown(name: str) -> str:
    """Return what a person calls a variable or an option of the plugin."""
    is_option = name.startswith(OPTION)
    return f"Option {name[len(OPTION) :].lower()}" if is_option else name


def flag(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether a variable is switched on; what takes rights away is, unless it says no."""
    value = given(environ, name).lower()
    return value not in OFF if name == UNAPPROVED else value in ON


def complaints(environ: Mapping[str, str]) -> list[str]:
    """Say what is wrong with switches and with a server's settings: sentences, mostly none."""
    url, key, disabled = given(environ, *URLS), given(environ, *KEYS), given(environ, DISABLE)
    found = []
    for name in SWITCHES:
        value, counts = given(environ, name), "on" if flag(environ, name) else "off"
        if value.lower() not in ON | OFF:
            found.append(f"{name}={value[:40]!r} is not understood; it counts as {counts}.")
    if disabled.lower() in ON and not key:
        found.append(
            f"{DISABLE} is set and {KEYS[0]} is not: this is not HTTP-only mode, and memories are "
            "kept on this machine. Set the key too, or take it away."
        )
    elif key and not url and not given(environ, *KEYS[:2]):
        found.append(
            "'Server key' is set and 'Server address' is not, so nothing is synced. Set both in "
            "/plugin configure memory. Claude Code cannot empty a key: to be rid of it, uninstall "
            "the plugin and install it anew: memories stay."
        )
    elif bool(url) != bool(key):
        named, missing = (URLS, KEYS) if url else (KEYS, URLS)
        found.append(
            f"{named[0]} is set and {missing[0]} is not, so nothing is synced. Set both, or "
            "neither: as variables, or in /plugin configure memory."
        )
    return found
