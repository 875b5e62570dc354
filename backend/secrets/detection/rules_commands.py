# Generated from plugin/mcp/claude_memory/redaction/rules_commands.py by tools/copy_detector.py: change that, not this.
"""Passwords in command lines, statements and credential files, each known by its own syntax."""

from __future__ import annotations

from backend.secrets.detection import values
from backend.secrets.detection.page import Found, compiled, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.secrets.detection.page import Page

VALUE = r"[\"']?([^\s\"'`<>|\x1a]{4,200})"
QUOTED = r"[\"']([^\"'\n\x1a]{3,200})[\"']"
REST = r"[^\n|;&]{0,160}?[ \t]"
READERS = r"sudo[ \t]+-S|docker login|gh auth|podman login|helm registry login|passwd"

IN_STATEMENT = (
    r"(?i:password)\s+'([^'\n\x1a]{3,200})'"
    r"(?=\s*(?:[;,)\"]|$|valid|nosuper|superuser|create|login|in role))"
)

# A literal, and a pattern from it on whose last group is the password.
PLACES = (
    ("machine ", r"machine\s+\S{1,100}\s+login\s+\S{1,100}\s+password\s+" + VALUE),
    ("default login", r"default login\s+\S{1,100}\s+password\s+" + VALUE),
    (":5432:", r":5432:[\w*-]{1,64}:[\w*-]{1,64}:([^\s:\x1a]{4,100})"),
    ('"auth"', r'"auth"\s{0,4}:\s{0,4}"([A-Za-z0-9+/]{12,400}={0,2})"'),
    (
        "curl",
        rf"curl\b{REST}(?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"'/]{{1,64}}:" + VALUE,
    ),
    ("http -a ", r"http -a [^\s:]{1,64}:" + VALUE),
    ("sshpass", r"sshpass[ \t]+-p[ \t]*" + VALUE),
    ("mysql", rf"mysql(?:dump|admin|import|sh)?\b{REST}-p" + VALUE),
    ("mariadb", rf"mariadb(?:-dump)?\b{REST}-p" + VALUE),
    ("mongo", rf"mongo(?:sh|dump|restore|export|import)?\b{REST}-p[ \t]+" + VALUE),
    ("redis-cli", rf"redis-cli\b{REST}-a[ \t]+" + VALUE),
    ("zip", rf"zip\b{REST}-P[ \t]*" + VALUE),
    ("7z", rf"7z[az]?\b{REST}-p" + VALUE),
    ("login", rf"login\b{REST}-p[ \t]+" + VALUE),
    ("sqlcmd", rf"sqlcmd\b{REST}-P[ \t]*" + VALUE),
    ("ldap", rf"ldap(?:search|modify|add|delete|whoami)\b{REST}-w[ \t]+" + VALUE),
    ("smbclient", rf"smbclient\b{REST}-U[ \t]*[\w\\.-]{{1,64}}%" + VALUE),
    ("-pass", r"-pass(?:in|out)?[ =:]{1,2}[\"']?pass:" + VALUE),
    ("htpasswd", r"htpasswd[ \t]+-\w{0,9}b\w{0,9}[ \t]+\S{1,100}[ \t]+\S{1,64}[ \t]+" + VALUE),
    ("rabbitmqctl", r"rabbitmqctl[ \t]+(?:add_user|change_password)[ \t]+\S{1,64}[ \t]+" + VALUE),
    ("net user ", r"net user \S{1,64} " + VALUE + r"(?=[ \t]+/|\s*$)"),
    ("echo ", rf"echo[ \t]+(?:-n[ \t]+)?{VALUE}[\"']?[ \t]*\|[ \t]*(?:{READERS})"),
    (
        "echo ",
        rf"echo[ \t]+[\"']?\w{{1,32}}:{VALUE}[\"']?[ \t]*\|[ \t]*(?:sudo[ \t]+)?chpasswd",
    ),
    (
        "identified ",
        r"(?i:identified\s+(?:with\s+[\w'\"]{1,40}\s+)?(?:by|as)(?:\s+password)?)\s+" + QUOTED,
    ),
    (
        "password '",
        IN_STATEMENT,
    ),
    ("requirepass", r"(?i:requirepass)[ \t]+" + VALUE),
    ("masterauth", r"(?i:masterauth)[ \t]+" + VALUE),
    ("securestring", r"(?i:securestring)[ \t]+(?:-\w+[ \t]+)?" + QUOTED),
    ("psk=", r"(?i:psk)=" + VALUE),
    ("wpa-psk ", r"(?i:wpa-psk)[ \t]+" + VALUE),
    ("wifi:", r"(?i:wifi):[^\n]{0,80}?;P:([^;\n\x1a]{4,63});"),
)
# A Go data source: the password stands before the literal.
SOURCES = ("@tcp(", "@unix(")
BEFORE_SOURCE = r"[\w.-]{1,64}:([^\s:@\"'\x1a]{3,100})$"
REACH = 170


def find(page: Page) -> Iterator[Found]:
    """Give every password of a command, a statement or a credential file."""
    for literal, onwards in PLACES:
        for at in places(page.lower, literal):
            match = compiled(onwards).match(page.text, at)
            if match:
                kind = "docker-auth" if literal == '"auth"' else "password"
                yield from _judged(page, *match.span(match.lastindex or 0), kind)
    for literal in SOURCES:
        for at in places(page.lower, literal):
            begin = max(0, at - REACH)
            head = compiled(BEFORE_SOURCE).search(page.text[begin:at])
            if head:
                yield from _judged(page, begin + head.start(1), begin + head.end(1), "database-url")


def _judged(page: Page, start: int, end: int, kind: str) -> Iterator[Found]:
    value = page.text[start:end].rstrip(",;")
    if not _is_refused(value):
        yield Found(start, start + len(value), kind)


def _is_refused(value: str) -> bool:
    """Tell ports, user numbers, options and placeholders from passwords."""
    return (
        values.is_placeholder(value)
        or values.is_reference(value)
        or values.is_stop_word(value)
        or value.startswith("-")
        or compiled(r"\d{1,5}(?::\d{1,5})?(?:/\w+)?$").match(value) is not None
    )
