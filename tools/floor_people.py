"""Shows what the prompt hook gives the invented people of tools/training, by the kind of prompt.

The evaluation set has no prompts about own work of which nothing is stored; these people have. The
table and the floor have learned from them, so what is shown is rather too good than too bad.

    PYTHONPATH=.:plugin/mcp python -m tools.floor_people    # half a minute
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from bench import filled, stores
from tools import people

if TYPE_CHECKING:
    from bench.filled import Given

EVERY = 7  # of so many people one is asked


def main() -> None:
    """Ask, and show a line for each kind."""
    found: dict[str, list[tuple[Given, bool]]] = defaultdict(list)
    for person in people.read(people.WORK)[::EVERY]:
        with stores.folder() as place, filled.fill(person, place / "home") as store:
            for prompt in person.prompts:
                given = store.inject(prompt, session=prompt.id)
                is_useful = not store.gold(prompt).isdisjoint(given.numbers)
                found[prompt.kind].append((given, is_useful))
    for kind, answers in found.items():
        tokens = [given.tokens for given, _ in answers if given.numbers]
        share = len(tokens) / len(answers)
        useful = sum(is_useful for _, is_useful in answers) / len(answers)
        mean = sum(tokens) / (len(tokens) or 1)
        sys.stdout.write(
            f"{kind:<12}{len(answers):>5} prompts, {share:6.1%} given something, "
            f"{useful:6.1%} what they need, {mean:4.0f} tokens\n"
        )


if __name__ == "__main__":
    main()
