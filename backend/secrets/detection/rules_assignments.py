# Generated from plugin/mcp/claude_memory/redaction/rules_assignments.py by tools/copy_detector.py: change that, not this.
"""Secrets given to a name: assignments, settings files, mark-up, flags, tables, arguments."""

from __future__ import annotations

from backend.secrets.detection import judgement, reading
from backend.secrets.detection.page import Found, compiled
from backend.secrets.detection.rules_names import PASSWORD, PIN, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.secrets.detection.page import Page
    from backend.secrets.detection.reading import Value
    from backend.secrets.detection.rules_names import Name

SUFFIX = (
    r"s?(?:[_-](?:prod|production|dev|stage|staging|test|live|old|new|value|base|hex|\d{1,2}))?"
    r"(?:\[\d{0,3}\])?"
)
CLOSE = r"(?:\\?[\"'`]|&quot;)?[\])]?\*{0,2}[ \t]{0,20}"
WRAPPER = (
    r"(?:(?:string::from|secretstr|secretstring|secret|some|bytes|str|buffer\.from|optional\.of|"
    r"new string)\((?=[a-z]?[\"']))?"
)
ASSIGN = (
    SUFFIX
    + CLOSE
    + r"(?:=>|:=|={1,3}|\?=|\|\|=|::?|：|＝|->|→|(?<=[ \t])\|(?=[ \t]))\*{0,2}[ \t]{0,20}"
    + WRAPPER
)
TYPED = (
    SUFFIX
    + r"[?!]?(?:[ \t]?:[ \t]?|[ \t])[&*]?[\w.<>\[\], |']{1,40}?[ \t]?=[ \t]?(?=[\"'`a-z]?[\"'`])"
)
CALL = r"\(\s{0,8}(?=[a-z@$]?[\"'`])"
ARGUMENT = r"\\?[\"'],\s{0,8}(?=[\"'`])"
PAIR = r"\\?[\"']?[ \t]{0,8},?\s{1,40}(?:-[ \t])?\\?[\"']?value\\?[\"']?\s{0,4}[:=]\s{0,4}"
ATTRIBUTE = r"[\"']\s{1,8}value\s?=\s?(?=[\"'])"
ELEMENT = r"[^<>\n]{0,40}>[ \t]*"
SPACED = SUFFIX + r"[ \t]{1,8}(?=\S)"
# A setting whose value stands alone on the next line.
BLOCK = SUFFIX + CLOSE + r"[:：]\*{0,2}[ \t]?(?:[|>][-+]?)?[ \t]*\r?\n(?:[ \t]*\r?\n)?[ \t]*"
WHOLE_LINE = r"[ \t]*(?:[-*+#>$]+[ \t]+|export[ \t]+|set[ \t]+|env[ \t]+)?\S{0,60}$"


def find(page: Page, name: Name) -> Iterator[Found]:
    """Give the secret that this name is given, if it is given one."""
    for value in _values(page, name):
        if value is None or value.text[:1] in {"=", "|"}:
            continue
        if _accepts(page, name, value):
            yield Found(value.start, value.end, kind_of(page, name))
            return


def _values(page: Page, name: Name) -> Iterator[Value | None]:
    """Give what each way of writing an assignment would make the value."""
    if name.noun.kind == PIN and name.start != name.at:
        return
    for pattern in (TYPED, ASSIGN, PAIR, ATTRIBUTE):
        match = compiled(pattern).match(page.lower, name.end)
        if match:
            yield reading.read(page.text, match.end())
    argument = compiled(ARGUMENT).match(page.lower, name.end)
    value = reading.read(page.text, argument.end()) if argument else None
    if value and judgement.is_argument(value.text):
        yield value
    yield from _values_in_place(page, name)


def _values_in_place(page: Page, name: Name) -> Iterator[Value | None]:
    """Give the value after a call, an element, a flag or a line end, where the name is such."""
    before = page.text[max(0, name.start - 5) : name.start]
    call = compiled(CALL).match(page.lower, name.end)
    if call and _is_setter(page.lower[name.start : name.at]):
        yield reading.read(page.text, call.end())
    element = compiled(ELEMENT).match(page.text, name.end) if before.endswith("<") else None
    value = reading.read(page.text, element.end()) if element else None
    if value and page.text.startswith("<", value.end):
        yield value
    spaced = compiled(SPACED).match(page.lower, name.end)
    if spaced and (name.identifier.startswith("-") or before in {"ENV ", "\nENV ", "setx "}):
        yield reading.read(page.text, spaced.end())
    block = compiled(BLOCK).match(page.lower, name.end)
    value = reading.read(page.text, block.end()) if block else None
    if value and _rest_of_line(page.text, value.end).strip("\"'`*.") == "":
        yield value


def _is_setter(prefix: str) -> bool:
    """Tell `setPassword("...")` and `.password("...")` from `getPassword("...")`."""
    last = prefix.rpartition(".")[2].strip("_-")
    return last == "" or last.startswith(("set", "with", "add", "use"))


def _accepts(page: Page, name: Name, value: Value) -> bool:
    if name.noun.kind == PASSWORD:
        return judgement.is_assigned_password(
            value.text, is_quoted=value.is_quoted, is_alone=_is_alone(page, name, value)
        )
    if name.noun.kind == PIN:
        return judgement.is_pin(value.text)
    return judgement.is_assigned_key(value.text, kind_of(page, name), is_quoted=value.is_quoted)


def _rest_of_line(text: str, at: int) -> str:
    return text[at : at + 80].split("\n", 1)[0].strip()


def _is_alone(page: Page, name: Name, value: Value) -> bool:
    """Tell whether name and value fill their line, as in a settings file and not in code."""
    line_start = page.text.rfind("\n", max(0, name.start - 80), name.start) + 1
    line_start = line_start or max(0, name.start - 80)
    before = page.text[line_start : name.start]
    after = _rest_of_line(page.text, value.end)
    gap = page.text[name.end : value.start]
    is_tight = "=" not in gap or " " not in gap or name.identifier.isupper()
    return is_tight and compiled(WHOLE_LINE).match(before) is not None and after == ""
