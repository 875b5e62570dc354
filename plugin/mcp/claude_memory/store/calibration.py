"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

MODEL = "94d8100db7ef7837"  # the table of word vectors that this was fitted to
LEAST = 0.06  # that a question has to promise
OF_FEW = 3.1  # more does not count for own work in a store of few memories
SPREAD = 4.0  # how far behind the best a memory may be that is given with it
MEMORY = (
    2.880,  # share
    13.771,  # alike
    -2.366,  # own
    -1.317,  # telling
    0.371,  # rare
    0.158,  # mass
    0.241,  # preference
    -0.487,  # every
    -1.310,  # size
    -5.315,  # alone
)
QUESTION = (
    0.608,  # own_work
    0.749,  # best
    1.743,  # alone
)
WORDING = (
    0.969,  # ours
    0.701,  # who
    0.731,  # work
    -1.152,  # general
    -0.585,  # chore
    -1.528,  # headed
    -0.142,  # quotes
    -0.577,  # asks
)
MEANT = 18.706  # what the direction counts in which somebody's own work lies,
SPOKEN = 0.36233  # and what the phrases count
OWN_WORK = bytes.fromhex(  # the direction of meaning
    "bcc692b6b1996aab3083ad7d8bc43b6a6d9f6d726ea685665c956f8a7254886f"
    "aca2954d6b958b7590769796656a659c8e8870676789a2a74a8272657bba8e6b"
    "7a72859b82a0558f6a7f8c7b5f6c7e538b9a7b7d927648827996638e547b8982"
    "a4958c8e856f747282a9877a5d7a7d7291707160778b956da1939287757b6558"
    "99938466846f88736b8e9e6e66817c8998a3837c7e725c7d96858f959878a87e"
    "a15576838b698559735c876989aa69839448887b796b676d79878e88a782649c"
    "9b697cae966d728f6c6c746b8f6b767c9a5c87915f89ab876e7d8d6f81937087"
    "8d9390827ba2a997917889818c5666803e9f7288916d4d7a669c838d907e8c60"
)
