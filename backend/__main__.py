"""The command line: `python -m backend COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from backend.errors import ApiError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.settings import Settings

WELL, WRONG, INTERRUPTED, NOT_READ = 0, 1, 130, 141
LONGEST_DAYS = 36_500
LONGEST_NAME = 200
HIGHEST_PORT = 65_535
SCOPES = "read,write,secret"
ALL_SCOPES = f"{SCOPES},admin"
AT_A_SHELL = {  # what callers of the API are told does not fit there
    "unavailable": "Check DATABASE_URL, and that the database runs.",
    "malformed": "Nothing was stored; set it right and try again.",
    "keeper_unavailable": "Mend that, and run the command again.",
    "outcome_unknown": "It is not known whether this was done: look before you run it again.",
}


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.do(asked) or WELL)
    except ConfigurationError as error:
        _tell(f"claude-memory: {error}")
        return WRONG
    except ApiError as error:
        fix = AT_A_SHELL.get(error.code, error.fix)
        _tell(f"claude-memory: {str(error).rstrip('.')}. {fix}")
        return WRONG
    except BrokenPipeError:  # such as `| head`, which has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_READ
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _tell(f"claude-memory: {error.strerror or error}{where}.")
        return WRONG
    except KeyboardInterrupt:
        _tell("Stopped.")
        return INTERRUPTED


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _out(text: str) -> None:
    print(text, flush=True)


def _settings() -> Settings:
    from backend.secrets.settings_source import environment_with_secrets
    from backend.settings import Settings

    return Settings.from_env(environment_with_secrets(os.environ))


def _serve(asked: argparse.Namespace) -> None:
    from backend import serving

    serving.serve(_settings(), asked.host, asked.port, _tell)


def _migrate(_asked: argparse.Namespace) -> None:
    from backend.commands import Jobs

    Jobs(_settings(), _out, _tell).migrate()


def _job(name: str, *fields: str) -> Callable[[argparse.Namespace], None]:
    """Return what runs a job of backend.commands with these arguments."""

    def run(asked: argparse.Namespace) -> None:
        from backend import commands

        named = {field: getattr(asked, field) for field in fields}
        job = partial(getattr(commands, name), **named)
        commands.Jobs(_settings(), _out, _tell).run(job)

    return run


def _doctor(_asked: argparse.Namespace) -> int:
    from backend.doctor import doctor

    return WELL if doctor(_settings(), _out) else WRONG


def _document(name: str) -> Callable[[argparse.Namespace], None]:
    def write(_asked: argparse.Namespace) -> None:
        from backend import commands

        _out(getattr(commands, name)())

    return write


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > LONGEST_DAYS:
        raise argparse.ArgumentTypeError("a number of days, such as 90")
    return int(text)


def _lifetime(text: str) -> int:
    days = _days(text)
    if not days:
        raise argparse.ArgumentTypeError("one day or more")
    return days


def _scopes(text: str) -> list[str]:
    scopes = [scope.strip() for scope in text.split(",")]
    if not set(scopes) <= set(ALL_SCOPES.split(",")):
        raise argparse.ArgumentTypeError(f"some of {ALL_SCOPES}")
    return scopes


def _name(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > LONGEST_NAME:
        raise argparse.ArgumentTypeError(f"a name of 1 to {LONGEST_NAME} characters")
    return text.strip()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a port, 0 to {HIGHEST_PORT}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backend",
        description="The server of claude-memory. Settings come from the environment; "
        "without DATABASE_URL a private PostgreSQL is used.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, do: Callable[..., object]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        made.set_defaults(do=do)
        return made

    serve = command("serve", "serve the API until Ctrl-C", _serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to serve on (%(default)s)")
    serve.add_argument("--port", type=_port, default=8000, help="port, 0 for any (%(default)s)")
    command("migrate", "bring the schema up to date", _migrate)
    _add_keys(commands)
    for name, job, text in (
        ("export", "export", "write a user's memories as JSON lines"),
        ("import", "import_all", "import JSON lines or a JSON list: all rows or none"),
    ):
        made = command(name, text, _job(job, "user", "path"))
        _add_user(made, "whose memories")
        made.add_argument("path", nargs="?", default="-", help="file; - is the standard one")
    command("rotate", "wrap all sealed secrets under the newest key", _job("rotate"))
    command("rotate-epoch", "begin a new epoch, after a restore", _job("rotate_epoch"))
    text = "write what memories mean that were stored without it"
    command("embed", text, _job("embed"))
    text = "erase old history, and old tombstones if asked"
    _add_days(command("purge", text, _job("purge", "history_days", "tombstone_days")))
    command("doctor", "check everything that serving needs", _doctor)
    command("openapi", "print the OpenAPI document", _document("openapi"))
    command("errors", "print the page of all errors", _document("errors"))
    return parser


def _add_days(purge: argparse.ArgumentParser) -> None:
    for name, kept, text in (
        ("--history-days", 30, "days that earlier texts are kept; 0 keeps none"),
        ("--tombstone-days", 0, "days that what is left of a delete is kept; 0 keeps it for ever"),
    ):
        purge.add_argument(
            name, type=_days, default=kept, metavar="DAYS", help=f"{text} (%(default)s)"
        )


def _add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "make, list and revoke named keys"
    actions = commands.add_parser("keys", help=text, description=text).add_subparsers(
        required=True, metavar="ACTION"
    )
    create = actions.add_parser("create", help="make a key and print it")
    create.set_defaults(do=_job("create_key", "user", "name", "scopes", "days"))
    create.add_argument("--name", type=_name, default="key", help="what it is for (%(default)s)")
    create.add_argument(
        "--scopes", type=_scopes, default=_scopes(SCOPES), help=f"of {ALL_SCOPES} ({SCOPES})"
    )
    create.add_argument(
        "--expires-in-days",
        type=_lifetime,
        dest="days",
        metavar="DAYS",
        help="days that the key is valid, 1 or more (for ever)",
    )
    listing = actions.add_parser("list", help="list the keys of a user")
    listing.set_defaults(do=_job("list_keys", "user"))
    revoke = actions.add_parser("revoke", help="revoke a key for good")
    revoke.set_defaults(do=_job("revoke_key", "user", "key_id"))
    revoke.add_argument("key_id", help="its id, as the list shows it")
    for made in (create, listing, revoke):
        _add_user(made, "whose key")


def _add_user(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--user", type=_name, default="default", help=f"{what} (%(default)s)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
