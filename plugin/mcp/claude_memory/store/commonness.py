"""Knows which words are common, so that a store of three memories does not take them for rare. Hot.

`share` is a guess at how many of all memories hold a word, before this store has been counted.
"""

from __future__ import annotations

STOP = frozenset(
    "a about above after again against ain all also am an and any are aren as at be because been"
    " before being below between both but by can cannot could couldn d did didn do does doesn doing"
    " don down during each etc few for from further had hadn has hasn have haven having he her here"
    " hers herself him himself his how however i if in into is isn it its itself just let ll m may"
    " me might mine more most much must mustn my myself need no nor not now of off on once only or"
    " other ought our ours ourselves out over own please re really s said same shall shan she"
    " should shouldn so some still such t than that the their theirs them themselves then there"
    " these they this those through to too under until up upon us ve very was wasn we well were"
    " weren what when where whether which while who whom whose why will with won would wouldn yes"
    " yet you your yours yourself yourselves".split()
)
ORDINARY = frozenset(
    "able add added adding answer app application apply around ask back bad best better bit bug"
    " build call change changes check class code come command comment create data day default"
    " delete different directory does done easy edit end error example explain fail failed failing"
    " failure feature file files find first fix folder following function get give given go going"
    " good got great happen help hi hello hey idea implement import instead issue keep kind know"
    " last left like line lines list little live log long look looking lot made main make making"
    " many maybe mean message method missing module move name new next nice number ok okay old one"
    " open option output package page part pass path people place plan point possible print problem"
    " program project put question quick read ready refactor remove rename repo repository result"
    " return review right run running say see send set setup show simple small something sort start"
    " stop sure take talk task tell test tests text thank thanks thing things think time today told"
    " try turn two type understand update use used user users using value version wait want way"
    " week work working works write writing wrong year yesterday".split()
)
RARE = 0.002
SHORT = 0.02
COMMON = 0.2
SHORT_LENGTH = 3


def is_stop(text: str) -> bool:
    """Tell whether a term says nothing by itself."""
    return text in STOP or (len(text) == 1 and text.isascii() and text.isalpha())


def share(text: str) -> float:
    """Guess the share of memories that hold a term."""
    if text in ORDINARY:
        return COMMON
    return SHORT if len(text) <= SHORT_LENGTH and text.isascii() else RARE
