"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

LEAST = 0.91  # that a question has to promise
SPREAD = 3.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    4.788,  # share
    6.241,  # alike
    5.316,  # own
    -2.052,  # telling
    0.513,  # rare
    0.155,  # mass
    0.080,  # preference
    -0.955,  # every
    -1.961,  # size
    -2.090,  # alone
)
QUESTION = (
    0.735,  # ours
    0.827,  # who
    0.622,  # work
    -1.518,  # general
    -0.722,  # chore
    -1.388,  # headed
    -0.209,  # quotes
    -0.379,  # asks
    -0.790,  # known
    1.894,  # known_telling
    0.638,  # plain
    1.135,  # near
    -1.945,  # length
    0.851,  # best
    -0.184,  # beyond_doubt
    0.034,  # size
    -0.094,  # alone
)
