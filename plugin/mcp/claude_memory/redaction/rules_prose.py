"""Secrets in sentences of many tongues: "the password is ...", "use ... as the password"."""

from __future__ import annotations

from claude_memory.redaction import judgement, reading, values
from claude_memory.redaction.page import Found, compiled, places
from claude_memory.redaction.rules_names import PASSWORD, PIN, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from claude_memory.redaction.page import Page
    from claude_memory.redaction.reading import Value
    from claude_memory.redaction.rules_names import Name

# What may stand between the noun and the verb: "for the staging database", "(guest network)".
PLACE = (
    r"(?:[ \t]{1,3}(?:nueva|nova|nuova|actual|atual|actuel|maestra|mestra|maître|"
    r"admin|root|prod|production|staging|test|dev|db|wifi|wlan|"
    r"(?:for|of|on|to|in|at|from|with|used|we|i|für|fürs|vom|von|des|der|im|am|zum|"
    r"zur|de|du|pour|sur|da|do|dos|das|no|na|para|del|della|dello|di|per|en|el|la|les|voor|van|"
    r"till|til|för|для|от|к|на|dla|here|there|right|now|again)\b[^\n;=?!\x1a]{0,60}?)|"
    r"[ \t]?[(（][^)）\n\x1a]{1,40}[)）]|の[^\n]{0,3}|[^\n\x00-\x7f]{0,6})?"
)
VERBS = (
    r"(?:['’]s|[ \t]{1,3}(?:is|are|was|will be|should be|has been|must be|equals|becomes?|became|"
    r"changed|set|reset|rotated|updated|switched|got|ist|lautet|lauten|war|heißt|wurde|est|était|"
    r"c'est|sera|es|era|será|é|foi|è|nu|er|är|jest|это|теперь|—|–|-))(?!\w)"
)
ADVERBS = (
    r"(?:[ \t]{1,3}(?:now|still|currently|set|changed|reset|rotated|updated|to|just|simply|always|"
    r"only|again|literally|temporarily|jetzt|nun|aktuell|auf|geändert|maintenant|toujours|ahora|"
    r"agora|adesso|sempre|siempre|is)(?!\w))*"
)
LINK = (
    PLACE
    + r"(?:"
    + VERBS
    + ADVERBS
    + r"[ \t]*[:：]?|[ \t]*(?:[:：＝→]|->|=>)|[ \t]=[ \t]|\s?は|\s?[是为為은는이]|"
    r"\s?(?:改为|改成|设为|设置为|設為)|を[ \t]?(?=\S{4,60}[ \t]?に(?:変更|設定|更新)))"
    r"(?:[ \t]{0,4}|[ \t]*\r?\n(?:\r?\n)?[ \t]*)(?=\S)"
)
# "Set the password to ...", "hasło to ..."; in other sentences "password to" leads nowhere.
TO_LINK = LINK.replace("|jest|", "|jest|to|auf|a|à|naar|")
TO_NOUNS = ("passwort", "kennwort", "hasło", "wachtwoord")
TO_VERBS = (
    r"\b(?:set|chang|reset|rotat|updat|switch|mis|cambi|alter|mud|zet)\w{0,6}\b[^\n.;:]{0,40}$"
)
NEAR = r"s?(?:[ \t]{1,2}[(（]?|[ \t]?[:：][ \t]{0,2})"
AFTER_VALUE = (
    r"[\"'`*)\]]{0,3}[.,;:!?)\]]*(?:[ \t]*$|[ \t]*\n|[ \t]+(?:for|on|and|at|but|so|in|if|when|"
    r"this|today|tonight|now|please|btw|thanks|-|–|—|\(|or|und|"
    r"für|et|pour|y|para|e|per|since|after|until|to)\b|[ \t]*[^\x00-\x7f]|[,;.][ \t])"
)
BEFORE = (
    r"(?:is|was|as|becomes|ist|war|als|est|était|comme|es|como|é|è|come)"
    r"(?:[ \t]+[\w'’-]{1,20}){0,4}[ \t]+$"
)
# A verb or a Unix word more often than a noun: only a link or an assignment makes it one.
UNSPOKEN = frozenset(("pass", "pwd", "auth", "pat", "clave", "parola"))
BEFORE_REACH = 100
NOUN_GOES_ON = r"s?[ \t]+(?!for|on|of|to|in|at|and|but|from|now|für|pour|para|per|de\b)[a-z]"
LOGINS = (
    "credential", "creds", "login", "log in", "sign in", "logon", "zugangsdaten", "identifiants",
    "credenciales",    "credenciais", "credenziali", "账号", "帳號", "アカウント", "ログイン",
)  # fmt: skip
PAIRS = ("admin/", "root/", "admin:", "root:")
SIGN = r"[!#$%^&*]"
LOGIN = (
    r"s?[^\n:=]{0,40}?(?:[:=：]|\bwith\b|\bas\b|\bare\b|\bis\b|"
    r"\busing\b|\bmit\b|\bavec\b|\bcon\b|\bcom\b)"
    r"[ \t]{0,3}(?:user(?:name)? )?[\"'`]?[\w.@+-]{2,60}[\"'`]?(?: / |[/:|][ \t]?)(?![\w.-]{1,40}/)"
)
# "Login admin / <value>", where nothing but the pair itself says that it is one.
PAIR = r"s?[ \t]{1,3}[\"'`]?(?P<user>[\w.@+-]{3,60})[\"'`]?(?P<slash> / |/)(?![\w.-]{1,40}/)"
ACCOUNTS = frozenset(
    ("admin", "administrator", "root", "sa", "postgres", "user", "test", "demo", "guest", "pi")
)


def find(page: Page, name: Name) -> Iterator[Found]:
    """Give the secret that a sentence about this noun tells, if it tells one."""
    for value in (_linked(page, name), _named(page, name), _reversed(page, name)):
        if value is not None:
            yield Found(value.start, value.end, kind_of(page, name))
            return


def _linked(page: Page, name: Name) -> Value | None:
    """Read "<noun> for the database is <value>"."""
    link = compiled("s?[\"'`*]{0,3}" + _link_words(page, name)).match(page.lower, name.end)
    if link is None:
        return None
    value = reading.read(page.text, link.end())
    if value is None:
        return None
    is_last = compiled(AFTER_VALUE).match(page.lower, value.end) is not None
    if name.noun.kind == PIN:
        return value if is_last and judgement.is_pin(value.text) else None
    if name.noun.kind == PASSWORD:
        is_quoted = value.is_quoted and name.noun.word not in UNSPOKEN
        if judgement.is_spoken_password(value.text, is_quoted=is_quoted, is_last=is_last):
            return value
        return _word_phrase(page, value)
    return value if judgement.is_spoken_key(value.text, kind_of(page, name)) else None


def _link_words(page: Page, name: Name) -> str:
    is_set = name.noun.word in TO_NOUNS or compiled(TO_VERBS).search(
        page.lower[max(0, name.at - 50) : name.at]
    )
    return TO_LINK if is_set else LINK


def _word_phrase(page: Page, first: Value) -> Value | None:
    """Read a passphrase of plain words that runs to the end of its line or sentence."""
    rest = compiled(r"[^\n.,;:!?()\x1a]{1,120}").match(page.text, first.start)
    phrase = rest.group().strip(" \"'`") if rest and not first.is_quoted else ""
    if values.is_word_phrase(phrase) and phrase.islower():
        return reading.Value(first.start, first.start + len(phrase), phrase, is_quoted=False)
    return None


def _named(page: Page, name: Name) -> Value | None:
    """Read "log in with password <value>"."""
    near = compiled(NEAR).match(page.lower, name.end)
    if near is None or name.noun.kind == PIN or name.noun.word in UNSPOKEN:
        return None
    value = reading.read(page.text, near.end())
    if value is None:
        return None
    if name.noun.kind == PASSWORD:
        is_secret = judgement.is_named_password(value.text, is_quoted=value.is_quoted)
    else:
        is_secret = len(value.text) >= 16 and judgement.is_spoken_key(
            value.text, kind_of(page, name)
        )
    return value if is_secret else None


def _reversed(page: Page, name: Name) -> Value | None:
    """Read "use <value> as the <noun>"."""
    if (
        compiled(NOUN_GOES_ON).match(page.lower, name.end)
        or name.start != name.at
        or (name.noun.word in UNSPOKEN)
    ):
        return None
    begin = max(0, name.at - BEFORE_REACH)
    tail = compiled(BEFORE).search(page.lower[begin : name.at])
    if tail is None:
        return None
    start = _value_start(page.text, begin, begin + tail.start())
    value = reading.read(page.text, start) if start is not None else None
    if value is None or value.end > begin + tail.start():
        return None
    if name.noun.kind == PIN:
        return value if judgement.is_pin(value.text) else None
    if name.noun.kind == PASSWORD:
        is_secret = judgement.is_spoken_password(
            value.text, is_quoted=value.is_quoted, is_last=False
        )
        return value if is_secret and values.is_mixed(value.text) else None
    return value if judgement.is_spoken_key(value.text, kind_of(page, name)) else None


def _value_start(text: str, begin: int, end: int) -> int | None:
    """Return where the last word or quotation before a place begins."""
    before = text[begin:end].rstrip()
    quote = before[-1:]
    opening = {"”": "“", "»": "«", "」": "「"}.get(quote, quote)
    if quote and quote in "\"'`”»」":
        at = before.rfind(opening, 0, len(before) - 1)
        return begin + at if at >= 0 else None
    return begin + max(before.rfind(" "), before.rfind("\n")) + 1 if before else None


def find_logins(page: Page) -> Iterator[Found]:
    """Give the second half of "credentials: admin / <value>", and of "admin/<value>"."""
    for pair in PAIRS:
        for at in places(page.lower, pair):
            in_address = page.text[at - 1 : at] in {"/", "@"}
            value = None if in_address else reading.read(page.text, at + len(pair))
            if value and values.is_strong(value.text) and compiled(SIGN).search(value.text):
                yield from _unless_reference(value)
    for word in LOGINS:
        for at in places(page.lower, word):
            head = compiled(LOGIN).match(page.lower, at + len(word))
            value = reading.read(page.text, head.end()) if head else None
            if (
                value
                and judgement.is_named_password(value.text, is_quoted=True)
                and (len(value.text) >= 6)
            ):
                yield Found(value.start, value.end, PASSWORD)
            elif head is None:
                yield from _paired(page, at + len(word))


def _paired(page: Page, at: int) -> Iterator[Found]:
    """Give the second half of a pair that follows a word for a login without more."""
    head = compiled(PAIR).match(page.lower, at)
    value = reading.read(page.text, head.end()) if head else None
    if head is None or value is None or not judgement.is_named_password(value.text, is_quoted=True):
        return
    user, is_account = head["user"], head["user"] in ACCOUNTS
    is_numbered = compiled(r"[\d\W_]{2,}").fullmatch(value.text[len(user) :]) is not None
    is_of_it = is_account and is_numbered and value.text.lower().startswith(user)
    is_strong = head["slash"] == " / " and values.is_strong(value.text)
    if is_of_it or (is_strong and (is_account or compiled(SIGN).search(value.text))):
        yield Found(value.start, value.end, PASSWORD)


def _unless_reference(value: Value) -> Iterator[Found]:
    if not values.is_reference(value.text) and not values.is_placeholder(value.text):
        yield Found(value.start, value.end, PASSWORD)
