"""Gathers the training text: downloads the packages of sources.tsv and cuts pairs out of them.

A pair is two texts of which one is likely asked for by the other: a heading and its paragraph, a
name and what it stands for, a question and its answer. One JSON array [source, one, other] a line.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.static_embedding import excerpts, speech

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOURCES = Path(__file__).with_name("sources.tsv")
SEED = 20
MOST_OF_A_PACKAGE = 1_000  # pairs: a large package must not drown the others
MOST_OF_WORDNET = 30_000
OWN = 40_000
SHORTEST, LONGEST = 3, 300  # characters
WORDY = re.compile(r"[A-Za-z]")
LEAST_WORDY = 0.65  # of a text's characters are letters, or it is no prose
WORDNET = "wordnet-base"


def main(arguments: list[str]) -> int:
    """Write the pairs to a file."""
    parser = argparse.ArgumentParser(prog="gather", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the packages are kept")
    parser.add_argument("pairs", type=Path, help="the file to write")
    options = parser.parse_args(arguments)
    chance = random.Random(SEED)
    seen: set[tuple[str, str]] = set()
    with options.pairs.open("w", encoding="utf-8") as file:
        for name, found in _all(options.folder):
            kept = [pair for pair in dict.fromkeys(found) if pair not in seen]
            most = MOST_OF_WORDNET if name == WORDNET else MOST_OF_A_PACKAGE
            if name != "own" and len(kept) > most:
                kept = chance.sample(kept, most)
            seen.update(kept)
            file.writelines(json.dumps([name, *pair]) + "\n" for pair in kept)
            sys.stderr.write(f"{name}: {len(kept)}\n")
    return 0


def _all(folder: Path) -> Iterator[tuple[str, Iterable[tuple[str, str]]]]:
    yield "own", speech.pairs(random.Random(SEED), OWN)
    for line in SOURCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        registry, package, version, _ = line.split("\t")
        path = fetched(folder, registry, package, version)
        read = excerpts.READERS[registry]
        yield (
            package,
            ((_tidy(one), _tidy(other)) for one, other in read(path) if _fits(one, other)),
        )


def fetched(folder: Path, registry: str, package: str, version: str) -> Path:
    """Return the package's file, downloaded unless it is there."""
    kept = folder / registry / f"{package.replace('/', '+')}-{version.replace(':', '+')}"
    kept.mkdir(parents=True, exist_ok=True)
    if not any(kept.iterdir()):
        command = {
            "pypi": [
                *(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", "."),
                *("--only-binary", ":all:", f"{package}=={version}"),
            ],
            "npm": ["npm", "pack", "--silent", f"{package}@{version}"],
            "debian": ["apt-get", "download", f"{package}={version}"],
        }[registry]
        subprocess.run(command, cwd=kept, check=True, stdout=subprocess.DEVNULL)
    return next(kept.iterdir())


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _fits(one: str, other: str) -> bool:
    return _is_prose(other) and (not one or _is_prose(one))


def _is_prose(text: str) -> bool:
    text = _tidy(text)
    letters = len(WORDY.findall(text))
    return SHORTEST <= len(text) <= LONGEST and letters >= LEAST_WORDY * len(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
