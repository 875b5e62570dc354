"""Tunes a trained table on invented people: prompts are to be nearest to the memories they need.

What the teacher says is general; that `add an endpoint` needs `responses are wrapped in {data}` is
learned from tools/training. Each batch has the prompts and memories of some people; of all memories
that can be seen the wanted ones are to be the likeliest, by the logarithm of the sum of their odds
(a softmax with several right answers). Other people's memories count as wrong, less than one's own
others. What was learned is the mean of the rows in the last two rounds.

    PYTHONPATH=.:plugin/mcp python -m tools.static_embedding.tune TRAINED TUNED
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from claude_memory.store.embedding import DIMENSIONS, Embedding
from claude_memory.store.vectors import ZERO

from tools import people
from tools.static_embedding import lexicon, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from bench.questions import Person

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
    Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

SEED = 1
EPOCHS = 3
BATCH = 8  # people
RATE = 2e-3
WARMING = 10  # steps
AVERAGED = 2  # epochs: what was learned is the mean of the rows in the last ones
TEMPERATURE = 0.05
STRANGERS = 0.35  # what another person's memory counts beside an own one
MOST_TOKENS = 300
MOMENTUM, SPREAD, TINY = 0.9, 0.99, 1e-8  # Adam's
HIDDEN = -1e4  # logarithm of the odds of what cannot be seen


class Case(NamedTuple):
    """A person in tokens: memories, prompts, and which memories each prompt sees and needs."""

    memories: list[Numbers]
    prompts: list[Numbers]
    seen: Flags  # a row for each prompt, a column for each memory
    wanted: Flags


class Bags(NamedTuple):
    """Texts as one row of tokens, where each begins, and how long each is."""

    tokens: Numbers
    starts: Numbers
    lengths: Numbers


def main(arguments: list[str]) -> int:
    """Tune and write the table."""
    parser = argparse.ArgumentParser(prog="tune", description=__doc__)
    parser.add_argument("trained", type=Path, help="the table that train wrote")
    parser.add_argument("tuned", type=Path, help="the file to write")
    options = parser.parse_args(arguments)
    tokens, data = table.read(options.trained)
    rows: Floats = np.frombuffer(data, np.uint8).astype(np.float32).reshape(-1, DIMENSIONS)
    rows -= ZERO
    embedding = Embedding(str(options.trained))
    everybody = [*people.read(people.WORK), *people.read(people.LIVES)]
    unit = float(np.linalg.norm(rows, axis=1).mean())
    learned = tuned(rows / unit, [case(one, embedding) for one in everybody]) * unit
    whole = np.rint(learned).clip(-ZERO + 1, ZERO - 1) + ZERO
    table.write(options.tuned, tokens, whole.astype(np.uint8).tobytes(), lexicon.read(tokens))
    return 0


def case(person: Person, embedding: Embedding) -> Case:
    """Return a person in tokens, without the prompts that need nothing or have no word."""
    live = [(one, _tokens(one.content, embedding)) for one in people.live(person)]
    live = [(one, tokens) for one, tokens in live if len(tokens)]
    asked = [(one, _tokens(one.text, embedding)) for one in person.prompts if one.gold]
    asked = [(one, tokens) for one, tokens in asked if len(tokens)]
    return Case(
        [tokens for _, tokens in live],
        [tokens for _, tokens in asked],
        np.array([[people.is_seen(one, prompt) for one, _ in live] for prompt, _ in asked]),
        np.array([[one.id in prompt.gold for one, _ in live] for prompt, _ in asked]),
    )


def _tokens(text: str, embedding: Embedding) -> Numbers:
    return np.array(list(embedding.tokens(text))[:MOST_TOKENS], np.int64)


def tuned(begun: Floats, cases: Sequence[Case]) -> Floats:
    """Return the rows as the cases teach them."""
    chance = np.random.default_rng(SEED)
    rows = begun.copy()
    drift, spread, summed = np.zeros_like(rows), np.zeros_like(rows), np.zeros_like(rows)
    batches = math.ceil(len(cases) / BATCH)
    steps = EPOCHS * batches
    for step in range(steps):
        if not step % batches:
            order = chance.permutation(len(cases))
        place = step % batches * BATCH
        loss, slope = _slope(rows, [cases[one] for one in order[place : place + BATCH]])
        drift = MOMENTUM * drift + (1 - MOMENTUM) * slope
        spread = SPREAD * spread + (1 - SPREAD) * slope * slope
        rate = RATE * min(1, (step + 1) / WARMING) * (1 - step / steps)
        far = np.sqrt(spread / (1 - SPREAD ** (step + 1))) + TINY
        rows -= np.float32(rate) * drift / (1 - MOMENTUM ** (step + 1)) / far
        if step >= steps - AVERAGED * batches:
            summed += rows
        if not place:
            sys.stderr.write(f"{step}: {loss:.3f}\n")
    return summed / np.float32(AVERAGED * batches)


def _slope(rows: Floats, batch: Sequence[Case]) -> tuple[float, Floats]:
    """Return how far the wanted memories are from likeliest, and the slope of that by each row."""
    asked = [tokens for one in batch for tokens in one.prompts]
    bags = _bags([*asked, *(tokens for one in batch for tokens in one.memories)])
    sums = np.add.reduceat(rows[bags.tokens], bags.starts)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True) + TINY
    texts = sums / lengths
    prompts, memories = texts[: len(asked)], texts[len(asked) :]
    odds = prompts @ memories.T / TEMPERATURE + _handicaps(batch)
    shares = np.exp(odds - odds.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    right = shares * _blocks([one.wanted for one in batch], other=0)
    found = right.sum(axis=1, keepdims=True) + TINY
    wrong = (shares - right / found) / (TEMPERATURE * len(asked))
    pulls = np.vstack([wrong @ memories, wrong.T @ prompts])
    pulls = (pulls - texts * (pulls * texts).sum(axis=1, keepdims=True)) / lengths
    return float(-np.log(found).mean()), _scattered(pulls, bags, rows)


def _bags(texts: Sequence[Numbers]) -> Bags:
    lengths = np.array([len(one) for one in texts])
    return Bags(np.concatenate(texts), np.cumsum([0, *lengths[:-1]]), lengths)


def _handicaps(batch: Sequence[Case]) -> Floats:
    """Return by how much the odds of each memory are lessened for each prompt."""
    return _blocks([~one.seen * HIDDEN for one in batch], other=math.log(STRANGERS))


def _blocks(parts: Sequence[np.ndarray[Any, Any]], *, other: float) -> Floats:
    """Return one array with the parts along its diagonal."""
    whole = np.full(np.sum([one.shape for one in parts], axis=0), other, np.float32)
    row = column = 0
    for one in parts:
        whole[row : row + one.shape[0], column : column + one.shape[1]] = one
        row, column = row + one.shape[0], column + one.shape[1]
    return whole


def _scattered(pulls: Floats, bags: Bags, rows: Floats) -> Floats:
    """Return for each row of the table the sum of the pulls of the texts that hold its token."""
    order = np.argsort(bags.tokens, kind="stable")
    sorted_tokens = bags.tokens[order]
    first = np.flatnonzero(np.diff(sorted_tokens, prepend=-1))
    spread = np.repeat(pulls, bags.lengths, axis=0)[order]
    slope = np.zeros_like(rows)
    slope[sorted_tokens[first]] = np.add.reduceat(spread, first)
    return slope


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
