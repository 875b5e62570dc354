# Generated from plugin/mcp/claude_memory/redaction/rules_tokens.py by tools/copy_detector.py: change that, not this.
"""Tokens that name their issuer themselves: a prefix, an alphabet and a length.

A row is found by its literal prefix, never by scanning for shapes, so a text without any prefix
costs one search for each. Bodies are read to their end and never further than their longest form,
which keeps the time linear whatever stands in the text.
"""

from __future__ import annotations

from collections import namedtuple

from backend.secrets.detection import values
from backend.secrets.detection.page import Found, compiled, starts_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    from backend.secrets.detection.page import Page

ALNUM = "A-Za-z0-9"
WORD = "A-Za-z0-9_-"
SNAKE = "A-Za-z0-9_"
DOTTED = "A-Za-z0-9_.-"
HEX = "0-9a-f"
UPPER = "A-Z0-9"
LOWER = "a-z0-9"
BASE64 = "A-Za-z0-9+/="
ANY = "A-Za-z0-9_.~+/=-"

if TYPE_CHECKING:

    class Row(NamedTuple):
        """One kind of token: the body after the prefix has `shortest` to `longest` characters."""

        kind: str
        prefixes: tuple[str, ...]
        alphabet: str
        shortest: int
        longest: int

else:
    Row = namedtuple("Row", "kind prefixes alphabet shortest longest")

ROWS = (
    Row("aws-access-key", ("AKIA", "ASIA", "ABIA", "ACCA"), UPPER, 16, 16),
    Row("aws-bedrock-key", ("ABSKQmVkcm9ja0FQSUtleS", "bedrock-api-key-"), BASE64, 60, 4096),
    Row("amazon-mws-token", ("amzn.mws.",), "0-9a-f-", 36, 36),
    Row("google-api-key", ("AIza",), WORD, 35, 35),
    Row("google-oauth-secret", ("GOCSPX-",), WORD, 24, 40),
    Row("google-oauth-token", ("ya29.",), WORD, 30, 2048),
    Row("google-refresh-token", ("1//0",), WORD, 40, 512),
    Row("digitalocean-token", ("dop_v1_", "doo_v1_", "dor_v1_"), HEX, 64, 64),
    Row("alibaba-access-key", ("LTAI",), ALNUM, 12, 26),
    Row("tencent-secret-id", ("AKID",), ALNUM, 32, 36),
    Row("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), ALNUM, 36, 255),
    Row("github-token", ("github_pat_",), SNAKE, 50, 255),
    Row(
        "gitlab-token",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glimt-", "glagent-", "glcbt-", "glsoat-",
         "gloas-", "glffct-", "GR1348941"),
        DOTTED, 20, 300,
    ),
    Row("slack-token", ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxd-"),
        "A-Za-z0-9%-", 20, 512),
    Row("slack-token", ("xoxe.", "xoxe-", "xapp-"), DOTTED, 30, 512),
    Row("stripe-key", ("sk_live_", "rk_live_", "sk_test_", "rk_test_"), ALNUM, 20, 247),
    Row("stripe-webhook-secret", ("whsec_",), BASE64, 24, 100),
    Row("twilio-key", ("SK",), HEX, 32, 32),
    Row("mailgun-key", ("key-",), HEX, 32, 32),
    Row("brevo-key", ("xkeysib-", "xsmtpsib-"), WORD, 70, 100),
    Row("resend-key", ("re_",), SNAKE, 30, 40),
    Row("npm-token", ("npm_",), ALNUM, 36, 36),
    Row("pypi-token", ("pypi-Ag", "testpypi-Ag"), WORD, 50, 1024),
    Row("rubygems-token", ("rubygems_",), HEX, 48, 48),
    Row("nuget-key", ("oy2",), LOWER, 43, 43),
    Row("crates-token", ("cio",), ALNUM, 32, 32),
    Row("docker-hub-token", ("dckr_pat_", "dckr_oat_"), WORD, 24, 80),
    Row("hugging-face-token", ("hf_", "api_org_"), ALNUM, 34, 40),
    Row("anthropic-key", ("sk-ant-",), WORD, 24, 255),
    Row("openrouter-key", ("sk-or-v1-",), HEX, 64, 64),
    Row("langfuse-key", ("sk-lf-",), "0-9a-f-", 36, 36),
    Row("openai-key", ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"), WORD, 32, 300),
    Row("openai-key", ("sk-",), ALNUM, 32, 64),
    Row("groq-key", ("gsk_",), ALNUM, 40, 64),
    Row("xai-key", ("xai-",), ALNUM, 70, 100),
    Row("perplexity-key", ("pplx-",), ALNUM, 40, 64),
    Row("replicate-token", ("r8_",), ALNUM, 37, 40),
    Row("pinecone-key", ("pcsk_",), SNAKE, 40, 100),
    Row("elevenlabs-key", ("sk_",), HEX, 48, 48),
    Row("shopify-token", ("shpat_", "shpca_", "shppa_", "shpss_", "shptka_"), "0-9a-fA-F", 32, 32),
    Row("square-token", ("EAAA",), WORD, 60, 60),
    Row("square-token", ("sq0atp-",), WORD, 22, 22),
    Row("square-token", ("sq0csp-",), WORD, 43, 43),
    Row("facebook-token", ("EAA",), ALNUM, 80, 400),
    Row("heroku-key", ("HRKU-",), WORD, 36, 80),
    Row("new-relic-key", ("NRAK-", "NRJS-", "NRII-", "NRRA-", "NRSP-"), "A-Za-z0-9", 19, 60),
    Row("sentry-token", ("sntrys_",), ANY, 60, 600),
    Row("sentry-token", ("sntryu_",), HEX, 64, 64),
    Row("grafana-token", ("glsa_",), SNAKE, 41, 48),
    Row("grafana-token", ("glc_",), BASE64, 40, 500),
    Row("grafana-key", ("eyJrIjoi",), BASE64, 40, 400),
    Row("vault-token", ("hvs.", "hvb.", "hvr."), WORD, 24, 300),
    Row("vault-token", ("s.",), ALNUM, 24, 24),
    Row("databricks-token", ("dapi",), HEX, 32, 32),
    Row("linear-key", ("lin_api_", "lin_oauth_"), ALNUM, 32, 64),
    Row("notion-token", ("ntn_",), ALNUM, 40, 60),
    Row("notion-token", ("secret_",), ALNUM, 43, 43),
    Row("atlassian-token", ("ATATT3", "ATCTT3", "ATOA"), ANY, 60, 300),
    Row("bitbucket-token", ("ATBB",), ALNUM, 32, 36),
    Row("postman-key", ("PMAK-",), "0-9a-f-", 59, 59),
    Row("figma-token", ("figd_", "figo_"), WORD, 36, 60),
    Row("doppler-token", ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."),
        "A-Za-z0-9_.-", 40, 80),
    Row("pulumi-token", ("pul-",), HEX, 40, 40),
    Row("planetscale-token", ("pscale_tkn_", "pscale_pw_", "pscale_oauth_"), DOTTED, 32, 64),
    Row("dropbox-token", ("sl.",), WORD, 100, 2048),
    Row("dynatrace-token", ("dt0c01.", "dt0s01.", "dt0s16."), "A-Z0-9.", 80, 100),
    Row("typeform-token", ("tfp_",), DOTTED, 40, 80),
    Row("buildkite-token", ("bkua_",), HEX, 40, 40),
    Row("circleci-token", ("CCIPAT_", "CCIPRJ_"), SNAKE, 40, 90),
    Row("prefect-key", ("pnu_",), ALNUM, 36, 36),
    Row("readme-key", ("rdme_",), LOWER, 70, 70),
    Row("sonar-token", ("sqp_", "squ_", "sqa_"), HEX, 40, 40),
    Row("tailscale-key", ("tskey-",), WORD, 20, 100),
    Row("mapbox-token", ("sk.eyJ",), DOTTED, 60, 300),
    Row("supabase-key", ("sbp_",), HEX, 40, 40),
    Row("supabase-key", ("sb_secret_",), WORD, 22, 60),
    Row("netlify-token", ("nfp_",), ALNUM, 36, 40),
    Row("render-key", ("rnd_",), ALNUM, 28, 40),
    Row("fly-token", ("fo1_", "fm1r_", "fm2_"), BASE64 + "_-", 40, 1500),
    Row("jfrog-token", ("AKCp",), ALNUM, 60, 80),
    Row("onepassword-token", ("ops_eyJ",), BASE64 + "_-", 200, 2000),
    Row("sourcegraph-token", ("sgp_",), SNAKE, 40, 64),
    Row("easypost-key", ("EZAK", "EZTK"), ALNUM, 54, 54),
    Row("flutterwave-key", ("FLWSECK-", "FLWSECK_TEST-"), "A-Za-z0-9-", 32, 64),
    Row("duffel-token", ("duffel_live_", "duffel_test_"), WORD, 43, 43),
    Row("plaid-token", ("access-production-", "access-development-"), "0-9a-f-", 36, 36),
    Row("frameio-token", ("fio-u-",), WORD, 64, 64),
    Row("contentful-token", ("CFPAT-",), WORD, 43, 43),
    Row("adafruit-key", ("aio_",), ALNUM, 28, 28),
    Row("cloudflare-origin-key", ("v1.0-",), "0-9a-f-", 120, 180),
    Row("tavily-key", ("tvly-",), WORD, 32, 64),
    Row("age-key", ("AGE-SECRET-KEY-1",), UPPER, 58, 58),
    Row("nostr-key", ("nsec1",), LOWER, 58, 58),
    Row("wallet-key", ("xprv",), ALNUM, 100, 112),
    Row("claude-memory-key", ("cmk_",), DOTTED, 24, 200),
)  # fmt: skip

# A body that the end of a line has cut in two goes on after the break and its indent.
BREAK = r"[ \t]{0,40}\\?\r?\n[ \t]{0,40}"
BREAKS_FOLLOWED = 6


def find(page: Page) -> Iterator[Found]:
    """Give every token of the table."""
    text = page.text
    for row in ROWS:
        for prefix in row.prefixes:
            if prefix in text:
                yield from _read(text, prefix, row)


def _read(text: str, prefix: str, row: Row) -> Iterator[Found]:
    at = text.find(prefix)
    while at >= 0:
        end, body = _body(text, at + len(prefix), row)
        if starts_word(text, at) and _fits(body, row):
            yield Found(at, end, row.kind)
        at = text.find(prefix, max(end, at + len(prefix)))


def _fits(body: str, row: Row) -> bool:
    return (
        row.shortest <= len(body) <= row.longest
        and values.is_random(body)
        and not values.is_placeholder(body)
        and not values.is_sequence(body)
        and not _is_words(body)
    )


def _is_words(body: str) -> bool:
    """Tell `registry-mirror-of-the-team` from keys: every piece of it is a word."""
    pieces = [piece for piece in compiled(r"[-_.]").split(body) if piece]
    return len(pieces) > 2 and all(piece.isalpha() or len(piece) < 3 for piece in pieces)


def _body(text: str, start: int, row: Row) -> tuple[int, str]:
    """Read a body to its end, over line breaks where what follows is more of the same."""
    run = compiled(f"[{row.alphabet}]*")
    end = run.match(text, start, start + row.longest + 1).end()  # type: ignore[union-attr]
    if end < len(text) and text[end - 1 : end] in ".-" and row.alphabet != BASE64:
        end = _trim(text, start, end)
    body = text[start:end]
    for _ in range(BREAKS_FOLLOWED):
        gap = (
            compiled(BREAK).match(text, end) if len(body) < row.longest and len(body) > 3 else None
        )
        if gap is None:
            break
        after = run.match(text, gap.end(), gap.end() + row.longest - len(body) + 1)
        piece = after.group() if after else ""
        if not _continues(piece, body, row):
            break
        end, body = gap.end() + len(piece), body + piece
    return end, body


def _trim(text: str, start: int, end: int) -> int:
    """Leave the full stop of a sentence outside."""
    while end > start and text[end - 1] in ".-":
        end -= 1
    return end


def _continues(piece: str, body: str, row: Row) -> bool:
    together = len(body) + len(piece)
    if len(body) < row.shortest == together:
        return True
    if together > row.longest or not any(char.isdigit() for char in piece):
        return False
    if len(body) >= row.shortest:
        return len(piece) >= 8 and sum(map(str.isalpha, piece)) > 3 and not _is_words(piece)
    return values.is_random(piece)
