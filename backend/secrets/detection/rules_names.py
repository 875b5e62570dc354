# Generated from plugin/mcp/claude_memory/redaction/rules_names.py by tools/copy_detector.py: change that, not this.
"""Words that announce a secret, in code and in speech, and the kind each one makes of it."""

from __future__ import annotations

from collections import namedtuple

from backend.secrets.detection.page import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    from backend.secrets.detection.page import Page

if TYPE_CHECKING:

    class Noun(NamedTuple):
        """A word that announces a secret; an apart one counts only as a whole word of a name."""

        word: str
        kind: str
        is_apart: bool

    class Name(NamedTuple):
        """A noun where it stands, and the identifier it ends: `--db-password`, `API_KEY`."""

        noun: Noun
        start: int
        at: int
        end: int
        identifier: str

else:
    Noun = namedtuple("Noun", "word kind is_apart")
    Name = namedtuple("Name", "noun start at end identifier")

PASSWORD = "password"  # noqa: S105  (the name of a kind)
PIN = "pin"
PASSWORDS = (
    "passphrase", "pass phrase", "passwort", "passcode", "password", "passwd", "kennwort",
    "mot de passe", "motdepasse", "phrase secrète", "contraseña", "contrasenya", "contrasena",
    "palavra-passe",
    "palavra passe", "parola d'ordine", "parola d’ordine", "wachtwoord", "wachtwoordzin",
    "adgangskode", "lösenord",
    "passord", "salasana", "hasło", "heslo", "jelszó", "пароль", "пароля", "密码", "密碼", "口令",
    "パスワード", "パスフレーズ", "비밀번호", "şifre", "كلمة المرور", "पासवर्ड", "mật khẩu",
    "storepass", "keypass",
)  # fmt: skip
PASSWORDS_APART = ("pass", "pwd", "pw", "psk", "mdp", "senha", "clave", "parola", "pswd", "passw")
PINS = (
    "pin code", "pincode", "pin-code", "door code", "alarm code", "gate code", "entry code",
    "unlock code", "access code", "zugangscode", "türcode", "code pin", "暗証番号", "暗証コード",
)  # fmt: skip
PINS_APART = ("pin", "pins")
KEYS = (
    ("client secret", "oauth-client-secret"), ("consumer secret", "oauth-client-secret"),
    ("app secret", "oauth-client-secret"), ("shared secret", "secret"),
    ("webhook secret", "webhook-secret"), ("signing secret", "webhook-secret"),
    ("secret access key", "aws-secret-key"), ("secret key base", "encryption-key"),
    ("secret key", "secret-key"), ("shared access key", "access-key"), ("access key", "access-key"),
    ("account key", "access-key"), ("storage key", "access-key"), ("private key", "private-key"),
    ("preshared key", "private-key"), ("encryption key", "encryption-key"),
    ("signing key", "encryption-key"), ("master key", "encryption-key"),
    ("fernet key", "encryption-key"), ("cookie secret", "encryption-key"),
    ("jwt secret", "encryption-key"), ("session secret", "encryption-key"),
    ("api key", "api-key"), ("api token", "api-token"), ("api secret", "api-secret"),
    ("app key", "api-key"), ("application key", "api-key"), ("auth key", "api-key"),
    ("service key", "api-key"), ("license key", "license-key"), ("licence key", "license-key"),
    ("ingest key", "api-key"), ("admin key", "api-key"), ("deploy key", "api-key"),
    ("host key", "api-key"), ("function key", "api-key"), ("integration key", "api-key"),
    ("routing key", "api-key"),
    ("write key", "api-key"), ("server key", "api-key"), ("subscription key", "api-key"),
    ("access token", "access-token"), ("auth token", "access-token"),
    ("refresh token", "refresh-token"), ("bot token", "bot-token"),
    ("bearer token", "bearer-token"),
    ("personal access token", "access-token"), ("session token", "access-token"),
    ("api schlüssel", "api-key"), ("zugriffsschlüssel", "access-key"),
    ("geheimer schlüssel", "secret-key"),
    ("clé api", "api-key"), ("clé d'api", "api-key"), ("clé d’api", "api-key"),
    ("clé secrète", "secret-key"),
    ("clave api", "api-key"), ("clave de api", "api-key"), ("clave secreta", "secret-key"),
    ("clave de la api", "api-key"), ("chave de api", "api-key"), ("chave da api", "api-key"),
    ("chave api", "api-key"),
    ("chave secreta", "secret-key"), ("chiave api", "api-key"), ("chiave segreta", "secret-key"),
    ("jeton", "token"), ("api 密钥", "api-key"), ("密钥", "secret-key"), ("令牌", "token"),
    ("apiキー", "api-key"), ("アクセスキー", "access-key"), ("シークレット", "secret"),
    ("トークン", "token"), ("secret", "secret"), ("token", "token"), ("credential", "secret"),
)  # fmt: skip
KEYS_APART = (("auth", "secret"),)
VENDORS = (
    "aws", "azure", "twilio", "heroku", "datadog", "cloudflare", "algolia", "mailgun", "aliyun",
    "alibaba", "okta", "auth0", "fastly", "snyk", "segment", "mixpanel", "paypal", "coinbase",
    "binance", "kraken", "trello", "zendesk", "asana", "confluent", "pagerduty", "rollbar",
    "bugsnag", "launchdarkly", "codecov", "spotify", "twitter", "linkedin", "dropbox", "jira",
    "atlassian", "confluence", "bitbucket", "new_relic", "new relic", "newrelic", "openai",
    "mistral", "cohere", "deepseek", "anthropic", "gemini", "digitalocean", "hetzner", "linode",
    "vultr", "ovh", "scaleway", "tencent", "sentry", "grafana", "vercel", "netlify", "supabase",
    "firebase", "wireguard", "discord", "telegram", "slack", "stripe", "shopify", "sendgrid",
    "postmark", "intercom", "hubspot", "salesforce", "airtable", "notion", "linear", "figma",
    "github", "gitlab", "dockerhub", "docker", "npm", "pypi", "vault", "consul", "nomad",
    "terraform", "databricks", "elastic", "pusher", "ably", "mapbox", "plaid", "square",
    "braintree", "razorpay", "honeycomb", "logdna", "loggly", "sonar", "travis", "circleci",
    "buildkite", "jenkins", "teamcity", "artifactory", "facebook", "google", "yandex", "steam",
    "twitch", "zoom", "webex", "deepl", "pinecone", "weaviate", "etherscan", "infura", "alchemy",
)  # fmt: skip
VENDOR_SHORT = (
    ("dd_api", "datadog"),
    ("dd_app", "datadog"),
    ("cf_api", "cloudflare"),
    ("do_api", "digitalocean"),
)
# Tokens and secrets of another sense.
OTHER_SENSES = (
    "page", "next", "previous", "continuation", "continue", "csrf", "xsrf", "pagination",
    "paging", "sync", "idempotency", "design", "cancellation", "cancel", "resume", "start", "end",
    "cursor", "stop", "eos", "bos", "pad", "unk", "mask", "cls", "sep", "special", "max", "min",
    "num",
    "total", "prompt", "completion", "input", "output", "existing", "pull", "tls", "fencing",
    "lock", "lease", "forward", "backward", "starting", "publickey", "public_key", "jsx", "syntax",
    "lexer", "parser", "color", "colour", "public", "keyword",
    "string", "operator", "punctuator", "current", "change", "concurrency", "version", "boarding",
    "by_pass", "bypass", "by", "first", "second", "render", "multi", "two", "single",
    "cache", "request_id", "position", "timestamp",
)  # fmt: skip


def _nouns() -> Iterator[Noun]:
    yield from (Noun(word, PASSWORD, is_apart=False) for word in PASSWORDS)
    yield from (Noun(word, PIN, is_apart=False) for word in PINS)
    for phrase, kind in KEYS:
        for joiner in (" ", "_", "-", "") if " " in phrase and phrase.isascii() else (" ",):
            yield Noun(phrase.replace(" ", joiner), kind, is_apart=False)
    yield Noun("api-schlüssel", "api-key", is_apart=False)
    yield from (Noun(word, PASSWORD, is_apart=True) for word in PASSWORDS_APART)
    yield from (Noun(word, PIN, is_apart=True) for word in PINS_APART)
    yield from (Noun(word, kind, is_apart=True) for word, kind in KEYS_APART)


def _gates() -> dict[str, tuple[Noun, ...]]:
    """Group nouns by a word that all of a group hold: a text without it costs one search."""
    gates: dict[str, tuple[Noun, ...]] = {}
    for noun in _nouns():
        gate = next((gate for gate in GATES if gate in noun.word), noun.word)
        gates[gate] = (*gates.get(gate, ()), noun)
    return gates


GATES = ("pass", "secret", "token", "key", "code")
NOUNS = _gates()
REACH = 60  # characters of an identifier before its last word


def names(page: Page) -> Iterator[Name]:
    """Give every place where a noun ends an identifier or stands as a word, longest nouns first."""
    for gate, nouns in NOUNS.items():
        if gate not in page.lower:
            continue
        for noun in nouns:
            for at in places(page.lower, noun.word):
                name = _name(page, noun, at)
                if name is not None:
                    yield name


def _name(page: Page, noun: Noun, at: int) -> Name | None:
    end = at + len(noun.word)
    if _is_letter(page.text[end : end + 1]) and not _ends_with_s(page.text, end):
        return None
    if noun.is_apart and at and _is_letter(page.text[at - 1]) and not page.text[at].isupper():
        return None
    if noun.is_apart and page.text[at - 1 : at].isupper():
        return None
    start = at
    while start and at - start < REACH and (page.text[start - 1] in "_-." or _is_word(page, start)):
        start -= 1
    identifier = page.text[start:end]
    run = page.lower[max(0, start - 80) : start].rpartition(" ")[2]
    if "arn:" in run or "aws::" in run:
        return None
    tail = page.text[max(0, start - 16) : at].rstrip("_- .")
    if any(_ends_with(tail, sense) for sense in OTHER_SENSES):
        return None
    return Name(noun, start, at, end, identifier)


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _is_word(page: Page, start: int) -> bool:
    return _is_letter(page.text[start - 1])


def _ends_with_s(text: str, end: int) -> bool:
    return text[end] in "sS" and not _is_letter(text[end + 1 : end + 2])


def _ends_with(before: str, sense: str) -> bool:
    """Tell `nextPage` and `next_page` from `homepage`: the sense is a word of its own."""
    if not before.lower().endswith(sense):
        return False
    at = len(before) - len(sense)
    return at == 0 or before[at].isupper() or not before[at - 1].isalpha()


def kind_of(page: Page, name: Name) -> str:
    """Name the kind: by the vendor just before the noun, else by the noun alone."""
    if name.noun.kind in {PASSWORD, PIN}:
        return name.noun.kind
    before = page.lower[max(0, name.at - 40) : name.end].rpartition("\n")[2]
    for short, vendor in VENDOR_SHORT:
        if short in before:
            return f"{vendor}-key"
    vendors = [(before.rfind(vendor), vendor) for vendor in VENDORS if vendor in before]
    if not vendors:
        return name.noun.kind
    vendor = max(vendors)[1].replace("_", "-").replace(" ", "-").replace("newrelic", "new-relic")
    if vendor == "aws" and ("secret" in before or "access" in before) and "session" not in before:
        return "aws-secret-key"
    return f"{vendor}-{'token' if 'token' in name.noun.word else 'key'}"
