"""The same kinds of phrases in eight other languages; cues.py says how they are used.

Each group goes through German, French, Spanish, Portuguese, Italian, Chinese, Japanese, Korean.
"""

from __future__ import annotations

from claude_memory.learn.cues_english import CORRECTION, DECISION, FACT, PREFERENCE

STRONG = {
    CORRECTION: (
        "^nein[,.!:;]? .{8,}",
        r"\bhör auf\b.{3,}",
        r"\bnicht [^.?!]{1,40},? sondern\b",
        r"\b(?:an)?statt (?!dessen$)\w+",
        r"\bdas (?:ist falsch|stimmt nicht)[,:;] .{8,}",
        "^non[,.!:;]? .{8,}",
        r"\barrête (?:de|d')",
        r"\bau lieu d",
        r"\bplutôt que\b",
        r"\bpas [^.?!]{1,40},? mais\b",
        r"\bc'est faux[,:;] .{8,}",
        (
            "^no[,.!:;] (?:usa|utiliza|es|el|la|los|nuestro|prefiero|debe|quiero|in|il|lo|"
            r"non)\b.{6,}"
        ),
        r"\bdeja de \w+r\b",
        r"\ben (?:lugar|vez) de\b",
        r"\bno [^.?!]{1,40},? sino\b",
        "^não[,.!:;] .{8,}",
        r"\bpar[ae] de \w+r\b",
        r"\b(?:em vez|ao invés|no lugar) de\b",
        r"\bmas sim\b",
        r"\bsmetti(?:la)? di\b",
        r"\b(?:invece|al posto) d",
        r"\bpiuttosto che\b",
        "而不是",
        r"^(?:不对|不是|错了|不)[\uff0c,。\uff01 ].{3,}",
        "(?:改用|应该用|应该是|别再|不要再)",
        "(?:ではなく|じゃなくて)",
        "^(?:いや|いいえ|違います|違う)[、。,].{3,}",
        "の代わりに",
        "^(?:아니|아니요|아뇨|틀렸)[,. ].{3,}",
        "말고 ",
        " 대신",
    ),
    PREFERENCE: (
        (
            r"\b(?:auf (?:deutsch|englisch|französisch)|en (?:anglais|français|inglés|español|"
            r"alemán)|em (?:inglês|português)|in (?:inglese|italiano))\b"
        ),
        "(?:用英文|用中文|英語で|日本語で|영어로|한국어로)",
        r"\bab (?:jetzt|sofort|heute)\b",
        r"\b(?:in zukunft|künftig|zukünftig|grundsätzlich|standardmäßig)\b",
        (
            r"^(?:bitte |und |also |nein,? )*(?:\w+e?n? )?(?:immer|nie|niemals)\b(?! (?:wieder|"
            "noch))"
        ),
        (
            r"\b(?:bitte|du sollst|sollte|sollten|muss|müssen|darf|dürfen|will|möchte|wir) "
            r"(?:[\wäöüß]+ ){0,3}(?:immer|nie|niemals)\b"
        ),
        (
            r"\bich (?:bevorzuge|mag|hasse|möchte lieber|hätte lieber|hätte gern|will (?:keine?|"
            "immer|nie))"
        ),
        r"\bmir ist [^.?!]{2,30} lieber\b",
        r"\bwenn ich nicht\b.{0,20}\b(?:frage|bitte|sage)",
        r"\bfrag mich (?:immer |erst |vorher )",
        r"\b(?:désormais|dorénavant|à partir de maintenant|à l'avenir)\b",
        r"\b\w+(?:e|es|ez|s) (?:toujours|jamais)\b",
        r"\bne [^.?!]{1,30} jamais\b|\bn'\w+ (?:jamais|plus)\b",
        r"\bje (?:préfère|déteste|veux (?:que tu|toujours|des))",
        r"\bj'aime(?:rais)? (?:mieux|bien que|les|que)",
        r"\bje n'aime pas\b",
        r"\bde ahora en adelante\b|\ba partir de ahora\b|\ben el futuro\b",
        (
            r"\b(?:siempre|nunca|jamás) (?:[a-záéíóúñ]+(?:a|e|es|as))\b(?! (?:falla|funciona|"
            r"devuelve))|\b\w+ siempre (?:en|con|los|las|el|la|un)\b"
        ),
        (
            r"\bprefiero\b|\bme gusta(?:n)? más\b|\bno me gusta(?:n)? (?:que|los|las|el)\b|"
            r"\bodio\b|\bquiero que (?:siempre|nunca|uses|respondas)\b"
        ),
        r"\bno (?:uses|utilices|agregues|pongas|añadas|hagas commit)\b",
        (
            r"\ba partir de agora\b|\bde agora em diante\b|\bdaqui (?:em|para|pra) (?:diante|"
            r"frente)\b|\bno futuro\b"
        ),
        (
            r"^(?:por favor,? |e )?(?:sempre|nunca) \w+|\b(?:use|usa|escreva|responda|rode|faça) "
            r"sempre\b"
        ),
        r"\bprefiro\b|\bnão gosto (?:de|que)\b|\bdetesto\b|\bodeio\b",
        r"\bnão (?:use|usa|adicione|coloque|faça commit)\b",
        r"\bd'ora in (?:poi|avanti)\b|\bda (?:ora|adesso) in poi\b|\bin futuro\b",
        (
            r"\b(?:usa|scrivi|rispondi|esegui|metti|fai) sempre\b|^(?:non \w+ mai|mai)\b|\bnon "
            r"\w+(?:are|ere|ire) mai\b"
        ),
        r"\bpreferisco\b|\bnon mi piac(?:e|ciono)\b|\bdetesto\b|\bnon usare\b",
        "(?:以后|今后|从现在起|从现在开始|从今以后|往后)",
        "(?:永远不要|千万不要|千万别|绝不要|一律|请?始终|总是要|不要用|别用|不要使用)",
        "我(?:更|比较|不|一向|还是|最)?(?:喜欢|偏好|习惯|讨厌|倾向|希望你)",
        "(?:今後|これからは|これから、|次からは|次回から|以降は)",
        "(?:必ず|常に|絶対に|決して|二度と)",
        (
            "(?:の方が(?:好き|いい)|のほうが(?:好き|いい)|好みです|が好きです|好きじゃない|"
            "は嫌い|が嫌い|してほしくない|使わないで|しないでください|つけないで|書かないで)"
        ),
        "(?:앞으로|이제부터|지금부터|다음부터)",
        "(?:항상|절대|반드시|언제나)",
        (
            "(?:선호(?:해|합|하)|더 좋아|좋아합니다|싫어|쓰지 마|사용하지 마|하지 마세요|달지 마|"
            "넣지 마)"
        ),
    ),
    DECISION: (
        (
            r"\bwir (?:haben|hatten) (?:uns )?(?:[^.?!]{0,60})(?:entschieden|beschlossen|"
            r"vereinbart|geeinigt|festgelegt|umgestellt)\b"
        ),
        r"\bwir (?:setzen auf|bleiben bei|wechseln (?:zu|auf)|steigen (?:auf|von)|nehmen ab)\b",
        r"\bentscheidung ?:",
        (
            r"\b(?:nous avons|on a) (?:enfin |finalement )?(?:décidé|choisi|convenu|opté|adopté|"
            r"retenu)\b"
        ),
        r"\bon (?:part sur|reste sur|passe à|garde)\b",
        (
            r"\b(?:hemos|habíamos) (?:decidido|elegido|acordado|optado|adoptado)\b|\b(?:decidimos|"
            r"acordamos|elegimos|optamos)\b|\bnos quedamos con\b|\bvamos a usar\b"
        ),
        (
            r"\b(?:escolhemos|combinamos|adotamos)\b|\bficou decidido\b|\bvamos (?:usar|ficar com|"
            r"adotar)\b"
        ),
        (
            r"\babbiamo (?:deciso|scelto|concordato|optato|adottato)\b|\bsiamo passati a\b|"
            r"\brestiamo (?:su|con)\b"
        ),
        (
            "(?:我们|团队|大家)(?:已经|最终|最后)?(?:决定|选择了?|约定|商定|定了)|决定(?:用|采用|"
            "不用|使用)"
        ),
        (
            "(?:ことにし(?:た|ました)|に決め(?:た|ました)|に決まりました|採用し(?:た|ました)|"
            "することになりました)"
        ),
        "(?:기로 (?:했|결정|정했|합의)|결정했|정했습니다|채택했)",
    ),
    FACT: (
        (
            r"\b(?:merk(?:e)? dir|denk(?:e)? dran|denk daran|beachte|vergiss nicht,? dass|zur "
            r"info|bedenke)\b.{4,}"
        ),
        r"\bbei uns\b.{6,}",
        (
            r"\bmein name ist\b|\bich heiße\b|\bich (?:arbeite|wohne) (?:bei|in|als|an|für)\b|"
            r"\bich bin (?:\w+e?r?n? )?(?:entwickler|ingenieur|student|designer|admin)"
        ),
        (
            r"\b(?:souviens-toi|rappelle-toi|retiens|n'oublie pas que|note (?:bien )?que|garde en "
            r"tête|sache que)\b.{3,}"
        ),
        r"\bje m'appelle\b|\bje travaille (?:chez|à|comme|en|pour|sur)\b|\bchez nous\b.{6,}",
        r"\b(?:recuerda|acuérdate|ten en cuenta|no olvides que|toma nota)\b.{4,}",
        r"\bme llamo\b|\bmi nombre es\b|\btrabajo (?:en|como|para|con)\b",
        (
            r"\b(?:lembre(?:-se)?|lembra(?:-se)?|não (?:se )?esqueça (?:de )?que|tenha em mente|"
            r"anota aí|guarda isso)\b.{4,}"
        ),
        r"\bme chamo\b|\bmeu nome é\b|\btrabalho (?:na|no|como|em|com)\b",
        r"\b(?:ricorda(?:ti)?|tieni presente|tieni a mente|non dimenticare che|segnati)\b.{4,}",
        r"\bmi chiamo\b|\blavoro (?:come|in|per|da|con|alla)\b",
        "(?:记住|请记得|记得|牢记|记一下|备忘).{2,}",
        "我叫|我的名字|我是(?:一名|一个)|我在.{1,12}(?:工作|上班)",
        "我们(?:公司|团队|项目|这边|组|的).{2,}(?:是|在|叫|用|为)",
        "(?:覚えて(?:おいて|ください|ね)|メモして(?:おいて)?|忘れないで)",
        "(?:私の名前は|と申します|(?:うち|弊社|我々|私たち|チーム|当社)(?:の|では|は).{2,})",
        "(?:기억해|기억하|메모해|잊지 마)",
        (
            "(?:제|내) 이름은|저는 .{1,20}(?:개발자|엔지니어|학생|디자이너)|우리 (?:팀|회사|"
            "프로젝트|서버|서비스|저장소)"
        ),
    ),
}

WEAK = {
    PREFERENCE: (
        r"^(?:bitte )?(?:kein(?:e|en)?|nur) \w+",
        r"\b(?:müssen|dürfen|sollen|doivent|deben|devem|devono)\b .{4,}",
        r"\b(?:muss|doit|debe|deve) \w+ .{3,}",
        r"\blieber\b",
        (
            "^(?:bitte )?(?:antworte|schreib|sprich)(?:e)? (?:mir )?(?:immer |nur )?(?:auf|in|"
            r"ohne)\b"
        ),
        (
            r"\b(?:verwende|benutze?|nutze|nimm|schreibe?) (?:bitte )?(?:kein|nie|immer|nur|"
            "lieber)"
        ),
        r"^(?:réponds|écris)(?:-moi)? (?:en|sans|toujours)\b",
        r"^(?:n'utilise|n'ajoute|ne mets|ne fais) pas\b",
        (
            "^(?:responde|escribe|escreva|responda|rispondi|scrivi)(?:me)? (?:en|em|in|sin|sem|"
            r"senza)\b"
        ),
        "^(?:请)?(?:用中文|用英文|使用中文)(?:回答|回复|写)",
        "日本語で(?:答え|返事|書い)",
        "한국어로 (?:답|대답|써|작성)",
    ),
    FACT: (
        (
            r"\bunser(?:e|er|en|es)? (?:[\wäöüß-]+ ){0,3}?(?:ist|sind|heißt|läuft|liegt|laufen|"
            r"steht|hat|braucht|endet|beginnt)\b"
        ),
        (
            r"\bwir (?:nutzen|verwenden|benutzen|arbeiten|deployen|hosten|testen|schreiben|"
            r"entwickeln|releasen|haben eine regel)\b"
        ),
        r"\bich (?:nutze|verwende|benutze|arbeite mit)\b",
        r"\bmein(?:e)? [\wäöüß-]+ (?:ist|heißt|läuft)\b",
        r"\bich arbeite\b",
        r"\bm(?:on|a) [\wéèê-]+ est [\w]+",
        r"\b(?:é feito|são feitos|é feita)\b",
        "(?:这个|本|该)项目(?:使用|用|是|基于)",
        r"\b(?:dieses|das) projekt (?:nutzt|verwendet|läuft)",
        (
            r"\b(?:notre|nos) (?:[\wàâéèêëîïôûç'-]+ ){0,4}?(?:est|sont|tourne|s'appelle|se trouve|"
            r"utilise|finit|commence)\b"
        ),
        (
            r"\b(?:on|nous) (?:utilis(?:e|ons)|déplo(?:ie|yons)|travaill(?:e|ons)|test(?:e|ons)|"
            r"héberge(?:ons)?|livr(?:e|ons))\b"
        ),
        r"\bj'utilise\b|\bmon \w+ s'appelle\b",
        (
            r"\b(?:nuestr[oa]s?) (?:[\wáéíóúñ'-]+ ){0,4}?(?:es|son|está en|corre|se llama|usa|"
            r"vive|termina|empieza)\b"
        ),
        r"\b(?:usamos|utilizamos|desplegamos|trabajamos|alojamos)\b",
        r"\buso [\w.]+ (?:como|para|en|con)\b",
        (
            r"\b(?:noss[oa]s?) (?:[\wáéíóúãõç'-]+ ){0,4}?(?:é|são|fica|roda|se chama|usa|está em|"
            r"termina|começa)\b"
        ),
        r"\b(?:a gente usa|a gente faz|nós usamos|fazemos deploy|hospedamos)\b",
        r"\bdecidimos\b",
        (
            r"\b(?:nostr[oaei]) (?:[\wàèéìòù'-]+ ){0,4}?(?:è|sono|gira|si chiama|si trova|usa|sta "
            r"su|finisce|inizia)\b"
        ),
        r"\b(?:usiamo|utilizziamo|lavoriamo|rilasciamo|facciamo)\b",
        "我们(?:都|一直|只|目前|现在)?(?:用|使用|采用|部署|跑)",
        "(?:を使ってい(?:る|ます)|で動いて|にデプロイして)",
        "우리는 .{1,30}(?:사용|써|쓴다|씁니다|배포|쓰고)",
    ),
}
