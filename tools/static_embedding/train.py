"""Trains the table: what texts mean to the teacher, as sums of one row for each word.

A row begins as the teacher's vector of the word by itself, made short if the word is frequent.
Then batches of pairs, half of them with a cluster of texts that the teacher finds alike, pull the
rows until a text is as near to each other text of its batch as the teacher says.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from claude_memory.store.embedding import DIMENSIONS, Embedding
from claude_memory.store.vectors import ZERO
from torch.nn import functional

from tools.static_embedding import table, vocabulary
from tools.static_embedding.teacher import Teacher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Floats = NDArray[np.float32]

SEED = 1
STEPS = 400
RATE = 2e-3
WARMING = 50  # steps
PAIRS = 192  # of a batch
CLUSTERED = 0.5  # share of the batches that have clusters of texts that are alike
CLUSTERS, CLUSTER, AMONG = 6, 32, 20_000
TEMPERATURE = 0.05
OF_DIFFERENCE = 50.0  # what the squared differences of likenesses count
MOST_TOKENS = 300
FREQUENT = 1e-3  # a word of this share of all words begins half as long as a rare one
OUTLIERS = 1e-4  # share of the numbers that are cut off so that the others use the whole byte


class Lessons(NamedTuple):
    """Texts as the numbers of their words, one behind the other, and what the teacher says."""

    words: Numbers
    starts: Numbers  # where each text begins in `words`, and the end of the last
    meant: torch.Tensor
    pairs: Numbers  # rows of two texts


def main(arguments: list[str]) -> int:
    """Train and write the table."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("teacher", type=Path, help="the folder of the teacher's two packages")
    parser.add_argument("pairs", type=Path, help="what gather wrote")
    parser.add_argument("lessons", type=Path, help="the folder that lessons wrote")
    parser.add_argument("table", type=Path, help="the file to write")
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    torch.manual_seed(SEED)
    teacher = Teacher(options.teacher)
    tokens = vocabulary.chosen(teacher.vocabulary(), _gathered(options.pairs))
    table.write(options.table, tokens)
    lessons = _lessons(options.lessons, Embedding(str(options.table)))
    rows = _begun(teacher.of_words(tokens), lessons)
    _train(rows, lessons, options.steps)
    table.write(options.table, tokens, _in_bytes(rows.detach().numpy()))
    return 0


def _gathered(path: Path) -> Iterable[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield from json.loads(line)[1:]


def _lessons(folder: Path, embedding: Embedding) -> Lessons:
    texts: list[str] = []
    pairs: list[list[str]] = []
    meant = []
    for path in sorted(folder.glob("*.npy")):
        shard = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        texts += shard["texts"]
        pairs += shard["pairs"]
        meant.append(np.load(path).astype(np.float32))
    words: list[int] = []
    starts = [0]
    for text in texts:
        words += list(embedding.tokens(text))[:MOST_TOKENS]
        starts.append(len(words))
    place = {
        text: number for number, text in enumerate(texts) if starts[number] < starts[number + 1]
    }
    kept = [(place[one], place[other]) for one, other in pairs if one in place and other in place]
    return Lessons(
        np.array(words), np.array(starts), torch.from_numpy(np.concatenate(meant)), np.array(kept)
    )


def _basis(meant: torch.Tensor) -> torch.Tensor:
    """Return the directions in which the teacher's vectors differ most."""
    some = meant[torch.randperm(len(meant))[:20_000]]
    return torch.linalg.svd(some, full_matrices=False)[2][:DIMENSIONS].T


def _begun(alone: Floats, lessons: Lessons) -> torch.nn.Parameter:
    alone = alone - alone.mean(axis=0)
    alone /= np.linalg.norm(alone, axis=1, keepdims=True)
    counts = np.bincount(lessons.words, minlength=len(alone)) + 1
    weights = FREQUENT / (FREQUENT + counts / counts.sum())
    begun = torch.from_numpy(alone.astype(np.float32)) @ _basis(lessons.meant)
    return torch.nn.Parameter(begun * torch.from_numpy(weights.astype(np.float32))[:, None])


def _train(rows: torch.nn.Parameter, lessons: Lessons, steps: int) -> None:
    chance = np.random.default_rng(SEED)
    alive = np.flatnonzero(np.diff(lessons.starts))
    target = functional.normalize(lessons.meant @ _basis(lessons.meant), dim=1)
    optimizer = torch.optim.Adam([rows], lr=RATE)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARMING) * (1 - step / steps) + 1e-5
        texts = _batch(lessons, alive, chance)
        said = _embedded(rows, lessons, texts)
        loss = _unlike(said @ said.T, lessons.meant[texts] @ lessons.meant[texts].T)
        loss = loss + (1 - (said * target[texts]).sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if not step % 100:
            sys.stderr.write(f"{step}: {loss.item():.3f}\n")


def _batch(lessons: Lessons, alive: Numbers, chance: np.random.Generator) -> Numbers:
    """Choose pairs, and clusters of texts that are hard to tell apart."""
    chosen = [lessons.pairs[chance.integers(len(lessons.pairs), size=PAIRS)].ravel()]
    if chance.random() < CLUSTERED:
        seeds = chance.choice(alive, CLUSTERS)
        among = chance.choice(alive, min(AMONG, len(alive)), replace=False)
        near = torch.topk(lessons.meant[seeds] @ lessons.meant[among].T, CLUSTER, dim=1)
        chosen.append(among[near.indices.numpy().ravel()])
    return np.unique(np.concatenate(chosen))


def _embedded(rows: torch.nn.Parameter, lessons: Lessons, texts: Numbers) -> torch.Tensor:
    bags = [lessons.words[lessons.starts[text] : lessons.starts[text + 1]] for text in texts]
    starts = np.cumsum([0, *map(len, bags[:-1])])
    words = torch.from_numpy(np.concatenate(bags))
    summed = functional.embedding_bag(words, rows, torch.from_numpy(starts), mode="sum")
    return functional.normalize(summed, dim=1)


def _unlike(said: torch.Tensor, meant: torch.Tensor) -> torch.Tensor:
    """Compare two tables of likenesses: who is nearest to whom, and how near in figures."""
    others = ~torch.eye(len(said), dtype=torch.bool)
    said_odds, meant_odds = (
        functional.log_softmax((one / TEMPERATURE).masked_fill(~others, -1e4), dim=1)
        for one in (said, meant)
    )
    order = functional.kl_div(said_odds, meant_odds, log_target=True, reduction="batchmean")
    return order + OF_DIFFERENCE * ((said - meant)[others] ** 2).mean()


def _in_bytes(rows: Floats) -> bytes:
    """Round the numbers to bytes, on one scale for all rows: their lengths are the weights."""
    scale = 127 / np.quantile(np.abs(rows), 1 - OUTLIERS)
    return bytes((np.clip(np.round(rows * scale), -127, 127) + ZERO).astype(np.uint8).tobytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
