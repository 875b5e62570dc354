"""gitleaks, whose rules are nobody's here, looks at the samples and at what we make of them."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backend.secrets.detect import redact
from tests.support import components, credential_variants, harmless
from tests.support.credentials import credentials
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.heavy, pytest.mark.once]

SAMPLES = credentials() + credential_variants.variants()
HARMLESS = harmless.HARMLESS + credential_variants.HARMLESS
LIST = Path(__file__).parents[2] / "support" / "second_opinion.toml"
REVIEWED = tomllib.loads(LIST.read_text("utf-8"))


def found_by_gitleaks(folder: Path, texts: Sequence[str]) -> dict[int, set[str]]:
    """Return the rules that take something in a text for a secret, by the text's place."""
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text, "utf-8")
    report = folder.parent / "report.json"
    command = [str(components.gitleaks()), "dir", str(folder), "--no-banner", "--exit-code", "0"]
    subprocess.run(
        [*command, "--report-format", "json", "--report-path", str(report)],
        capture_output=True,
        check=True,
    )
    found: dict[int, set[str]] = defaultdict(set)
    for one in json.loads(report.read_text("utf-8")):
        found[int(Path(one["File"]).stem)].add(one["RuleID"])
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder beside which there is room for a report."""
    made = tmp_path / "texts"
    made.mkdir()
    return made


@promise("secrets.second-opinion")
def test_gitleaks_finds_nothing_in_what_we_redacted(folder: Path) -> None:
    """Whatever it knows, we took out; and it does look: of the samples it finds a third."""
    assert found_by_gitleaks(folder, [redact(sample.text).text for sample in SAMPLES]) == {}
    assert len(found_by_gitleaks(folder, [sample.text for sample in SAMPLES])) > 200


def test_what_only_gitleaks_takes_for_a_secret_was_looked_at(folder: Path) -> None:
    """Every such text is on the list with its reason, and nothing else is."""
    found = found_by_gitleaks(folder, HARMLESS)
    listed = {(one["begins"], one["rule"]) for one in REVIEWED["harmless"]}
    unlisted = {
        (text, rule)
        for number, rules in found.items()
        for text in [HARMLESS[number]]
        for rule in rules
        if not any(text.startswith(begins) and rule == known for begins, known in listed)
    }
    assert unlisted == set()
    assert len(found) == len(listed)


def test_what_only_we_take_for_a_secret_was_looked_at(folder: Path) -> None:
    """The kinds that it does not know are listed: a new version of it that knows one is told."""
    found = found_by_gitleaks(folder, [sample.text for sample in SAMPLES])
    known = {SAMPLES[number].kind for number in found}
    assert {sample.kind for sample in SAMPLES} - known == set(REVIEWED["unknown"]["kinds"])
