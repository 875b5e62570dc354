"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

LEAST = 1.18  # that a question has to promise
SPREAD = 3.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    4.974,  # share
    7.898,  # alike
    2.411,  # own
    -1.469,  # telling
    0.349,  # rare
    0.209,  # mass
    0.938,  # preference
    1.065,  # here
    -1.699,  # every
    -8.183,  # alone
)
QUESTION = (
    0.745,  # ours
    0.452,  # who
    0.686,  # work
    -1.417,  # general
    -0.771,  # chore
    -1.008,  # headed
    -0.595,  # quotes
    0.749,  # asks
    1.161,  # known
    0.158,  # known_telling
    -0.507,  # plain
    3.483,  # near
    -2.704,  # length
    0.476,  # best
    0.203,  # beyond_doubt
    -0.163,  # alone
)
