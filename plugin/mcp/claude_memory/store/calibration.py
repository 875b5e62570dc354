"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

MODEL = "358c6a018f3adf71"  # the table of word vectors that this was fitted to
LEAST = 0.90  # that a question has to promise
SPREAD = 3.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    4.675,  # share
    7.677,  # alike
    5.183,  # own
    -2.028,  # telling
    0.521,  # rare
    0.151,  # mass
    0.496,  # preference
    -1.041,  # every
    -1.905,  # size
    -2.845,  # alone
)
QUESTION = (
    0.626,  # ours
    0.558,  # who
    0.750,  # work
    -1.721,  # general
    -0.615,  # chore
    -1.696,  # headed
    -0.566,  # quotes
    0.577,  # asks
    4.824,  # own_work
    -0.320,  # known
    0.863,  # known_telling
    0.056,  # plain
    0.639,  # near
    -2.676,  # length
    0.623,  # best
    -0.005,  # beyond_doubt
    -2.767,  # size
    0.412,  # crowd
    4.755,  # alone
)
OWN_WORK = bytes.fromhex(  # the direction of meaning in which somebody's own work lies
    "731aca68b9819ea1427626576fb23b7bb46678d4b647858bab73998c85b47292"
    "644e9aa0908d498d9e61826c9276727a86525e92a9a16ea9879e8590537b9d6f"
    "8b85866e57976596a279a37d997083758ea39d6f7b977b7f696f6186a08b9c7d"
    "9964926e8187708086758687938ab1938a628d708d9274877c89737795b0848d"
    "77748f936b707a57884f7d8ca15b91777f8a847676777a90a19885946e727177"
    "88b17f768a7e91a276768a736e627f7eaf73a87b43818e7a8a5f84839680727b"
    "8c7e7e7e9487758282818d749c7c59819186697f888c6d8091769e878c7d6f9e"
    "7d6e6b95927f7e8d6b8e8782a6969a8a99987b7e886f889e7671898786858866"
)
