"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

MODEL = "94d8100db7ef7837"  # the table of word vectors that this was fitted to
LEAST = 0.23  # that a question has to promise
OF_FEW = 2.8  # more does not count for own work in a store of few memories
SPREAD = 4.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    2.861,  # share
    13.839,  # alike
    -2.520,  # own
    -1.352,  # telling
    0.377,  # rare
    0.156,  # mass
    0.256,  # preference
    -0.460,  # every
    -1.345,  # size
    -5.176,  # alone
)
QUESTION = (
    0.608,  # own_work
    0.760,  # best
    -0.046,  # beyond_doubt
    1.869,  # alone
)
WORDING = (
    0.942,  # ours
    0.742,  # who
    0.735,  # work
    -1.194,  # general
    -0.606,  # chore
    -1.538,  # headed
    -0.060,  # quotes
    -0.602,  # asks
)
MEANT = 18.960  # what the direction counts in which somebody's own work lies,
SPOKEN = 0.36365  # and what the phrases count
OWN_WORK = bytes.fromhex(  # the direction of meaning
    "baba94bab3996aa63381ae7c88c43a656c9f6e6e6ea6826a5c95708c7255876f"
    "aca4954f7098887491739795656f639e8e8e7267658aa1a54c86766575bb9065"
    "79718a9a809c55906a838d795f6a7c56899f75778f7447847d945d8b53788f80"
    "a494888e8671737381a884755d7980708f74715f7885946ea0938e86757c655c"
    "98937f64827386746e8d9c6f6283778d96a27f7980705c7d988394939579ac7d"
    "a1547c828b69855a7659886a8ba767839646877d796a6d6d7d898888a487669d"
    "9b6e7bac956a738c7268746a926c797b9a5a878b5a89aa896f7e8e707e977284"
    "91958d7e77a2a8999879887d8a5866833ea6728e9a7547796999828a97818d62"
)
