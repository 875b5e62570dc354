# Generated from plugin/mcp/claude_memory/redaction/rules_addresses.py by tools/copy_detector.py: change that, not this.
"""Passwords inside addresses, and credentials in authorization headers."""

from __future__ import annotations

from backend.secrets.detection import values
from backend.secrets.detection.page import Found, compiled, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.secrets.detection.page import Page

DATABASES = (
    "postgres", "postgresql", "mysql", "mariadb", "mongodb", "mongodb+srv", "redis", "rediss",
    "valkey", "amqp", "amqps", "mssql", "sqlserver", "oracle", "clickhouse", "cockroachdb", "neo4j",
    "bolt", "cassandra", "couchbase", "snowflake", "influxdb", "nats", "kafka", "ldap", "ldaps",
    "memcached", "elasticsearch", "db2", "firebird", "surrealdb",
)  # fmt: skip
# Defaults that stand in every compose file and manual.
DEFAULT_LOGINS = frozenset(
    ("postgres", "root", "admin", "guest", "user", "test", "sa", "redis", "mysql", "minioadmin",
     "rabbitmq", "neo4j", "elastic", "app", "demo", "mongo", "dev", "docker", "default", "minio")
)  # fmt: skip

USER = r"([^\s/?#@:\"'<>`\x1a]{0,128})"
WEB = rf"://{USER}:([^\s/?#\"'<>`\x1a]{{3,256}})@(?=[\w\[${{%<-])"
DATABASE = rf"://{USER}:(?!\d{{2,5}}[/?])([^\s\"'<>`\x1a]{{3,256}})@(?=[\w\[${{%<,-])"


def find(page: Page) -> Iterator[Found]:
    """Give every secret of an address or a header."""
    yield from _url_passwords(page)
    yield from _headers(page)


def _url_passwords(page: Page) -> Iterator[Found]:
    done = 0
    for at in places(page.text, "://"):
        if at < done:
            continue
        scheme = compiled(r"[a-z0-9+.-]{0,24}$").search(page.lower[max(0, at - 24) : at])
        name = scheme.group().rpartition(":")[2] if scheme else ""
        is_database = name.split("+")[0] in DATABASES or name in DATABASES
        match = compiled(DATABASE if is_database else WEB).match(page.text, at)
        if match is None:
            continue
        done = match.end(2)
        if _is_url_password(match.group(1), match.group(2)):
            kind = "database-url" if is_database else "url-password"
            yield Found(match.start(2), match.end(2), kind)


def _is_url_password(user: str, password: str) -> bool:
    if user.lower() == password.lower() and password.lower() in DEFAULT_LOGINS:
        return False
    if values.is_placeholder(password) or compiled(r"[<{\[]|%[sdv(]|\*|\$[{(]").match(password):
        return False
    return not values.is_reference(password) or values.is_strong(password)


HEADER = (
    r"authorization[\"'`\])]{0,3}\s{0,3}(?:[:=,]|=>)\s{0,3}\\?[\"'`]?[a-z]{0,2}[\"'`]?"
    r"(bearer|basic|token|apikey|api-key|negotiate|splunk|geniekey|key)[ =:]{1,3}"
    r"(?:[a-z_]{2,10}=[\"'])?"
)
CREDENTIAL = r"[A-Za-z0-9_.~+/=:-]{8,4096}"


def _headers(page: Page) -> Iterator[Found]:
    for at in places(page.lower, "authorization"):
        head = compiled(HEADER).match(page.lower, at)
        if head:
            kind = "basic-auth" if head.group(1) == "basic" else "bearer-token"
            yield from _credential(page, head.end(), kind, 8)
    for at in places(page.lower, "bearer"):
        gap = compiled(r"(?:[ \t]+token)?[ \t]*[:=]?[ \t]*[\"'`]?").match(page.lower, at + 6)
        if gap and gap.end() > at + 6:
            yield from _credential(page, gap.end(), "bearer-token", 16)


def _credential(page: Page, at: int, kind: str, shortest: int) -> Iterator[Found]:
    match = compiled(CREDENTIAL).match(page.text, at)
    if match is None:
        return
    value = match.group().rstrip(".:")
    is_basic = kind == "basic-auth"
    if len(value) < shortest or values.is_placeholder(value) or values.is_reference(value):
        return
    if values.is_sequence(value) or not (
        values.is_random(value) if is_basic else values.is_key(value)
    ):
        return
    yield Found(at, at + len(value), kind)
