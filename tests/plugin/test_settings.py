"""Settings: what cannot be understood is complained about and never stops anything."""

from __future__ import annotations

import pytest
from claude_memory.settings import Settings

DEFAULTS = ("", 600, "auto", "claude", 20, "safe", 60)


def essence(settings: Settings) -> tuple[object, ...]:
    """Return what most tests look at."""
    return (
        settings.api_key,
        settings.recall_budget,
        settings.learn,
        settings.judge,
        settings.learn_daily,
        settings.approve,
        settings.sync_interval,
    )


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"MEMORY_API_KEY": "${MEMORY_API_KEY}", "MEMORY_LEARN": " "},
        {"CLAUDE_PLUGIN_OPTION_API_KEY": "", "CLAUDE_PLUGIN_OPTION_LEARN": ""},
    ],
)
def test_nothing_has_to_be_set(environ: dict[str, str]) -> None:
    """An empty value and a placeholder that the client left literal count as unset."""
    settings = Settings.from_env(environ)
    assert essence(settings) == DEFAULTS
    assert settings.mode == "SQLite-only"
    assert settings.complaints == ()


def test_environment_wins_over_the_plugins_options() -> None:
    """And the present name over the earlier one."""
    settings = Settings.from_env(
        {
            "CLAUDE_PLUGIN_OPTION_API_URL": "https://option.example.com",
            "CLAUDE_PLUGIN_OPTION_LEARN": "propose",
            "CLAUDE_PLUGIN_OPTION_RECALL_BUDGET": "900",
            "CLAUDE_MEMORY_API_URL": "https://alias.example.com",
            "CLAUDE_MEMORY_API_KEY": "alias",
            "MEMORY_API_KEY": "primary",
            "MEMORY_RECALL_BUDGET": "0",
        }
    )
    assert settings.api_url == "https://alias.example.com"
    assert settings.api_key == "primary"
    assert (settings.learn, settings.recall_budget, settings.mode) == ("propose", 0, "Hybrid")


def test_syncing_can_be_left_to_the_server() -> None:
    """A key without a cache here."""
    server = {"MEMORY_API_URL": "https://memory.example.com", "MEMORY_API_KEY": "k"}
    settings = Settings.from_env({**server, "MEMORY_SYNC_DISABLE": "1"})
    assert settings.mode == "HTTP-only"
    assert not settings.syncs


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("MEMORY_API_URL", "MEMORY_API_URL is set and MEMORY_API_KEY is not, so nothing is"),
        ("MEMORY_API_KEY", "MEMORY_API_KEY is set and MEMORY_API_URL is not, so nothing is"),
        ("CLAUDE_PLUGIN_OPTION_API_URL", "neither: as variables, or in /plugin configure memory."),
        ("CLAUDE_PLUGIN_OPTION_API_KEY", "'Server key' is set and 'Server address' is not, so "),
        ("CLAUDE_PLUGIN_OPTION_API_KEY", "uninstall the plugin and install it anew: memories"),
    ],
)
def test_half_a_server_is_none_and_is_said(given: str, said: str) -> None:
    """What is missing is named, with a way out: Claude Code lets no one empty a key in its form."""
    settings = Settings.from_env({given: "https://memory.example.com"})
    assert settings.mode == "SQLite-only"
    [complaint] = settings.complaints
    assert said in complaint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEMORY_LEARN", "sometimes"),
        ("MEMORY_LEARN_JUDGE", "gpt"),
        ("MEMORY_APPROVE", "everything"),
        ("MEMORY_SYNC_DISABLE", "maybe"),
        ("DISABLE_CLAUDE_MEMORY_AUTO_APPROVE", "y"),
        ("DEBUG_CLAUDE_MEMORY_HOOKS", "verbose"),
    ],
)
def test_value_that_is_not_understood_is_named(name: str, value: str) -> None:
    """The default holds, and one sentence names the variable that was set."""
    settings = Settings.from_env({name: value})
    assert essence(settings) == DEFAULTS
    [complaint] = settings.complaints
    assert complaint.startswith(f"{name}='{value}' is not understood; ")


def test_option_that_is_not_understood_is_named_as_it_was_set() -> None:
    """Who typed it into /plugin configure has never seen the variable that carries it."""
    settings = Settings.from_env({"CLAUDE_PLUGIN_OPTION_LEARN": "sometimes"})
    assert settings.complaints == ("Option learn='sometimes' is not understood; auto is used.",)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MEMORY_RECALL_BUDGET", "lots", "0 to 2400; 600 is used."),
        ("MEMORY_RECALL_BUDGET", "-1", "0 to 2400; 600 is used."),
        ("MEMORY_RECALL_BUDGET", "nan", "0 to 2400; 600 is used."),
        ("MEMORY_LEARN_DAILY", "10001", "0 to 10000; 20 is used."),
        ("MEMORY_SYNC_INTERVAL", "0", "1 to 86400; 60 is used."),
    ],
)
def test_number_out_of_its_range_is_named_with_it(name: str, value: str, said: str) -> None:
    """The default holds, and one sentence says what can be set."""
    settings = Settings.from_env({name: value})
    assert essence(settings) == DEFAULTS
    assert settings.complaints == (f"{name}='{value}' is no number from {said}",)


def test_disabled_sync_without_a_key_is_complained_about() -> None:
    """Whoever wants nothing kept on this machine has to learn that it is."""
    settings = Settings.from_env({"MEMORY_SYNC_DISABLE": "1"})
    assert settings.mode == "SQLite-only"
    [said] = settings.complaints
    assert "MEMORY_API_KEY is not: this is not HTTP-only mode, and memories are kept" in said


def test_vault_address_without_a_token_is_complained_about() -> None:
    """Else secrets would rest on this machine while their owner believes them in Vault."""
    settings = Settings.from_env({"VAULT_ADDR": "https://vault.example.com"})
    said = "VAULT_ADDR is set and VAULT_TOKEN is not, so Vault is not used for secrets."
    assert settings.complaints == (said,)
    both = Settings.from_env({"VAULT_ADDR": "https://vault.example.com", "VAULT_TOKEN": "t"})
    assert both.complaints == ()


@pytest.mark.parametrize(("home", "complaints"), [("data", 1), ("~/data", 0), ("/data", 0)])
def test_data_folder_that_depends_on_the_project_is_complained_about(
    home: str, complaints: int
) -> None:
    """Each project would silently have memories of its own."""
    found = Settings.from_env({"MEMORY_HOME": home, "HOME": "/home/you"}).complaints
    assert len(found) == complaints
    assert all("MEMORY_HOME='data'" in said for said in found)


def test_shown_settings_hold_no_secret() -> None:
    """A log of the value gives nothing away."""
    environ = {"MEMORY_API_KEY": "key-7", "VAULT_TOKEN": "token-7", "VAULT_ADDR": "https://v"}
    shown = repr(Settings.from_env(environ))
    assert "key-7" not in shown
    assert "token-7" not in shown
