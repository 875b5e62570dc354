"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

MODEL = "c693d517ee598619"  # the table of word vectors that this was fitted to
LEAST = 0.80  # that a question has to promise
SPREAD = 4.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    4.058,  # share
    9.986,  # alike
    1.659,  # own
    -1.712,  # telling
    0.438,  # rare
    0.155,  # mass
    0.431,  # preference
    -1.050,  # every
    -1.502,  # size
    -4.384,  # alone
)
QUESTION = (
    0.624,  # ours
    0.602,  # who
    0.664,  # work
    -1.233,  # general
    -0.465,  # chore
    -1.538,  # headed
    -0.513,  # quotes
    0.468,  # asks
    0.246,  # own_work
    -0.506,  # known
    0.634,  # known_telling
    0.392,  # plain
    0.615,  # near
    -3.369,  # length
    0.627,  # best
    0.017,  # beyond_doubt
    -3.293,  # size
    0.457,  # crowd
    6.567,  # alone
)
MEANT = 19.482  # what the direction counts in which somebody's own work lies,
SPOKEN = 0.03084  # and what the phrases count
OWN_WORK = bytes.fromhex(  # the direction of meaning
    "b3b49a8dae9e50b34e95a18c91bb3c7559927e787ca45628528a6d7c6f717d75"
    "8ab7a63d5f929675769080997d707d9b9e6381607a71a793676870806b966e6c"
    "7080788c879870976e5c8a8f5d617d4f878e776c7a844a7d78999a9c7868a36b"
    "96a785a0656f888f52ae868b59838a6c8679907089917f7a87899f75677b8677"
    "90ab9481606579826993748b5d6e827b988b8383937275786671898e8062bf7a"
    "945ca6729b6f8e5f94769e817a947872916485947579547583786a98936e8598"
    "9d7c87a2a6797d98886e6e63778084808d6879955b8b7d77647086898c876899"
    "997c8e678cb29ea59b819178ba5b56b33c8d858381685f6c4e86817e8c83778e"
)
