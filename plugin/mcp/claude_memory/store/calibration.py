"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

LEAST = 0.92  # that a question has to promise
SPREAD = 3.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    4.800,  # share
    6.251,  # alike
    5.275,  # own
    -2.034,  # telling
    0.508,  # rare
    0.155,  # mass
    0.085,  # preference
    -0.969,  # every
    -1.958,  # size
    -2.098,  # alone
)
QUESTION = (
    0.738,  # ours
    0.830,  # who
    0.621,  # work
    -1.518,  # general
    -0.724,  # chore
    -1.400,  # headed
    -0.205,  # quotes
    -0.369,  # asks
    -0.785,  # known
    1.887,  # known_telling
    0.618,  # plain
    1.062,  # near
    -1.988,  # length
    0.853,  # best
    -0.185,  # beyond_doubt
    0.041,  # size
    -0.085,  # alone
)
