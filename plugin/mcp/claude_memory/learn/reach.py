"""How far a statement reaches: to one project, or wherever its user goes.

Only what is clearly about the person, or how to speak with the person, reaches everywhere. Whatever
says "here" or "this service" stays in its project. All else is left open: it stays in its project
too, unless it replaces what holds everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_memory.learn import events
from claude_memory.learn.cues import any_of
from claude_memory.learn.rules import plain, sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from claude_memory.learn.events import Event

PROJECT, EVERYWHERE, OPEN = "project", "global", ""

PLACE = any_of(
    r"(?<!^)\bhere\b|^here (?:we|all|every|use|you|the)\b",
    (
        r"\bthis (?:[\w-]+ ){0,2}?(?:repo|repository|project|code ?base|app|application|"
        r"monorepo|workspace|package|service|module|library|component|site|website|webshop|shop|"
        r"backend|frontend|pipeline|product|plugin|server|crate|folder|directory)\b"
    ),
    r"\b(?:the|our) (?:repo|repository|project|code ?base|monorepo)\b",
    (
        r"\bhier\b|\bdiese[mnrs]? (?:[\w-]+ )?(?:repo|repository|projekt|codebase|app|dienst|"
        r"service|paket|modul|webshop|backend|frontend)\b|\b(?:unser(?:em|es)?|das|im) (?:repo|"
        r"repository|projekt)\b"
    ),
    r"\bici\b|\b(?:ce|cette|cet|notre|le) (?:projet|dépôt|service|appli\w*|module|code)\b",
    (
        r"\baquí\b|\b(?:este|esta|nuestr[oa]|el) (?:proyecto|repositorio|repo|servicio|aplicación|"
        r"módulo)\b"
    ),
    (
        r"\baqui\b|\b(?:n?est[ea]|n?ess[ea]|noss[oa]|n?o) (?:projeto|repositório|repo|serviço|app|"
        r"módulo)\b"
    ),
    r"\bqui\b|\b(?:quest[oa]|nostr[oa]|il|nel) (?:progetto|repository|repo|servizio|app|modulo)\b",
    r"这里|(?:这个|本|该|我们的)(?:项目|仓库|代码库|服务|应用)",
    r"ここで|(?:この|本|当)(?:プロジェクト|リポジトリ|サービス|アプリ|コード)",
    r"여기|(?:이|우리|본) ?(?:프로젝트|저장소|리포|서비스|앱)",
)
TOGETHER = any_of(
    r"\b(?:we|we're|we've|we'll|we'd|us|our|ours|let's)\b",
    r"\b(?:wir|uns|unser\w*|nous|notre|nos|nosotros|nuestr\w+|nós|noss\w+|a gente|noi|nostr\w+)\b",
    r"\bon (?:a|utilise|part|reste|passe|garde|déploie|travaille|teste)\b",
    r"\b\w{2,}(?:amos|emos|imos|iamo)\b",
    r"我们|咱们|团队|私たち|私達|我々|弊社|当社|うちの|うちでは|チーム|우리|저희",
)
# Said in the first person, but not of it.
REPORTED = any_of(
    (
        r"\bi(?:'ve| have| had)? (?:already |just |also |finally |clearly )*(?:said|meant|mean|"
        r"told|asked|decided|chose|chosen|settled|picked|think|guess|moved|switched|renamed|fixed|"
        r"added|changed|found)\b"
    ),
    (
        r"\bich (?:sagte|meinte|meine|glaube|denke|habe (?:[\w-]+ ){0,4}?(?:gesagt|gemeint|"
        r"entschieden|beschlossen))\b|\bj'ai (?:déjà )?(?:dit|décidé|choisi)\b"
    ),
)
PERSON = any_of(
    (
        r"\bi(?:'m|'d|'ve|'ll)\b|\bi (?:(?:really|do|also|only|always|never|usually|mostly|mainly|"
        r"much|strongly|generally|often|still|would|will|can|could|must|should|just) )*(?:prefer|"
        r"like|love|want|need|hate|dislike|use|work|live|am|have|don'?t|do not|can'?t|can|speak|"
        r"code|develop|run|write|read|own|expect|lead|study|teach|maintain|would|ask|say|tell|am|"
        r"drive|eat|drink|avoid|keep|favou?r|type|learn|know|was|were|commute|sleep|get|go|play)\b"
    ),
    r"\b(?:my|mine|myself)\b",
    r"\b(?:ask|asking|tell|telling|show|call|remind|address|warn|give|consult|consulting) me\b",
    r"\b(?:ich|mich|mir|mein(?:e[mnrs]?)?)\b",
    r"\b(?:je|moi|mon)\b|\b[jm]'",
    r"\b(?:yo|mi|mis|mí|conmigo|prefiero|odio|detesto|quiero|vivo|soy|me gustan?)\b|^uso\b",
    r"\beu\b(?!-)|\b(?:meus?|minhas?|comigo|prefiro|odeio|quero|moro|sou|gosto)\b",
    r"\b(?:io|mio|mia|miei|mie|preferisco|voglio|abito)\b",
    r"\b(?:trabajo|trabalho|lavoro) (?:en|como|para|n[ao]|em|com?|come|in|per|da|alla)\b",
    r"我(?!们)|(?:私|僕|俺)(?!たち|達|ら)|好き|嫌い|好み",
    r"(?:^| )(?:나는|난|내가|내|저는|전|제가|제) |선호|좋아|싫어",
)
# How to speak with the person: an order, not what else answers, speaks and replies.
ORDER = (
    r"(?:^|[,:;] |\byou (?:to|should|must|can) )(?:(?:please|also|and|but|so|ok|always|never|only|"
    r"do not|don't|stop|just|from now on|in (?:the )?future|going forward|bitte|immer|nie|nur|ab "
    r"jetzt|ab sofort|künftig|por favor|siempre|sempre|toujours|désormais|dorénavant|de ahora en "
    r"adelante|a partir de (?:ahora|agora)|d'ora in poi|s'il te plaît),? )*"
)
MANNER = any_of(
    (
        ORDER + r"(?:answer|reply|respond|apologi[sz]|antworte|sprich|duze|sieze|réponds|parle-moi|"
        r"tutoie|vouvoie|responde|contesta|háblame|tutéame|responda|fale comigo|rispondi|parlami)"
        r"(?:e|ing|en|n sie)?\b"
    ),
    r"\b(?:speak|talk|write) (?:to me|(?:only )?(?:in )?(?:english|german|french|spanish)\b)",
    r"\byour (?:answers?|repl(?:y|ies)|responses?|explanations?|tone)\b|\bdeine antworten\b",
    r"\b(?:tes réponses|tus respuestas|tuas respostas|le tue risposte)\b",
    r"回答|回复|答复|答えて|返事|返答|日本語で話|대답|답변|답해",
)
ALL_PROJECTS = any_of(
    r"\b(?:all|every|any|each)(?: of)?(?: my| our| the)? (?:projects?|repos?|repositories)\b",
    r"\ball(?:en|e) (?:meine[nr]? )?projekten?\b|\btous (?:les|mes) projets\b",
    r"\btodos (?:los|mis|os|meus) (?:proyectos|projetos)\b|\btutti i (?:miei )?progetti\b",
    r"所有(?:的)?项目|(?:すべて|全て|全部)のプロジェクト|모든 프로젝트",
)


def of_event(event: Event, words: Sequence[str]) -> str:
    """Tell how far an event reaches, by its text and by the sentence that it stands on."""
    content = events.unquoted(event.content)
    said = list(sentences(words)) or list(words)
    source = max(said, key=lambda one: events.overlap(content, [one]), default="")
    here = PLACE.search(plain(content)) and not ALL_PROJECTS.search(plain(content))
    return PROJECT if here else of(source or content)


def of(sentence: str) -> str:
    """Tell how far a sentence of the user reaches."""
    text = plain(sentence)
    if ALL_PROJECTS.search(text):
        return EVERYWHERE
    if PLACE.search(text):
        return PROJECT
    own = REPORTED.sub(" ", text)
    is_own = PERSON.search(own) or MANNER.search(own)
    return EVERYWHERE if is_own and not TOGETHER.search(own) else OPEN
