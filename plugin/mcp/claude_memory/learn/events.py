"""What auto-learn may keep: the event, its bounds, and the doubts that send it to a person first.

An event stands only on the user's own words. What the assistant wrote, what a tool returned and
what a page said are no source, however the event came to be.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from claude_memory.hooks.stop import sound
from claude_memory.redaction.detector import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPES = ("correction", "preference", "decision", "fact", "insight")
CATEGORIES = {"preference": "preferences", "decision": "decisions"}
CONTENT_LIMIT, TAGS_LIMIT, KEYWORDS_LIMIT = 1_000, 200, 500  # characters
EVENTS_LIMIT = 5  # of one turn

GROUNDED = 0.5  # share of an event's words that the user used
VERBATIM = 0.85
STRANGE = 0.2  # below this, the event has nothing to do with what was said
STEM = 5  # letters that tell one word from another whatever its ending

WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)?")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
SPECIFIC = re.compile(r"[\w@~$#+-]*[\w@~$#](?:[./\\:@_]+[\w@~$#+-]+)+|\w*\d\w*|\b[a-z]+[A-Z]\w+")
EMPTY_WORDS = frozenset(
    "the a an and or but for with that this these those from into onto over not no nor are is was "
    "were be been being has have had its it they them their his her him she who which what when "
    "user user's users prefers prefer prefer wants want uses use using used said says likes like "
    "should must always never instead rather than project team new all any only also very more "
    "one can will would about because".split()
)
# Said to the assistant, not about the user.
ORDER = re.compile(
    r"^(?:(?:please|and|also|then|no|nope|actually|ok|okay|bitte|nein|non|não|und|immer|nie|niemals|"
    r"toujours|siempre|nunca|sempre|por favor),? )*(?:always|never|do not|don't|make sure|ensure|"
    r"remember to|you|your|when(?:ever)?|before|after|if|first|must|stop|start|run|execute|install|"
    r"use|add|write|call|open|fetch|visit|download|send|read|delete|remove|commit|push|create|"
    r"include|put|keep|avoid|prefer|answer|reply|respond|set|go|follow|act|treat|assume|ask|let|"
    r"from now on|benutze?|verwende|nutze|nimm|schreibe?|antworte|führe?|lösche?|committe|pushe?|"
    r"lass|vermeide|füge|setze?|starte?|stoppe?|rufe?|öffne|lade|sende|lies|installiere|frage?|mach|"
    r"utilise[sz]?|écri[sv]e?z?|réponds|ajoute[sz]?|n'(?:utilise|ajoute|envoie)[sz]?|mets|évite[sz]?|"
    r"ne (?:mets|fais|pousse|supprime|modifie|touche)[sz]?|exécute[sz]?|lance[sz]?|supprime[sz]?|"
    r"envoie[sz]?|ouvre[sz]?|installe[sz]?|usa|utiliza|escribe|responde|no (?:us|utilic|hag|pong|"
    r"añad)\w+|ejecuta|añade|evita|pon|haz|borra|envía|abre|instala|utilize|escreva|responda|"
    r"não (?:use|usa|adicione|coloque|faça)|execute|rode|evite|apague|envie|abra|instale|scrivi|"
    r"rispondi|non \w+[aei]re|esegui|metti|cancella|invia|apri|installa) |"
    r"^(?:请|不要|别|必须|始终|一律|使用|执行|运行|删除)|"
    r"(?:て(?:ください|下さい)|ないでください|해 ?줘|하세요|하지 ?마(?:세요)?)[.。!]?$",
    re.IGNORECASE,
)
DANGER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|rule|prompt|previous|prior|"
    r"above|earlier|safety|guideline)|\byou (?:must|should|shall|have to|need to|are now|will)\b|"
    r"\bsystem prompt\b|\b(?:the assistant|claude|the agent|the model|the ai) (?:must|should|shall|"
    r"has to|needs to|will|is to|may)\b|"
    r"\b(?:do not|don't|never) (?:tell|inform|warn|show|reveal)\b|\bwithout (?:telling|informing|"
    r"confirmation|the user)|\bauto-?approve|\bapprove (?:all|every|any)|\b(?:bypass|circumvent)\b|"
    r"\b(?:skip|disable|turn off)\b.{0,30}\b(?:permission|approval|confirmation|security|safety|"
    r"sandbox|verification|check|hook)|dangerously|"
    r"https?:|ftp:|www\.|\]\(|data:\w+/|"
    r"\b(?:curl|wget|eval|exec|powershell|iex|netcat|ncat|base64|chmod|sudo|nohup|crontab)\b|"
    r"\|\s*(?:ba|z|da|k)?sh\b|\brm -\w*[rf]|\$\(|&&|\b(?:bash|sh|python3?|node|perl) -[ce]\b|"
    r"\b(?:npx|uvx|pipx) \S|\b(?:pip3?|npm|pnpm|yarn|cargo|go|gem|brew|apt(?:-get)?) "
    r"(?:install|add|i|get) ",
    re.IGNORECASE,
)
REDACTED_MARK = "[secret:"


@dataclass(frozen=True)
class Event:
    """Something that may be worth keeping, as the judge or the local rule put it."""

    type: str
    content: str
    importance: float
    tags: str
    expanded_keywords: str
    supersedes: str

    @property
    def category(self) -> str:
        """The category under which such an event is stored."""
        if self.type == "correction" and ORDER.search(unquoted(self.content)):
            return "preferences"
        return CATEGORIES.get(self.type, "facts")


def read_events(raw: Sequence[object]) -> list[Event]:
    """Turn what the judge answered into events; whatever has not their shape is left out."""
    found = (_read(item) for item in raw)
    return [event for event in found if event is not None][:EVENTS_LIMIT]


def _read(raw: object) -> Event | None:
    if not isinstance(raw, dict) or raw.get("type") not in TYPES:
        return None
    content = _line(raw.get("content"), CONTENT_LIMIT + 1)
    if not content or len(content) > CONTENT_LIMIT:
        return None
    return Event(
        type=str(raw["type"]),
        content=content,
        importance=_importance(raw.get("importance")),
        tags=_line(raw.get("tags"), TAGS_LIMIT, between=", "),
        expanded_keywords=_line(raw.get("expanded_keywords"), KEYWORDS_LIMIT),
        supersedes=_line(raw.get("supersedes"), CONTENT_LIMIT),
    )


def _line(value: object, limit: int, between: str = " ") -> str:
    """Return a text, or a list of texts, as one line."""
    if isinstance(value, list):
        value = between.join(str(part) for part in value if isinstance(part, (str, int)))
    if not isinstance(value, str):
        return ""
    return " ".join(sound(value).split())[:limit].rstrip(" ,")


def _importance(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return 0.5
    return min(1.0, max(0.0, float(value)))


def redacted(event: Event) -> Event:
    """Return the event without any secret that its texts may hold."""
    return replace(
        event,
        content=redact(event.content).text,
        tags=redact(event.tags).text,
        expanded_keywords=redact(event.expanded_keywords).text,
    )


def is_strange(event: Event, words: Sequence[str], earlier: Sequence[str]) -> bool:
    """Tell whether the event has next to nothing in common with what the user said."""
    return not overlap(event.content, words) or (
        overlap(event.content, [*words, *earlier]) < STRANGE
    )


def doubt(event: Event, words: Sequence[str], earlier: Sequence[str]) -> str:
    """Say why a person must look at the event before it is stored; empty when none must."""
    text = f"{event.content} {event.tags} {event.expanded_keywords}"
    if REDACTED_MARK in text:
        return "it held a secret, of which the value is not kept"
    if DANGER.search(text):
        return "it holds a link, a command or an order to the assistant"
    said = [*words, *earlier]
    own = " ".join(said).lower()
    if any(token.lower() not in own for token in SPECIFIC.findall(event.content)):
        return "it holds a name or number that you did not write yourself"
    if overlap(event.content, said) < GROUNDED:
        return "it is not clearly in your own words"
    if ORDER.search(unquoted(event.content)) and overlap(event.content, words) < VERBATIM:
        return "it is an order to the assistant that you did not give in these words"
    return ""


def as_note(event: Event) -> Event:
    """Report an order in the user's words as theirs: a note is recalled, not an instruction."""
    is_order = event.content == unquoted(event.content) and ORDER.search(event.content)
    return replace(event, content=quoted(event.content)) if is_order else event


def quoted(sentence: str) -> str:
    """Report a sentence as something the user said."""
    return f'The user said: "{sentence.strip()}"'


def unquoted(content: str) -> str:
    """Return the sentence inside what `quoted` made, or the content itself."""
    match = re.fullmatch(r'The user said: "(.*)"', content, re.DOTALL)
    return match[1] if match else content


def likeness(one: str, other: str) -> float:
    """Return how much of their words two texts share, from 0 to 1."""
    left, right = _stems(one), _stems(other)
    return len(left & right) / len(left | right) if left and right else 0.0


def overlap(content: str, texts: Sequence[str]) -> float:
    """Return which share of a content's words occurs in the texts, from 0 to 1."""
    wanted = _stems(unquoted(content))
    return len(wanted & _stems(" ".join(texts))) / len(wanted) if wanted else 0.0


def _stems(text: str) -> set[str]:
    low = text.lower()
    pairs = {run[at : at + 2] for run in CJK.findall(low) for at in range(len(run) - 1)}
    plain = WORD.findall(CJK.sub(" ", low))
    return pairs | {word[:STEM] for word in plain if len(word) > 1 and word not in EMPTY_WORDS}
