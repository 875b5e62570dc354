"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

LEAST = 1.07  # that a question has to promise
SPREAD = 3.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    4.927,  # share
    8.081,  # alike
    2.460,  # own
    -1.050,  # telling
    0.253,  # rare
    0.196,  # mass
    0.983,  # preference
    1.050,  # here
    -1.706,  # every
    -8.262,  # alone
)
QUESTION = (
    0.796,  # ours
    0.474,  # who
    0.717,  # work
    -1.297,  # general
    -0.761,  # chore
    -0.992,  # headed
    -0.644,  # quotes
    0.789,  # asks
    1.125,  # known
    0.223,  # known_telling
    -0.614,  # plain
    4.318,  # near
    -2.748,  # length
    0.453,  # best
    0.178,  # beyond_doubt
    -0.509,  # alone
)
