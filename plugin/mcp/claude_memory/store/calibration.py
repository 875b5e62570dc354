"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

MODEL = "aa63a884e92d49ad"  # the table of word vectors that this was fitted to
LEAST = 0.50  # that a question has to promise
SPREAD = 4.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    3.206,  # share
    13.217,  # alike
    -0.869,  # own
    -1.469,  # telling
    0.410,  # rare
    0.141,  # mass
    0.242,  # preference
    -0.587,  # every
    -1.399,  # size
    -5.214,  # alone
)
QUESTION = (
    0.280,  # ours
    0.232,  # who
    0.667,  # work
    -1.172,  # general
    -0.281,  # chore
    -0.941,  # headed
    -0.384,  # quotes
    0.449,  # asks
    0.314,  # own_work
    -0.129,  # known
    0.358,  # known_telling
    0.263,  # plain
    -1.062,  # near
    -3.190,  # length
    0.725,  # best
    -0.100,  # beyond_doubt
    -2.772,  # size
    0.383,  # crowd
    6.001,  # alone
)
MEANT = 18.498  # what the direction counts in which somebody's own work lies,
SPOKEN = 0.03368  # and what the phrases count
OWN_WORK = bytes.fromhex(  # the direction of meaning
    "a1b48aabb59c59a94781b78795bc3d626a9f626977aa736556876e93705a7765"
    "a4af9b5877988d6b876e8e9660635ca59a7b7b5a6980a2a2528f6d5873bb8a67"
    "7a748c8e82a95d887381868655747c5b8a9f7a707d7741887ba56c7d64719b80"
    "a38d90917a6a758574b1807d5c86757c906b876c7a81887c9b988585787d6a62"
    "959687708c78897e6f9c98804d818b91969f76759063648b957989919177a571"
    "9f4d837689598157766c826c7ca56c778550908771666973868484898776589a"
    "a16682a6897b7b9c7c56655483627273985f9c915593ae8e65807b8295ab7189"
    "88858671829d95a79f818e85864e6e913d957d949a7950775e9a7c828b878b6e"
)
