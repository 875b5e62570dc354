# Generated from plugin/mcp/claude_memory/redaction/values.py by tools/copy_detector.py: change that, not this.
"""Whether a value can be a secret at all: no placeholder, example, reference or plain word is.

A rule has found a name or a phrase that announces a secret; this decides about what follows it.
Randomness alone decides nothing here: it is only asked of a value that was so announced.
"""

from __future__ import annotations

from backend.secrets.detection.page import compiled

# Values from vendors' manuals and well-known tutorials, which open no door.
EXAMPLES = (
    "iosfodnn7example",
    "k7mdeng/bpxrfi",
    "sflkxwrjsmekkf2qt4fwpmejf36pok6yjv_adqssw5c",
    "eby8vdm02xnocqflquwjpllmetlcdxj1ouzft50usrz6ifsuftq2uvercz4i6tq/k1szfptotr",
    "qwxhzgrpbjpvcgvuihnlc2ftzq",
    "dxnlcjpwyxnzd29yz",
    "dxnlcm5hbwu6cgfzc3dvcm",
    "4ec39hqlyjwdarjtt1zdp7dc",
    "correct horse battery staple",
    "correct-horse-battery-staple",
    "keyboard cat",
    "keyboardcat",
)
# Whole values that stand for "put yours here", or that name a type, a state or an action.
STOP_WORDS = frozenset(
    """
    a abc abcd abcdef an and any are array asterisks at auto automatic base64 basic bearer blank
    bool boolean bytes byte bytea callable char check cleartext confirm correct created default
    deleted deprecated detected disabled email empty enabled encoded encrypted encryption enter
    error expired expires external false field file for forgot forgotten from function generate
    generated hash hashed header here hidden id if in incorrect inherit input int integer internal
    invalid is jwt kept length literal longtext login long managed manual mandatory masked
    matches max method min minimum mismatch missing model must name never new nil no none not null
    number oauth object of off old omitted on only optional or other out passes pending plain
    plaintext please prompt prompts protected public random readonly redacted ref reference refresh
    removed required requires reset rotated rotate rotation salted same saved secure self sent
    session set short shown something stale static store stored str string strong submit super
    text the there this to too true type unchanged undefined unique unknown unset update updated
    user username valid validate validated validator value varchar via void was weak with wrong xxx
    yes you your sensitive retrieved shared safe synced vault env
    admin root guest postgres nobody anonymous sealed injected inserted loaded hardcoded leaked
    exposed visible compromised obsolete pasted printed logged documented committed changed
    """.split()
)
# Pieces of made-up names; a value put together from these alone is a placeholder or a name.
PLACEHOLDER_PIECES = frozenset(
    """
    access account admin an api app auth aws azure basic bearer bar baz bot change changeit changeme
    client code config cred credential credentials current data database db default demo deploy dev
    dummy email enter env example fake field file foo for gcp github gitlab google here hook id in
    insert invalid jwt key keys live local login long me mock mot de passe my mysql name new null
    oauth of old openai or our param pass passcode passphrase passwd password passwords passwort
    pat path pg pgsql placeholder postgres postgresql prefix private prod production public pwd
    pw random real redacted redis refresh replace repo root sample secret secrets secure service
    session should sign signing some something staging str stripe string suffix super supersecret
    temp test testing text the this to todo token tokens type use user username valid value var
    vault very webhook with wrong xxx you your yours kennwort contraseña senha clave parola
    hashed plain confirm confirmed encrypted raw old
    wachtwoord adgangskode lösenord hasło mdp
    """.split()
)
TECHNICAL = (
    r"sha-?[1-5]|md5|bcrypt|scrypt|argon2|pbkdf2|base-?(?:32|58|64)|utf-?8|aes-?\d|rsa-?\d|hmac|"
    r"oauth|openid|ed25519|1password|bitwarden|keepass|lastpass|x\.?509|pkcs|\d-?bits?$|\d-?bytes?$|2fa|^s3-|k8s-|^web3|ipv[46]|^e2e|"
    r"\d-(?:char|digit|day|hour|min|word|letter|step|factor|year|month|week)|^v?\d+(?:\.\d+)+|^http|"
    r"[a-z]\.(?:py|js|jsx|ts|tsx|go|rs|rb|md|txt|ya?ml|json|toml|env|java|kt|php|sh|sql|html|css)\b"
)
REFERENCE = (
    r"[<{(\[]|//|\*\w|[\w.]+\[|\$[({]|\$[a-z_]+$|\$\w*_\w*$|\$\w+\[|\$\w+->|%[a-z_]+%$|%\(|%[sdv]$|"
    r"\$env:|@\{|\{\{|\[\[|#\{|process\.env|import\.meta|os\.environ|"
    r"os\.getenv|getenv|env\.|env\[|env\(|secrets?\.[a-z]|secrets?\[|vault[:.]|vault kv|op://|arn:|"
    r"ssm:|sops|enc\[|gcp:|keychain|config\.|settings?\.|self\.|this\.|req\.|request\.|"
    r"!vault|!ref|!sub|!secret|!env|\[secret|\[redact|\[filter|\[hidden|\[removed|file:|projects/"
)
PATH = r"(?:~|\.{0,2})/[\w.~-]+(?:/|\.|$)|[a-z]:\\|/(?:run|etc|home|var|usr|opt)/|\w+://"
CODE = r"[\w.]*[a-z_][\w]*(?:\(|\[['\"\w]|\.[a-z_]\w*$|->|::)|^\w+\.\w+[(.]|^[!&*]?\w+\)*\("
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
DIGEST = (
    r"\$(?:2[abxy]|1|5|6|y|apr1|argon2\w*|scrypt|pbkdf2[\w-]*)\$|"
    r"sha(?:1|224|256|384|512)[-:=]|md5[:=]|blake\w+[:-]|[0-9a-f]+\.{2,3}$"
)
# A run of letters or of digits; capitals part words before it is used.
PIECE = r"[^\W\d_]+|\d+"
RUNS = ("0123456789", "1234567890", "abcdefghij", "9876543210", "deadbeefdeadbeef")
LONGEST_NAME = 32
SCRAMBLED = 8  # letters
FEW = 4  # a long value of fewer different characters is a drawn line, not a secret

# Common in sentences and absent from the seed-phrase word list (BIP-39).
FUNCTION_WORDS = frozenset(
    """
    the their they them then there these those must and with that from for are was were which your
    his her its our ours has have had not but can could should would will shall may might been being
    into than when where while who whom whose what why how does did done get gets got keep kept
    use uses used using user users make makes made see sees store stored stores write written
    in on of to is it be by as at or an a we i so no if do go my me he us up never always only
    most some any all each every few many more other own same such too very just also because
    """.split()
)


def is_placeholder(value: str) -> bool:
    """Tell whether a value only stands for a secret: dummy, reference, example or code."""
    low = value.lower()
    body = low.strip("\"'`*_-.()[]<>")
    return (
        not body
        or len(set(body)) < min(FEW, len(body))
        or "xxxx" in low
        or "***" in low
        or "..." in low
        or "…" in low
        or "•" in low
        or "example" in low
        or "placeholder" in low
        or "changeme" in low
        or "redacted" in low
        or any(word in low for word in EXAMPLES)
        or _is_made_of_names(value)
    )


def is_sequence(value: str) -> bool:
    """Tell whether a machine's key was typed by hand along the alphabet or the digits."""
    low = value.lower()
    return any(run in low for run in RUNS)


def _is_made_of_names(value: str) -> bool:
    pieces = compiled(PIECE).findall(compiled(r"([a-z])([A-Z])").sub(r"\1 \2", value))
    return bool(pieces) and all(_is_name_piece(piece.lower()) for piece in pieces)


def _is_name_piece(piece: str) -> bool:
    """Tell `mysecretpassword`, too: a piece may be several of the words without a joiner."""
    if piece in PLACEHOLDER_PIECES:
        return True
    reached = {0}
    for end in range(2, len(piece[:LONGEST_NAME]) + 1):
        if any(piece[start:end] in PLACEHOLDER_PIECES for start in reached if end - start > 1):
            reached.add(end)
    return len(piece) in reached


def is_reference(value: str) -> bool:
    """Tell whether a value points at a secret kept elsewhere: variable, path, call or digest."""
    low = value.lower()
    return any(compiled(form).match(low) for form in (REFERENCE, PATH, CODE, DIGEST)) or any(
        sign in low for sign in ("${", "{{", "$(", "://")
    )


def is_plain(value: str) -> bool:
    """Tell whether a value is one ordinary word, or words joined as in a name."""
    return all(piece.isalpha() for piece in compiled(r"[-_.'/’]").split(value) if piece) and not (
        compiled(r"[a-z][A-Z]").search(value)
    )


def is_stop_word(value: str) -> bool:
    """Tell whether a whole value is a word of documentation rather than a secret."""
    return value.lower().strip("\"'`*_.,;:!?()[]") in STOP_WORDS


def is_technical(value: str) -> bool:
    """Tell whether a value names an algorithm, a format, a length, a version or a product."""
    return bool(compiled(TECHNICAL).search(value.lower()))


def is_mixed(value: str) -> bool:
    """Tell whether a value has what people put into passwords: a digit or a sign among letters."""
    letters = any(char.isalpha() for char in value)
    digits = any(char.isdigit() for char in value)
    signs = any(not char.isalnum() and char not in "-_.'’/:,()" for char in value)
    return letters and (digits or signs)


def is_scrambled(value: str) -> bool:
    """Tell whether capitals and small letters change places as in no name: `VStNKiaE`."""
    letters = "".join(char for char in value if char.isalpha())
    changes = sum(one.isupper() != other.isupper() for one, other in zip(letters, letters[1:]))
    return value.isalnum() and len(letters) >= SCRAMBLED and 2 * changes >= len(letters)


def is_strong(value: str) -> bool:
    """Tell whether a value looks like a password with nothing else to say so."""
    kinds = (
        any(char.islower() for char in value)
        + any(char.isupper() for char in value)
        + any(char.isdigit() for char in value)
        + any(not char.isalnum() and char not in "./:,()" for char in value)
    )
    return len(value) >= 8 and kinds >= 3 and is_mixed(value) and not is_technical(value)


def is_key(value: str) -> bool:
    """Tell whether a value looks made by a machine: long, one piece, letters and digits mixed."""
    if len(value) < 8 or compiled(r"[\s\x1a]").search(value):
        return False
    letters = any(char.isalpha() for char in value)
    digits = any(char.isdigit() for char in value)
    return letters and digits and not _is_name(value)


def _is_name(value: str) -> bool:
    """Tell names with a number from keys: `prod-db-2`, `sha256Token`, `default-token-x7k2p`."""
    pieces = [piece for piece in compiled(r"[-_./:]").split(value) if piece]
    if all(piece.isalpha() or len(piece) <= 3 for piece in pieces) and len(pieces) > 1:
        return len(value) < 32 or max(len(piece) for piece in pieces) < 12
    if len(pieces) > 1 and all(piece.isalpha() or len(piece) <= 5 for piece in pieces):
        return any(piece.lower() in PLACEHOLDER_PIECES for piece in pieces)
    is_numbered = compiled(r"[A-Za-z_]+\d{1,3}[A-Za-z_]*").fullmatch(value) is not None
    return is_numbered and len(value) < 24 and not is_scrambled(value)


def is_random(value: str) -> bool:
    """Tell whether a token's body mixes digits and letters, or capitals and small letters."""
    digits = any(char.isdigit() for char in value)
    lower = any(char.islower() for char in value)
    upper = any(char.isupper() for char in value)
    return digits + lower + upper >= 2 and not value.istitle()


def is_word_phrase(value: str) -> bool:
    """Tell whether a value is a passphrase of 4 to 8 plain words rather than a sentence."""
    words = value.split()
    return (
        4 <= len(words) <= 8
        and all(word.isalpha() and 3 <= len(word) <= 12 for word in words)
        and not FUNCTION_WORDS.intersection(word.lower() for word in words)
        and not STOP_WORDS.intersection(word.lower() for word in words)
        and not PLACEHOLDER_PIECES.intersection(word.lower() for word in words)
    )
