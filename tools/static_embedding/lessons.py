"""Makes the lessons: what the teacher says of each text, and of the words in it.

The texts are a share of the gathered pairs, in shards of one mix, and all of our own talk, of which
there is most to learn for its size. The shards let the work be stopped, resumed and done by several
processes; training takes the shards that are there.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from claude_memory.store.embedding import Embedding

from tools.static_embedding import table, vocabulary
from tools.static_embedding.contexts import Contexts
from tools.static_embedding.teacher import Teacher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEED = 3
SHARDS = 100
TAKEN = 16  # of them
OWN = "own"
OF_OWN = 2_000  # pairs of a shard that has nothing else
WORDS = "words.bin"  # a table without rows, which knows the words
GROUPS = (OWN, "wordnet-base", "")  # each shard has its share of each; "" is all the rest


def main(arguments: list[str]) -> int:
    """Write the shards that are missing, or every n-th of them."""
    parser = argparse.ArgumentParser(prog="lessons", description=__doc__)
    parser.add_argument("teacher", type=Path, help="the folder of the teacher's two packages")
    parser.add_argument("pairs", type=Path, help="what gather wrote")
    parser.add_argument("folder", type=Path, help="where the shards are written")
    parser.add_argument("--shards", type=int, default=TAKEN, help="how many of a hundred")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    teacher = Teacher(options.teacher)
    tokens = vocabulary.chosen(teacher.vocabulary(), gathered(options.pairs))
    table.write(options.folder / WORDS, tokens)
    embedding = Embedding(str(options.folder / WORDS))
    seen: set[str] = set()
    for number, pairs in _shards(options.pairs, options.shards):
        texts = [text for text in dict.fromkeys(_texts(pairs)) if text not in seen]
        seen.update(texts)
        target = options.folder / f"{number:03d}.npy"
        if number % options.workers == options.worker and not target.exists():
            kept = json.dumps({"texts": texts, "pairs": pairs})
            target.with_suffix(".json").write_text(kept, encoding="utf-8")
            contexts = Contexts(embedding, len(tokens))
            np.save(target, teacher.of_texts(texts, contexts.add).astype(np.float16))
            contexts.save(target.with_suffix(".npz"))
    return 0


def gathered(path: Path) -> Iterable[str]:
    """Yield all texts that gather wrote."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield from json.loads(line)[1:]


def _shards(path: Path, count: int) -> Iterator[tuple[int, list[list[str]]]]:
    groups: dict[str, list[list[str]]] = {group: [] for group in GROUPS}
    for line in path.read_text(encoding="utf-8").splitlines():
        source, *pair = json.loads(line)
        groups[source if source in groups else ""].append(pair)
    chance = random.Random(SEED)
    for group in groups.values():
        chance.shuffle(group)
    for number in range(count):
        yield number, [pair for group in groups.values() for pair in _part(group, number)]
    rest = groups[OWN][count * len(groups[OWN]) // SHARDS :]
    for number, start in enumerate(range(0, len(rest), OF_OWN), SHARDS):
        yield number, rest[start : start + OF_OWN]


def _part(group: list[list[str]], number: int) -> list[list[str]]:
    return group[number * len(group) // SHARDS : (number + 1) * len(group) // SHARDS]


def _texts(pairs: Iterable[list[str]]) -> list[str]:
    return [text for pair in pairs for text in pair if text]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
