"""The phrases that announce something worth keeping, in nine languages; rules.py weighs them.

A STRONG cue is enough by itself. A WEAK one counts only in a sentence that speaks neither of a
single occasion nor of something broken (VETO). A question or a request to explain (REQUEST) counts
only when it asks for something lasting (ASKED). Each pattern is tried on a lower-case sentence.
"""

from __future__ import annotations

import re

from claude_memory.learn import cues_english, cues_other
from claude_memory.learn.cues_english import CORRECTION, DECISION, FACT, PREFERENCE

KINDS = (CORRECTION, PREFERENCE, DECISION, FACT)


def any_of(*patterns: str) -> re.Pattern[str]:
    """Return a pattern that is found where any of `patterns` is."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


STRONG = {kind: any_of(*cues_english.STRONG[kind], *cues_other.STRONG[kind]) for kind in KINDS}
WEAK = {
    kind: any_of(*cues_english.WEAK[kind], *cues_other.WEAK[kind]) for kind in (PREFERENCE, FACT)
}
VETO = any_of(
    (
        r"\b(?:for now|right now|this time|just this once|temporarily|for the moment|in this "
        "(?:case|test|function|file|commit|pr|branch|one)|for this (?:one|test|commit|pr|task|"
        r"file|change)|until (?:i|we|you|it)\b|yet\b|today\b|(?:the|this) (?:bug|issue|error|"
        r"failure|exception)|just now|earlier|yesterday|again\b|still (?:see|get|fail))"
    ),
    (
        r"\b(?:erstmal|vorerst|diesmal|gerade|noch nicht|heute|pour l'instant|cette fois|por "
        r"ahora|esta vez|por enquanto|desta vez|per ora|stavolta)\b|(?:这次|暂时|今回は|"
        "とりあえず|이번에는|일단)"
    ),
    (
        r"\b(?:fail(?:s|ed|ing|ure)?|broken?|breaks?\b|breaking(?! changes)|crash(?:es|ed|ing)?|"
        "not working|doesn'?t (?:work|start|compile|build|load)|won'?t (?:start|work|compile|build|"
        r"load)|stuck|slow|down\b|red\b|hang(?:s|ing)?|timing out|times? out|throw(?:s|ing)?|"
        r"flaky|leak(?:s|ing)?|missing|empty|wrong\b|complain(?:s|ing)?|returns? (?:an? )?(?:null|"
        r"none|error|404|500|undefined|empty|nothing|wrong|401|403)|error(?:s|ed)?\b|exception|"
        r"traceback|segfault|bug(?:s|gy)?\b|unable|cannot|locked|offline|unavailable|unreachable|"
        r"not (?:responding|reachable)|can'?t|not found|full\b|out of (?:memory|disk|sync|date))"
    ),
    (
        r"\b(?:kaputt|fehlgeschlagen|schlägt fehl|schlagen fehl|funktioniert nicht|geht nicht|"
        r"langsam|hängt|stürzt|fehler\w*|cassée?s?|échoue(?:nt)?|plante|ne (?:marche|fonctionne) "
        "(?:pas|plus)|lente?s?|erreurs?|rot[oa]s?|falla(?:n|ndo)?|no funciona|caíd[oa]|"
        "quebrad[oa]s?|falhando|falha|não funciona|lent[oa]|erros?|rott[oaei]|fallisce|non "
        r"(?:funziona|va)|errore)\b"
    ),
    (
        "(?:失败|报错|出错|错误|挂了|坏了|很慢|失敗|エラー|動かない|落ちて|壊れ|遅い|실패|오류|"
        "에러|안 돼|느려|깨졌)"
    ),
    (
        "^(?:can(?! we (?:please )?not)|could|would|will|do(?! not)|does|did|is|are|should|shall|"
        r"what|why|how|when(?! you)|where|which|who|if(?! you))\b"
    ),
    (
        r"^(?:i think|i guess|maybe|perhaps|it seems|it looks|looks like|probably|the docs say)\b|"
        r"\bneeds? (?:a|an|some|more) |\bshould (?:be able|have|take|show|return)\b"
    ),
    (
        r"\b(?:buttons?|pages?|homepage|menus?|tooltips?|columns?|forms?|modal|headers?|footer|"
        "hero|sidebar|screens?|dropdowns?|spinner|icons?|toast|checkbox(?:es)?|dialogs?|div|"
        r"labels?|radio|formular\w*|formulaire|formulario|formulário|pulsante|botón|botão|"
        r"bouton)\b|(?:表单|标题|按钮|フォーム|ページ|ボタン|페이지|버튼)"
    ),
    (
        r"\b(?:let me know|tell me|show me|explain (?:how|why|what)|i(?:'m| am) (?:not sure|"
        r"wondering|trying)|i (?:need|think|guess) (?:you )?to)\b"
    ),
)
REQUEST = any_of(
    r"^(?:thanks|thank you)\b(?!.*\bbut\b)",
    (
        "^(?:please |can you |could you )*(?:explain|tell me|show me|translate|summari[sz]e|find "
        "out|check (?:if|whether|that)|why|what|how|when(?! you)|where|which|who|is|are|does|do "
        r"you|did|have we|should we)\b"
    ),
    (
        r"^(?:please |now |can you |could you )*(?:write|tell|compose|draft|invent|make up|imagine|"
        r"create|give)(?: me| us)? (?:an?|the|some|another) (?:[\w-]+ ){0,3}?(?:story|poem|joke|"
        r"haiku|song|dialog(?:ue)?|scene|tale|novel|letter|e?-?mail|tweet|essay|speech|sketch)\b"
    ),
    (
        r"^(?:bitte )?(?:schreibe?|erzähle?|erfinde) (?:mir |uns )?(?:eine?n?) (?:[\w-]+ ){0,3}?"
        r"(?:geschichte|gedicht|witz|brief|e?-?mail|lied|rede)\b|^(?:écris|raconte|invente)"
        r"(?:-moi)? une? (?:[\w-]+ ){0,3}?(?:histoire|poème|lettre|"
        r"mail|blague|chanson)\b|^(?:escribe|"
        r"escreva|inventa|invente|scrivi|racconta)(?:me|mi)? (?:una?|uma?|uno) (?:[\w-]+ ){0,3}?"
        r"(?:cuento|historia|história|poema|carta|correo|chiste|conto|e-?mail|piada|storia|racconto|"
        r"poesia|lettera|barzelletta|canzone|canción)\b"
    ),
    (
        "^(?:请)?(?:帮我)?写(?:一)?(?:个|首|篇|封).{0,30}(?:故事|诗|信|邮件|笑话|小说)|(?:物語|詩|手紙|"
        "小説|メール)を書いて|(?:이야기|시|편지|소설|메일)를? ?써"
    ),
    (
        r"\b(?!(?:i|we|you|already|just|as|also|always)\b)[\w-]+ (?:wrote|writes|says|said|"
        r"replied|claims?)[:,]? (?:that )?i\b"
    ),
    (
        "^(?:erkläre?|zeige?|warum|wieso|was|wie|wann|explique|montre|pourquoi|comment|explica|"
        r"muestra|por qué|por que|cómo|como|spiega|mostra|perché)\b"
    ),
)
ASKED = any_of(
    (
        r"\b(?:can|could|would|will) you (?:please )?(?:always|never|remember (?:that|to|my|our|i|"
        r"we|this)|stop \w+ing|keep in mind|from now on)\b"
    ),
    r"\bfrom now on\b|\bin (?:the )?future\b|\bgoing forward\b|\bunless i\b",
    (
        r"\b(?:kannst|könntest) du (?:dir )?(?:bitte )?(?:immer|merken|ab jetzt|künftig)\b|\bà "
        r"partir de maintenant\b|\bde ahora en adelante\b|\ba partir de agora\b|\bd'ora in poi\b"
    ),
    "(?:以后|今后|今後|これから|앞으로)",
)
