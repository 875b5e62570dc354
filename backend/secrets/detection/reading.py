# Generated from plugin/mcp/claude_memory/redaction/reading.py by tools/copy_detector.py: change that, not this.
"""Where a value begins and ends after the words that announce it."""

from __future__ import annotations

from collections import namedtuple

from backend.secrets.detection.page import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

if TYPE_CHECKING:

    class Value(NamedTuple):
        """A value without its quotes: where it stands, and whether it was quoted."""

        start: int
        end: int
        text: str
        is_quoted: bool

else:
    Value = namedtuple("Value", "start end text is_quoted")

LIMIT = 400  # characters of a quoted value
QUOTES = (
    (r'\\"', r"[^\"\\\n\x1a]", r'\\"'),
    ('"""', r"[^\"\n\x1a]", '"""'),
    ('"', r"(?:[^\"\\\n\x1a]|\\[^\n\x1a])", '"'),
    ("''", r"[^'\n\x1a]", "''"),
    ("'", r"(?:[^'\\\n\x1a]|\\[^\n\x1a])", "'"),
    ("```\\n?", r"[^`\n\x1a]", "\\n?```"),
    ("``", r"[^`\n\x1a]", "``"),
    ("`", r"[^`\n\x1a]", "`"),
    ("“", r"[^”\n\x1a]", "”"),
    ("„", r"[^“”\n\x1a]", "[“”]"),
    ("«[ \u00a0]?", r"[^»\n\x1a]", "[ \u00a0]?»"),
    ("‘", r"[^’\n\x1a]", "’"),
    ("「", r"[^」\n\x1a]", "」"),
    ("『", r"[^』\n\x1a]", "』"),
    (r"\*\*`", r"[^`\n\x1a]", r"`\*\*"),
    ("&quot;", r"[^&\n\x1a]", "&quot;"),
)
# A bare value ends at white space, quotes, brackets of mark-up and any CJK sign.
BARE = (
    r"(?:[^\s\x1a\"'`<>“”„«»「」『』‘’，。；、！？（）【】\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
    r"|(?<=\w)['’](?=\w{2,})){1,200}"
)
NEXT_FIELD = r"[;,&][ \t]{0,2}[A-Za-z_][\w .%-]{0,30}[=:]"


QUOTED = r"(?:[a-zA-Z@$]{0,2}(?=[\"']))?(?:" + "|".join(
    f"{left}({inside}{{1,{LIMIT}}}?){right}" for left, inside, right in QUOTES
) + ")"  # fmt: skip


def read(text: str, at: int) -> Value | None:
    """Return the value that begins here, or none."""
    quoted = compiled(QUOTED).match(text, at)
    if quoted:
        start, end = quoted.span(quoted.lastindex or 0)
        return Value(start, end, text[start:end], is_quoted=True)
    bare = compiled(BARE).match(text, at)
    return _trimmed(bare.group(), at) if bare else None


def _trimmed(value: str, at: int) -> Value | None:
    """Leave emphasis, the next field and the punctuation of the sentence outside."""
    lead = len(value) - len(value.lstrip("*_")) if value[0] in "*_" and value[-1] in "*_.," else 0
    body = value[lead:]
    body = compiled(NEXT_FIELD).split(body, maxsplit=1)[0]
    before = ""
    while body != before:
        before = body
        body = body.rstrip(".,;:?|\\" + ("*_" if lead else ""))
        for left, right in ("()", "[]", "{}"):
            if body.endswith(right) and left not in body:
                body = body[:-1]
    if body.endswith("!") and body[:-1].isalpha():
        body = body[:-1]
    return Value(at + lead, at + lead + len(body), body, is_quoted=False) if body else None
