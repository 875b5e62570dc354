# Generated from plugin/mcp/claude_memory/redaction/rules_shapes.py by tools/copy_detector.py: change that, not this.
"""Tokens of several parts, known by a literal in their middle or by what stands around it."""

from __future__ import annotations

from collections import namedtuple

from backend.secrets.detection import values
from backend.secrets.detection.page import Found, compiled, places, starts_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    from backend.secrets.detection.page import Page

if TYPE_CHECKING:

    class Shape(NamedTuple):
        """A literal, what stands right before it (`reach` characters at most) and from it on."""

        kind: str
        literal: str
        before: str
        reach: int
        onwards: str

else:
    Shape = namedtuple("Shape", "kind literal before reach onwards")

# A part of a JWT may be cut by line ends; what follows the last part counts only if it is no word.
GAP = r"[ \t]{0,40}\\?\r?\n[ \t]{0,40}"
PART = rf"[A-Za-z0-9_-]{{4,8000}}(?:{GAP}[A-Za-z0-9_-]{{1,2000}}){{0,40}}(?:{GAP})?\.(?:{GAP})?"
LAST = rf"[\w-]{{8,8000}}(?:{GAP}(?=[a-z]{{0,30}}[A-Z0-9])[\w-]{{16,2000}}){{0,8}}(?![\w-])"

SHAPES = (
    Shape("jwt", "eyJ", "", 0, rf"eyJ{PART}{PART}{LAST}(?:\.[\w-]{{8,4000}}){{0,2}}"),
    Shape("sendgrid-key", "SG.", "", 0, r"SG\.[\w-]{16,32}\.[\w-]{32,64}(?![\w-])"),
    Shape("discord-token", ".", r"[MNO][\w-]{23,27}", 28, r"\.[\w-]{6}\.[\w-]{27,40}(?![\w-])"),
    Shape("telegram-bot-token", ":AA", r"\d{8,10}", 10, r":AA[\w-]{33}(?![\w-])"),
    Shape("airtable-token", "pat", "", 0, r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b"),
    Shape("terraform-token", ".atlasv1.", r"[A-Za-z0-9]{14}", 14, r"\.atlasv1\.[\w-]{50,80}"),
    Shape("azure-client-secret", "Q~", r"[\w.~-]{3}\d", 4, r"Q~[\w.~-]{31,34}(?![\w~-])"),
    Shape("azure-devops-token", "AZDO", r"[A-Za-z0-9]{76}", 76,
          r"AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])"),
    Shape("azure-storage-key", "==", r"[A-Za-z0-9+/]{64}\+ASt[A-Za-z0-9+/]{18}", 86, r"==(?!=)"),
    Shape("mailchimp-key", "-us", r"[0-9a-f]{32}", 32, r"-us\d{1,2}\b"),
    Shape("new-relic-key", "NRAL", r"[0-9a-f]{36}", 36, r"NRAL(?![A-Za-z0-9])"),
    Shape("braintree-token", "access_token$", "", 0,
          r"access_token\$production\$\w{16}\$[0-9a-f]{32}"),
    Shape("onepassword-secret-key", "A3-", "", 0,
          r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    Shape("fly-token", "FlyV1 ", "", 0, r"FlyV1 fm\d?r?_[A-Za-z0-9+/=_,-]{40,2000}"),
    Shape("slack-webhook", "hooks.slack.com/", "", 0,
          r"hooks\.slack\.com/((?:services|triggers|workflows)/[A-Za-z0-9]{8,14}/"
          r"[A-Za-z0-9]{8,24}/[A-Za-z0-9/]{16,80})"),
    Shape("discord-webhook", "/api/webhooks/", r"discord(?:app)?\.com", 14,
          r"/api/webhooks/(\d{17,20}/[\w-]{50,90})"),
    Shape("teams-webhook", ".webhook.office.com/", "", 0,
          r"\.webhook\.office\.com/(webhookb2/[\w@-]{60,90}/IncomingWebhook/"
          r"[0-9a-f]{32}/[\w-]{20,60})"),
    Shape("chat-webhook", "chat.googleapis.com/", "", 0,
          r"chat\.googleapis\.com/v1/spaces/[\w-]{6,20}/messages\?"
          r"(key=[\w-]{20,60}&token=[\w%-]{20,90})"),
    Shape("zapier-webhook", "hooks.zapier.com/", "", 0,
          r"hooks\.zapier\.com/(hooks/catch/\d{4,10}/\w{5,12})"),
    Shape("signed-url", "sig=", r"[?&]|%26|amp;", 4, r"sig=([A-Za-z0-9%+/=]{40,120})"),
    Shape("signed-url", "X-Amz-Signature=", "", 0, r"X-Amz-Signature=([0-9a-f]{64})"),
    Shape("signed-url", "X-Goog-Signature=", "", 0, r"X-Goog-Signature=([0-9a-f]{128,1024})"),
    Shape("aws-session-token", "X-Amz-Security-Token=", "", 0,
          r"X-Amz-Security-Token=([\w%+/=-]{60,2000})"),
    Shape("aws-session-token", "IQoJb3JpZ2lu", "", 0, r"IQoJb3JpZ2lu[A-Za-z0-9+/=]{80,4000}"),
)  # fmt: skip


def find(page: Page) -> Iterator[Found]:
    """Give every token of the table."""
    for shape in SHAPES:
        done = 0
        for at in places(page.text, shape.literal):
            if at < done:
                continue
            found = _read(page.text, at, shape)
            if found is not None:
                done = found.end
                yield found
            elif shape.kind == "jwt":
                done = _word_end(page.text, at)


def _word_end(text: str, at: int) -> int:
    """Skip the rest of what was no token, so that a row of prefixes is read once only."""
    return compiled(r"[A-Za-z0-9_-]*").match(text, at).end()  # type: ignore[union-attr]


def _read(text: str, at: int, shape: Shape) -> Found | None:
    match = compiled("(?a)" + shape.onwards).match(text, at)
    start = _start(text, at, shape) if match else None
    group = (match.lastindex or 0) if match else 0
    if match is None or start is None or not (group or starts_word(text, start)):
        return None
    start = match.start(group) if group else start
    body = text[start : match.end(group)]
    if values.is_placeholder(body) or values.is_sequence(body) or not values.is_random(body):
        return None
    return Found(start, match.end(group), shape.kind)


def _start(text: str, at: int, shape: Shape) -> int | None:
    """Return where the part before the literal begins, the longest that fits."""
    if not shape.before:
        return at
    begin = max(0, at - shape.reach)
    head = compiled(f"(?a)(?:{shape.before})$").search(text[begin:at])
    return begin + head.start() if head else None
