"""Whether a person asks not to keep what was said, or to forget something, in nine languages. Hot.

What is no such request, for all that it has the same words, is a rule of work: "never store
passwords in clear text", "don't forget the changelog", "forget npm, we use pnpm". The languages are
those of the cues of auto-learn.

Each pattern is tried on lower-case text in which "^" begins a line. Where a verb also belongs to
the work itself (store, save, keep), its object must be what was said, or something of the person's,
and no place may follow: "don't save this in git" is a rule of work.
"""

from __future__ import annotations

import re

from claude_memory.hooks import typed

BLANKS = re.compile(r"[^\S\n]+")
END = r"\s*(?:$|[.,:;!?)\u2013\u2014-])"
LAST = r"(?: (?:please|again|now|too|ever))?[ .!]*\Z"  # nothing is said after it

# English
LEAD = (
    r"(?:^|[.!?;:,(\u2013\u2014-] ?|\b(?:please|pls|and|but|so|also|just|ok|okay|hey|well|btw|"
    r"then|now|actually|or) )"
)
ASKED = (
    r"(?:" + LEAD + r"|\b(?:can|could|will|would|should|may|must) you (?:please |just )*|\byou "
    r"(?:can|should|may|must|could) (?:please |just )*|(?<!don't )(?<!not )(?<!never )\bwant "
    r"(?:you|claude) to )"
)
NOT = (
    r"(?:" + LEAD + r"(?:do not|don'?t|never|no need (?:for you )?to) |\bnot to |\byou "
    r"(?:need ?n[o']t|don'?t (?:have|need) to|do not (?:have|need) to|should(?:n'?t| not| never)|"
    r"must(?:n'?t| not| never)|may not|are not to) |\b(?:rather|prefer) (?:that )?you (?:"
    r"didn'?t|did not|don'?t|do not|not) |\b(?:can|could|would|will) you (?:please )?not |"
    r"\bsure (?:that )?you (?:don'?t|do not|never) |\bi (?:don'?t|do not|never) want (?:you|"
    r"claude) "
    r"to |\bno need to )(?:ever |please |even |try to )*"
)
CLAUSE = (
    r"that (?:i|i'm|i've|i'd|i'll|my|we|we're|we've|our|he|he's|she|she's|they|they're|you|his|"
    r"her|their|there|the|[\w'-]+(?: [\w'-]+){0,2} (?:is|are|was|were|has|have|had|will|likes?|"
    r"hates?|prefers?|lives?|works?|owns?|wants?|needs?|uses?|earns?))\b"
)
SAID = (
    r"(?:(?:this|that|these)(?: (?:information|info|conversation|message|chat|fact|detail)s?)?|it|"
    r"those|any of (?:this|that|it)|anything(?: i (?:say|said))?|the following|what follows)"
)
FOR_LATER = (
    r"(?: (?:down|away|anywhere|at all|either|for later|for (?:the )?(?:future|next time)|please|"
    r"(?:in|to|into) (?:your |long-term )?memor(?:y|ies)))*"
)
STORE = r"(?:store|save|keep|record|retain|note|hold on to)"
STORED = r"(?:stored|saved|kept|recorded|retained|noted|written down)"
MINE = r"(?:my|his|her)(?: (?!(?:in|into|to|on|as|inside|under)\b)[\w'-]+){1,4}" + END
IN_MEMORY = r"(?:in|to|into|from|out of) (?:your|claude'?s) (?:long-term )?memor(?:y|ies)\b"
KNOWN = r"(?:know|have|stored|saved|learn(?:ed|t)|remember|noted|kept)"
NOTHING_SAID = r"my (?:last|previous|earlier|first|second) (?:message|instruction|request|prompt)"

ENGLISH = (
    NOT
    + (
        r"(?:remember|memori[sz]e|keep (?:\w+ ){1,3}in mind|bear (?:\w+ ){0,2}in mind|"
        r"commit \w+ to "
        r"memory|learn (?:from |about )?(?:this|that|it|anything|any of|what i|me|my)\b|(?:make|"
        r"take|keep) (?:a |any )?(?:notes?|memor(?:y|ies)) (?:of|about|on|that)\b|keep (?:a |any )?"
        r"(?:record|trace)s? of (?:this|that|it|me|my|what i|anything i)\b)"
    ),
    NOT + STORE + "(?: " + SAID + FOR_LATER + END + "|:)",
    NOT + "(?:add|put|write) " + SAID + r" (?:in|into|to) (?:the )?memory" + END,
    NOT + r"(?:write|jot|put) " + SAID + " down" + FOR_LATER + END,
    NOT
    + STORE
    + " (?:"
    + CLAUSE
    + r"|(?:what|where|when|who|how|why) (?:i|we|my)\b|anything i (?:say|said|tell)\b)",
    NOT + STORE + " " + MINE,
    NOT + STORE + r" (?:\w+ ){0,2}?(?:anything|details|notes?|data|information|facts?) (?:about|"
    r"on) (?:me|my)\b",
    NOT + "(?:" + STORE + r"|write|put|add|log) [^.?!\n]{1,60} " + IN_MEMORY,
    (
        r"\bi (?:don'?t|do not|never) want (?:this|that|it|these|any of (?:this|that)|my(?: "
        r"[\w'-]+){1,3}?) (?:to be |to get )?(?:remembered|memori[sz]ed|learn(?:ed|t)|"
        + STORED
        + FOR_LATER
        + END
        + ")"
    ),
    (
        r"\b(?:this|that|it|these|those) (?:should|must|shall|may|can|need|is|are)(?:n'?t| not| "
        r"never)(?: to)? (?:ever )?(?:be )?(?:remembered|memori[sz]ed|learn(?:ed|t) from|"
        + STORED
        + FOR_LATER
        + END
        + ")"
    ),
    (
        r"\bnothing (?:of this|in this \w+|i (?:say|said)|about (?:this|"
        r"me))[^.?!\n]{0,30} (?:remembered|"
        r"stored|saved|kept)\b"
    ),
    r"\boff[ -]the[ -]record\b|\bfor your (?:eyes|ears) only\b",
    r"\b(?:ignore|skip) (?:this|that|it) (?:for|in) your memory\b",
    r"(?:^|[.!?] )(?:just |strictly )?between (?:us|you and me|the two of us)\s?[,:\u2013\u2014-]",
    (
        r"\b(?:keep|leave) (?:this|that|it) (?:just |strictly )?(?:between (?:us|you and me)|to "
        r"yourself|off the record|out of (?:your |the )?(?:memor|notes|records))"
    ),
    (
        r"\b(?:this|that|it) (?:is|stays|remains) (?:just |strictly )?(?:between (?:us|"
        r"you and me)\b|not for (?:your |the )?(?:memory|notes?)\b)"
    ),
    r"\bkeep (?:this|that) (?:strictly )?confidential\b|\bdon'?t go (?:remember|memori[sz])ing\b",
    r"\b(?:don'?t|do not|never) want [^.?!\n]{1,30} (?:in|on) your (?:memory|memories|records?)\b",
    (
        r"\brather (?:this|that|it) (?:wasn'?t|was not|weren'?t|were not|not be) (?:remembered|"
        + STORED
        + ")"
    ),
    r"\bno (?:memor(?:y|ies)|notes?|records?) (?:of|about) (?:this|that|me)\b",
    (
        r"\bstop (?:remembering|memori[sz]ing|learning (?:from|about|that)\b|(?:saving|"
        r"storing|keeping|recording|noting) (?:my|this|that|it|what i|anything)\b)"
    ),
    (
        ASKED
        + r"forget (?:(?:it |the fact )?"
        + CLAUSE
        + r"|(?!"
        + NOTHING_SAID
        + r")(?:about )?(?:my|"
        r"his|her|me|him|what (?:i|we|you)|where (?:i|my)|who (?:i|my)|how (?:i|my)|when (?:i|"
        r"my)|(?:everything|anything|all|whatever)(?: of)? (?:that )?(?:i|we|you|about|this|my))\b|"
        r"(?:that )?(?:i|we) (?:ever|said|told|mentioned|talked|discussed|spoke)\b|(?:the|this|"
        r"that|these|those|any|all|every|your) (?:[\w'-]+ ){0,2}?(?:memor(?:y|ies)|notes?|"
        r"preferences?)\b|[\w-]+'s \w|(?:the|that) [^.?!\n]{1,20} about (?:my|me|his|her)\b|"
        r"(?:this|that|the) [^.?!\n]{1,30} of mine\b|"
        r"(?:memory )?(?:l|#)\d+\b|(?:this|that) (?:conversation|chat|"
        r"session)\b|(?:about )?(?:this|that|it)" + LAST + ")"
    ),
    (
        ASKED
        + r"(?:delete|remove|purge|erase|wipe|drop|discard|clear|get rid of|throw away|unlearn) "
        r"(?:(?:[\w'-]+ ){0,3}?memor(?:y|ies)(?: (?:that|which|about|of|on|with|saying|where|entry|"
        r"entries|you|i)\b|(?: (?:l|#))\d|"
        + END
        + r")|[^.?!\n]{1,60} "
        + IN_MEMORY
        + r"|(?:the|that|any|all|your) (?:\w+ )?(?:notes?|facts?|entr(?:y|ies)|"
        r"information) (?:about|"
        r"on) (?:me|my|his|her)\b"
        + r"|(?:this|that|it|my(?: [\w'-]+){1,3}?) from (?:the )?memory\b|(?:what|everything|"
        r"anything|all) (?:that )?you(?:'ve| have)? " + KNOWN + r"\b|(?:memory )?l\d+\b)"
    ),
    ASKED + r"(?:purge|erase|unlearn) (?:" + CLAUSE + r"|(?:my|me|what i|everything|all)\b)",
)

GERMAN_THIS = r"(?:(?:das|dies\w*|es|bitte|auch|jetzt|lieber|davon|hiervon|mein\w*(?: \w+)?) )"
GERMAN_NOT = r"(?:nicht|nie|niemals|nirgends|nichts)\b"
GERMAN_KEEP = r"(?:ab)?(?:speicher|merk|notier|aufschreib|aufzuschreib|behalt|einpräg)\w*"
GERMAN = (
    r"\b(?:merke?|präge?) (?:dir |euch )" + GERMAN_THIS + "*" + GERMAN_NOT,
    r"\bmerken sie sich " + GERMAN_THIS + "*" + GERMAN_NOT,
    (
        r"\b(?:speichere?|notiere?|behalte?|"
        r"schreibe?) (?:dir )?(?:bitte )?(?:nicht,? (?:dass|wo|wie|was|"
        r"wer|wann|ob)\b|"
        + GERMAN_THIS
        + "+"
        + GERMAN_NOT
        + r"(?: auf)?(?! (?:in|im|ins|auf|unter|als|am)\b(?! gedächtnis)))"
    ),
    (
        r"(?:^|[.!?,:] ?)(?:das|dies|es|davon|hiervon|mein\w* \w+) (?:[^\W\d]+ ){0,4}?"
        + GERMAN_NOT
        + r" (?:zu |mehr )?(?:dir )?(?:zu )?"
        + GERMAN_KEEP
    ),
    r"\bnichts (?:davon|hiervon) (?:[^.?!\n]{0,20} )?(?:speicher|merk|notier|behalt)",
    r"(?:^|[.!?] ?)(?:bitte )?nicht (?:ab)?(?:speichern|notieren)\s*[:,]",
    (
        r"\b(?:möchte|will) nicht,? dass (?:du|sie) (?:(?:dir|sich) [^.?!\n]{0,40}\bmerk|"
        r"(?:das|dies|"
        r"es|mein\w*) [^.?!\n]{0,40}\b(?:speicher|behält|behalt|notier))"
    ),
    r"\bnicht (?:zu )?merken\b|\blerne? (?:das|daraus|davon|hieraus|hiervon) (?:bitte )?nicht",
    (
        r"(?:^|[.!?,:] ?|\b(?:bitte|und|dann|also) )verg(?:iss|esst|"
        r"essen sie)(?: bitte)?(?:,? (?:dass|was ich|wo ich)\b| "
        r"(?:alles\b|mein\w*\b|mich\b|(?:die|diese) (?:erinnerung|notiz)|l\d+\b|"
        r"(?:das|es)(?: (?:bitte|wieder))*[ .!]*\Z))"
    ),
    (
        r"\b(?:lösche?|entferne?|streiche?|löschen sie) (?:[^\W\d]+ ){0,3}?(?:erinnerung(?:en)"
        r"?\b|l\d+\b)"
    ),
    r"\baus (?:deinem|dem|ihrem) gedächtnis\b",
    r"(?:^|[.!?] ?)(?:ganz )?(?:unter uns|im vertrauen)(?: gesagt)?\s?[,:\u2013\u2014-]",
    r"\b(?:das )?bleibt unter uns\b|\bbehalte? (?:das|es) (?:bitte )?für dich\b",
)

FRENCH_WHAT = (
    r"(?: que| qu'| ça| cela| ceci| ce que| mon| ma| mes| cette (?:information|"
    r"conversation))(?![^.?!\n]{0,20} dans (?!ta|votre))\b"
)
FRENCH = (
    r"(?<!tu )\bne te souviens pas\b",
    r"\bne (?:le |la |les |te |t'|vous )*(?:retiens|retenez|mémorise[sz]?|souviens-toi)\b",
    (
        r"\bne (?:pas|jamais) (?:(?:retenir|mémoriser)\b|(?:enregistrer|sauvegarder|noter|"
        r"stocker|garder)"
    )
    + FRENCH_WHAT
    + ")",
    (
        r"\bn(?:e |')(?:(?:le|la|l'|les|te|t') ?)*(?:enregistre|sauvegarde|note|stocke|garde|"
        r"apprends)"
        r"[sz]? (?:pas|jamais|rien)(?:" + FRENCH_WHAT + r"|\s*[:,])"
    ),
    r"\bn(?:e l'|e les |e la |e le )(?:enregistre|sauvegarde|note|stocke|garde)[sz]? (?:pas|jamais)"
    + END,
    (
        r"(?:^|[.!?,:] ?|\b(?:et|alors|mais|plaît,?) )oublie[sz]? (?:que\b|qu'|ce que\b|"
        r"tout\b|mon\b|"
        r"ma\b|mes\b|l\d+\b|(?:le|ce) souvenir|(?:ça|cela)[ .!]*\Z)"
    ),
    r"\b(?:supprime|efface|purge)[sz]? [^.?!\n]{0,30}?(?:souvenirs?\b|de (?:ta|votre) mémoire\b)",
    (
        r"(?:^|[.!?] ?)(?:juste )?entre nous\s?[,:\u2013\u2014-]|\bgarde[sz]? (?:ça|"
        r"cela) pour (?:toi|vous)\b"
    ),
)

SPANISH_WHAT = (
    r"(?: que| esta (?:información|conversación)| esto| eso| mis?| lo que|"
    r" nada)\b(?![^.?!\n]{0,20} en (?!tu|su))"
)
SPANISH = (
    r"\bno (?:lo |la |los |te |hace falta que (?:lo )?)*(?:recuerdes|memorices|te acuerdes)\b",
    r"\bno (?:hace falta que )?(?:guardes|almacenes|anotes|registres|grabes|apuntes|aprendas)(?:"
    + SPANISH_WHAT
    + r"|\s*[:,])",
    r"\bno (?:hace falta que )?l[oa]s? (?:guardes|almacenes|anotes|registres|grabes|apuntes)" + END,
    (
        r"(?:^|[.!?,:¡] ?|\b(?:y|favor,?|pues) )olv[ií]da(?:te|lo)?(?: de)? (?:que\b|lo que\b|"
        r"todo lo "
        r"que\b|mis?\b|l\d+\b|(?:el|ese|este) recuerdo|(?:eso|esto)[ .!]*\Z)"
    ),
    r"\b(?:borra|elimina|purga|quita) [^.?!\n]{0,30}?(?:recuerdos?\b|de (?:tu|su) memoria\b)",
    (
        r"(?:^|[.!?] ?)entre (?:nosotros|tú y yo)\s?[,:\u2013\u2014-]|"
        r"\bque quede entre nosotros\b|\bno tomes nota\b"
    ),
)

PORTUGUESE_WHAT = (
    r"(?: que| esta (?:informação|conversa)| isso| isto| meus?| minhas?| o que|"
    r" nada)\b(?![^.?!\n]{0,20} n[oa]s? )"
)
PORTUGUESE = (
    r"\bnão (?:se |o |a |precisa (?:se )?)*(?:lembr(?:e|es|ar)|memoriz(?:e|es|ar))\b",
    r"\bnão (?:precisa )?(?:guard|salv|armazen|anot|registr|grav|aprend)(?:e|es|ar|a|er)(?:"
    + PORTUGUESE_WHAT
    + r"|\s*[:,])",
    (
        r"(?:^|[.!?,:] ?|\b(?:e|favor,?) )esque(?:ça|ce)(?:-se)?(?: de| do)? (?:que\b|o que\b|tudo "
        r"(?:o )?que\b|meus?\b|minhas?\b|l\d+\b|(?:isso|isto)[ .!]*\Z)"
    ),
    r"\b(?:apague|apaga|exclua|remova|delete) [^.?!\n]{0,30}?(?:lembranças?\b|memórias?\b)",
    r"(?:^|[.!?] ?)(?:cá |aqui )?entre nós\s?[,:\u2013\u2014-]|\bfica entre nós\b",
)

ITALIAN_WHAT = (
    r"(?: che| questo| ciò| quello che| quest[ae] (?:informazion[ei]|conversazione)|(?: il|"
    r" la| i| le)? mi[oae]i?|"
    r" niente)\b(?![^.?!\n]{0,20} (?:in|nel\w*|su\w*) )"
)
ITALIAN = (
    r"\bnon (?:ti |lo |la )*(?:ricordar(?:e|ti|lo)|memorizzar(?:e|lo)|tener(?:e|lo) a mente)\b",
    r"\bnon (?:salvare|conservare|annotare|registrare|imparare)(?:" + ITALIAN_WHAT + r"|\s*[:,])",
    r"\bnon (?:salvarlo|conservarlo|annotarlo|registrarlo)" + END,
    (
        r"(?:^|[.!?,:] ?|\b(?:e|favore,?|ora) )dimentica(?:ti)?(?: di)? (?:che\b|quello che\b|ciò "
        r"che\b|tutto (?:quello|ciò)\b|(?:il |la |i |le )?mi[oae]i?\b|l\d+\b|(?:questo|"
        r"ciò)[ .!]*\Z)"
    ),
    r"\b(?:cancella|elimina|rimuovi) [^.?!\n]{0,30}?(?:ricord[oi]\b|dalla (?:tua )?memoria\b)",
    (
        r"(?:^|[.!?] ?)(?:che )?(?:resti )?(?:tra|fra) (?:di )?noi\s?[,:\u2013\u2014-]|"
        r"\btienilo per te\b"
    ),
)

CHINESE = (
    (
        r"(?:不要|别|不用|不必|请勿|不需要|不许)(?:再|帮我|给我)*(?:把(?:这|那|我|它)[^。\uff01\uff1f\n]{0,20})?"
        r"(?:记住|记下|记得|记忆|(?:记录|保存|存储|学习)(?:这|那|我|下来))"
    ),
    r"(?:不要|别|请勿)把(?:这|那|我|它)[^。\uff01\uff1f\n]{0,20}(?:保存|存下|存到|存进|写入|放进)",
    r"(?:^|[,\uff0c。\uff01\uff1f\uff1b\uff1a:]|请|帮我)忘(?:了|掉|记)(?:我|这|那|关于|刚才)",
    r"(?:^|[,\uff0c。\uff01]|请|帮我)把[^。\uff01\uff1f\n]{1,30}忘(?:了|掉|记)",
    r"(?:删除|清除|删掉|抹掉)[^。\uff01\uff1f\n]{0,20}记忆(?!体)",
    r"私下说|别外传|不要外传",
)

JAPANESE_WHAT = (
    r"(?:これ|それ|この話|このこと|今の話|今のこと|私の|私が|僕の|俺の)[^。\uff01\uff1f\n]{0,30}"
)
JAPANESE = (
    r"(?:覚え|記憶し)(?:ておか)?な(?:いで|くて(?:も)?いい)",
    JAPANESE_WHAT + r"(?:(?:保存|記録|メモ|学習)し|残さ)ないで",
    r"忘れて(?:ください|下さい|くれ|ほしい|欲しい|ね|いい|[。\uff01]|\Z)",
    r"(?:記憶|メモリー?)(?:から|を)(?:消|削除)",
    r"オフレコ|ここだけの話",
)

KOREAN_WHAT = r"(?:이거|이건|이걸|그거|그건|그걸|내|제|이 얘기|이 이야기|방금)[^.!?\n]{0,30}"
KOREAN = (
    r"(?:기억하지|외우지|기억해 두지) ?(?:마|말)|기억(?:할 필요|하지 않아도|안 해도)",
    KOREAN_WHAT + r"(?:저장|기록|메모|학습)하지 ?(?:마|말)",
    r"잊어 ?(?:줘|주세요|버려|주십시오|라\b)",
    r"기억(?:을|에서)? ?(?:삭제|지워)",
    r"우리끼리 ?(?:얘기|이야기|말)|오프더레코드",
)

PATTERNS = (
    *ENGLISH,
    *GERMAN,
    *FRENCH,
    *SPANISH,
    *PORTUGUESE,
    *ITALIAN,
    *CHINESE,
    *JAPANESE,
    *KOREAN,
)
REQUEST = re.compile("|".join(f"(?:{one})" for one in PATTERNS), re.MULTILINE)


def is_asked(text: str) -> bool:
    """Tell whether the text holds such a request; what it quotes as code does not count."""
    plain = typed.FENCED.sub("\n", typed.ends(text)).lower().replace("\u2019", "'")
    return REQUEST.search(BLANKS.sub(" ", plain).strip()) is not None
