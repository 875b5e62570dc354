"""Trains the table: what texts mean to the teacher, as sums of one row for each word.

A row begins as the mean of what the teacher says of the word in all texts in which it stands, made
short if the word is frequent. Then batches of pairs, half of them with a cluster of texts that the
teacher finds alike, pull the rows until a text is as near to each other text of its batch as the
teacher says, and nearest to the one that it is paired with. What all texts have in common says
nothing, and is taken out of what the teacher says first.
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

from tools.static_embedding import lexicon, table, vocabulary
from tools.static_embedding.contexts import Contexts
from tools.static_embedding.lessons import WORDS, gathered
from tools.static_embedding.teacher import Teacher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Floats = NDArray[np.float32]

SEED = 1
STEPS = 300
AVERAGED = 0.3  # of the steps: the rows are the mean of what they are in the last ones
RATE = 1e-3
WARMING = 50  # steps
PAIRS = 192  # of a batch
CLUSTERED = 0.5  # share of the batches that have clusters of texts that are alike
CLUSTERS, CLUSTER, AMONG = 6, 32, 20_000
TEMPERATURE = 0.05
OF_DIFFERENCE = 50.0  # what the squared differences of likenesses count
OF_PAIRS = 0.3  # what it counts that a text is nearest to the other of its pair
MOST_TOKENS = 300
FREQUENT = 1e-3  # a word of this share of all words begins half as long as a rare one
ALONE = 3.0  # times that a word has been seen count what the teacher says of the word by itself
OFTEN = 20  # times: a word has been seen well
COMMON, LONG = 5_000, 0.7  # no row is longer than this share of so many frequent words' rows
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
    torch.set_num_threads(1)  # more would add up in another order
    tokens = vocabulary.chosen(teacher.vocabulary(), gathered(options.pairs))
    embedding = Embedding(str(options.lessons / WORDS))
    lessons = _lessons(options.lessons, embedding)
    contexts = Contexts(embedding, len(tokens))
    for path in sorted(options.lessons.glob("*.npz")):
        contexts.load(path)
    begun = _begun(contexts, teacher.of_words(tokens), lessons)
    rows = _shortened(_trained(begun, lessons, options.steps))
    table.write(options.table, tokens, _in_bytes(rows.numpy()), lexicon.read(tokens))
    return 0


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
    some = meant[torch.randperm(len(meant), generator=torch.Generator().manual_seed(SEED))]
    return torch.linalg.svd(some[:20_000], full_matrices=False)[2][:DIMENSIONS].T


def _begun(contexts: Contexts, alone: Floats, lessons: Lessons) -> torch.Tensor:
    """Return the mean state of each word, without what all have in common, by its rarity."""
    often = contexts.counts > OFTEN
    means = contexts.sums[often] / contexts.counts[often][:, None]
    usual = np.linalg.norm(means, axis=1).mean()
    rows = contexts.sums / usual + ALONE * alone
    rows /= (contexts.counts + ALONE)[:, None]
    counts = np.bincount(lessons.words, minlength=len(alone)) + 1
    weights = FREQUENT / (FREQUENT + counts / counts.sum())
    rows -= weights @ rows / weights.sum()
    rows /= np.linalg.norm(rows, axis=1).mean()
    begun = torch.from_numpy(rows.astype(np.float32)) @ _basis(lessons.meant)
    return begun * torch.from_numpy(weights.astype(np.float32))[:, None]


def _trained(begun: torch.Tensor, lessons: Lessons, steps: int) -> torch.Tensor:
    chance = np.random.default_rng(SEED)
    alive = np.flatnonzero(np.diff(lessons.starts))
    meant = functional.normalize(lessons.meant - lessons.meant.mean(dim=0), dim=1)
    target = functional.normalize(meant @ _basis(lessons.meant), dim=1)
    lessons = lessons._replace(meant=meant)
    rows = torch.nn.Parameter(begun.clone())
    optimizer = torch.optim.Adam([rows], lr=RATE)
    summed = torch.zeros_like(begun)
    last = int(steps * AVERAGED)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARMING) * (1 - step / steps) + 1e-5
        texts, pairs = _batch(lessons, alive, chance)
        said = _embedded(rows, lessons, texts)
        likeness = meant[texts] @ meant[texts].T
        loss = _unlike(said @ said.T, likeness) + OF_PAIRS * _apart(said @ said.T, likeness, pairs)
        loss = loss + (1 - (said * target[texts]).sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step >= steps - last:
            summed += rows.detach()
        if not step % 100:
            sys.stderr.write(f"{step}: {loss.item():.3f}\n")
    return summed / last


def _batch(
    lessons: Lessons, alive: Numbers, chance: np.random.Generator
) -> tuple[Numbers, torch.Tensor]:
    """Choose pairs, and clusters of texts that are hard to tell apart; say where the pairs are."""
    chosen = [lessons.pairs[chance.integers(len(lessons.pairs), size=PAIRS)].ravel()]
    if chance.random() < CLUSTERED:
        seeds = chance.choice(alive, CLUSTERS)
        among = chance.choice(alive, min(AMONG, len(alive)), replace=False)
        near = torch.topk(lessons.meant[seeds] @ lessons.meant[among].T, CLUSTER, dim=1)
        chosen.append(among[near.indices.numpy().ravel()])
    texts, places = np.unique(np.concatenate(chosen), return_inverse=True)
    return texts, torch.from_numpy(places[: 2 * PAIRS].reshape(-1, 2))


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


def _apart(said: torch.Tensor, meant: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    """Ask who is the other of each pair; what the teacher finds as near is no wrong answer."""
    one, other = pairs.T
    hidden = meant[one] > meant[one, other][:, None]
    hidden[range(len(one)), one] = True
    hidden[range(len(one)), other] = False
    odds = (said[one] / TEMPERATURE).masked_fill(hidden, -1e4)
    return functional.cross_entropy(odds, other)


def _shortened(rows: torch.Tensor) -> torch.Tensor:
    """Cut what sticks out: a single rare word, or a name, is not to decide what a text means."""
    lengths = rows.norm(dim=1, keepdim=True).clamp_min(1e-6)
    most = torch.quantile(lengths[:COMMON], LONG)
    return rows * torch.clamp(most / lengths, max=1)


def _in_bytes(rows: Floats) -> bytes:
    """Round the numbers to bytes, on one scale for all rows: their lengths are the weights."""
    scale = 127 / np.quantile(np.abs(rows), 1 - OUTLIERS)
    return bytes((np.clip(np.round(rows * scale), -127, 127) + ZERO).astype(np.uint8).tobytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
