"""English phrases that announce something worth keeping; cues.py says how they are used."""

from __future__ import annotations

CORRECTION, PREFERENCE, DECISION, FACT = "correction", "preference", "decision", "fact"

START = (
    "^(?:(?:and|also|but|so|ok|okay|please|pls|btw|oh|hey|well|yes|no|nope|hmm|one more "
    "thing)[,:;]? )*"
)
DO = (
    "(?:use|add|write|put|include|commit|push|mock|ask|mention|generate|create|import|call|"
    "name|run|touch|edit|modify|rely|reply|answer|respond|explain|format|hardcode|hard-code|"
    "install|suggest|assume|translate|abbreviate|wrap|log|print|deploy|merge|squash|rebase|"
    "amend)"
)
ENV = (
    "(?:production|prod|staging|database|db|server|endpoint|deadline|release|repo|repository|"
    "wiki|documentation|docs|dashboard|bucket|cluster|branch|port|owner|maintainer|contact|"
    "code freeze|sprint|budget|api|service|backend|frontend|runner|pipeline|registry|tenant|"
    "domain|hostname|vpn|licen[cs]e|coverage|limit|standup|office|customer|client|team|schema|"
    "source of truth|convention|gateway|queue|broker|cron job|backup|backups|changelog|"
    "designs?|specs?|tickets?)"
)
# What somebody decides to do now, and not for good.
PASSING = (
    "(?:take|have|go|stop|wait|sleep|quit|leave|try|look|call|come|stay|eat|rest|give|do|just|see|"
    r"continue)\b"
)
IS = (
    "(?:is|are|lives?|runs?|starts?|ends?|belongs?|sits?|uses?|listens?|requires?|needs|has to|"
    "must|goes|go|expires?|happens?|comes?|works?)"
)

STRONG = {
    CORRECTION: (
        (
            "^no+[,.!:;]? (?:use|we|it'?s|it is|it should|that'?s|the [^,.?!]{2,40} (?:is|are|"
            "should|must|lives?|goes|go|runs?|uses?|has)|our|my|i (?:said|meant|wanted)|not|"
            r"don'?t|do not|never|always|actually|there|this|you should|please use|in this)\b.{6,}"
        ),
        (
            "^(?:that'?s|this is|that is) (?:wrong|incorrect|not right|not correct|not how|not "
            r"what we|not the way|outdated)\b.{8,}"
        ),
        "^(?:wrong|incorrect)[,:;.] .{8,}",
        r"\b(?:i|we) (?:already )?(?:told|asked) you (?:to|not to|that|before|already|twice)\b",
        r"\bi (?:said|meant|asked for) .{2,60}\bnot\b",
        (
            r"\b(?:you keep|you'?re always|stop) (?!going|working|there|being stuck|"
            r"running$)[a-z]+ing\b"
        ),
        r"\buse [^.?!]{1,60}?\b(?:instead of|rather than|not|over)\b",
        r"\buse [^.?!]{1,60}? instead$",
        (
            r"\b(?:is|are|it'?s) (?:called |named |spelled )?[^,.?!]{1,40}, not (?!yet|working|"
            r"sure)\S"
        ),
        r"^actually,? (?:we|it'?s|our|my|the|i)\b.{8,}",
    ),
    PREFERENCE: (
        (
            r"\b(?:from now on|going forward|from here on|from today on|henceforth|in (?:the "
            r")?future|for future reference|in all (?:my|our|future) \w+|as a (?:general )?rule|"
            r"every time you|whenever you|each time you|any time you)\b"
        ),
        (
            START + "(?:always|never) (?!mind|seen|ever|heard|again|thought|fails|returns|"
            "works)[a-z']+"
        ),
        (
            r"\b(?!i (?:always|never) (?:forget|confuse|mix|struggle|lose|miss|fail|mess|wonder|"
            r"get|end|misspell|mistype|find|manage|google)\b)"
            r"(?:i|we|you|one)(?:'d)? (?:should |must |can |need to |have to |will |want to "
            ")?(?:always|never) (?!seen|had|saw|thought|knew|heard|got|get|mind|really|been|"
            "tried|know)[a-z]+"
        ),
        (
            r"\b(?:should|must|can|may|shall)(?: always| never|n'?t ever) (?!happen|reach|return|"
            "get here|fail|occur|fire|be (?:null|none|called|reached|true|false|empty|undefined|"
            "zero|negative))"
        ),
        (
            r"\b(?:i|we) (?:really |much |strongly |generally |usually |still )?(?:prefer|dislike|"
            r"hate|can'?t stand|would rather|would prefer)\b(?! (?:that|this|it)\b$)"
        ),
        r"\b(?:i|we)'d (?:rather|prefer)\b",
        (
            r"\bi (?:really |do |also )?like (?!it\b|this|that\b|the (?:idea|result|new|look|way "
            "this)|what|how|to see)"
        ),
        (
            r"\bi (?:really )?(?:don'?t|do not) (?:like|want) (?!it\b|this\b|that\b|to (?:break|"
            r"lose|do|see this|touch this|wait))\w"
        ),
        (
            r"\bi want (?:you to (?:always|never|stop|ask|reply|answer|respond|write|use|keep|be|"
            "speak|talk|address|call)|all|every|my|answers|commits?|tests?|code|no) ?"
        ),
        (
            r"\b(?:everything|everyone|every|each) (?:[\w-]+ ){0,4}?(?:needs?|must|should|goes|"
            r"gets?|has to|belongs?|lives?)\b"
        ),
        (
            r"\b(?:all|any) (?:[\w-]+ ){0,4}?(?:needs? to|must|should|go|goes|have to|has to|"
            r"belongs?|lives?)\b"
        ),
        (
            r"\bnext time\b|\bfor (?:all|any|every) future\b|\bever$|\b(?:around here|in this "
            r"(?:project|repo|repository|codebase|team|company))\b"
        ),
        (
            r"\bin (?:english|german|french|spanish|italian|portuguese|dutch|polish|norwegian|"
            r"swedish|danish|japanese|chinese|korean|russian|turkish|hindi|arabic)\b(?! (?:please "
            ")?(?:text|string|version))"
        ),
        r"\bmy (?:preference|preferred|favou?rite|default|go-to)\b",
        r"\b(?:don'?t|do not|dont|never) ever\b",
        r"\bby default,? (?:use|write|i|we|answer|reply|run|target)\b",
        (
            r"\bunless i (?:ask|say|tell)\b|\bwithout asking me\b|\bask (?:me )?(?:first "
            r")?before\b"
        ),
        r"\bi expect\b.{0,40}\b(?:to be|in every|for every|all)\b",
    ),
    DECISION: (
        (
            r"\bwe(?:'ve| have)? (?:finally |already |just |all |now )?(?:decided|chose|chosen|"
            r"agreed|settled|picked|opted|standardi[sz]ed|committed to|adopted)\b"
        ),
        (
            r"\bwe(?:'re| are) (?:now |all )?(?:going with|sticking (?:to|with)|standardi[sz]ing|"
            "moving (?:away )?(?:to|from|off)|migrating|switching|dropping|deprecating|"
            r"adopting)\b"
        ),
        r"\bwe(?:'ll| will) (?:go with|stick (?:to|with)|use|keep|drop|adopt|support|target)\b",
        (
            r"\b(?:the team|management|our boss|the client|the customer|everyone) (?:has "
            r")?(?:agreed|decided|wants|uses|prefers|insists)\b"
        ),
        (
            r"\bwe (?:switched|moved|migrated|dropped|got rid of|went with|ditched|deprecated|"
            r"retired|replaced)\b"
        ),
        (
            START + "let'?s (?:go with|stick (?:with|to)|settle on|standardi[sz]e on|adopt|agree "
            r"(?:on|that))\b.{3,}"
        ),
        START + r"let'?s use [^?]{2,60}\b(?:for|instead|everywhere|across|as (?:the|our))\b",
        (
            r"^(?:final )?decision ?:|\bthe (?:final )?decision (?:is|was)\b|\bdecided (?:on|"
            r"against|that|to(?! " + PASSING + r"))\b"
        ),
        (r"\bi(?:'ve| have) (?:decided(?! to " + PASSING + r")|chosen|settled on|picked)\b"),
    ),
    FACT: (
        (
            START + "(?:can you |could you )?(?:please )?(?:remember|memori[sz]e|keep in mind|"
            "bear in mind|note down|make a note|take note|note for later|don'?t forget "
            r"that)\b(?! (?:how|when we|what|the time|last|seeing|where|why)\b).{4,}"
        ),
        (
            r"\b(?:save|store|put|add) (?:this|that|it)?\b.{0,30}\b(?:to|in|into) (?:your |the "
            r")?memor(?:y|ies)\b"
        ),
        (
            r"\bfor the record\b|\bjust so you know\b|\bso you know\b|\bfor your (?:information|"
            r"reference)\b"
        ),
        (
            r"\bour (?:\w+ ){0,2}(?:convention|policy|policies|standard|standards|rule|rules|"
            r"style|guideline|guidelines|process|practice)\b.{4,}"
        ),
        (
            r"\b(?:the|a) (?:convention|house style|house rule|rule|policy|agreement|guideline)s? "
            r"(?:here |in this \w+ |for \w+ |at \w+ )?(?:is|are|says?|was)\b.{6,}"
        ),
        (
            r"\b(?:we|i) have a (?:strict |hard |firm )?(?:rule|policy|convention|habit|"
            r"agreement)\b"
        ),
        (
            r"\bmy name(?:'s| is)\b|\bcall me \w+|\bi(?:'m| am) (?:a|an|the) (?:\w+[ "
            "-]){0,3}(?:developer|engineer|designer|student|scientist|researcher|manager|lead|"
            "architect|founder|teacher|beginner|consultant|freelancer|admin|analyst|writer|"
            r"maintainer|owner|cto|sre|dba|intern)\b"
        ),
        (
            r"\bi (?:work|live) (?:at|mondays?|tuesdays?|part-?time|full-?time|only|for|in|on|as|"
            r"with|from|remotely)\b|\bi(?:'m| am) (?:based|located) in\b"
        ),
        r"\bi(?:'m| am) (?:colou?r-?blind|dyslexic|left-handed|blind|deaf|new to \w+)\b",
        (
            r"\bmy (?:\w+ )?(?:time ?zone|pronouns|editor|shell|os|laptop|machine|manager|boss|"
            "team|wife|husband|partner|colleague|co-?worker|daughter|son|birthday|company|native "
            "language|github (?:user|handle|name)|email|nickname|keyboard "
            r"layout)\b.{0,12}\b(?:is|are|runs?|has|uses?|'s)\b"
        ),
        (
            r"\b\w+ (?:owns|maintains|is (?:our|the|my) (?:\w+ )?(?:lead|owner|manager|designer|"
            "contact|reviewer|maintainer|boss|cto|pm|architect|dba|admin)|is (?:responsible for|"
            r"in charge of)|(?:approves|reviews) (?:all|every))\b"
        ),
    ),
}

WEAK = {
    PREFERENCE: (
        START + "(?:don'?t|do not|dont) " + DO + r"\b",
        (
            START + "no (?:more )?(?:emojis?|comments|semicolons|abbreviations|trailing|default "
            r"exports?|mocks?|one-letter|magic numbers|force pushes|new dependencies)\b"
        ),
        (
            START + r"(?!the |this |that |it |users? |you |we |i )(?:all |every |any )?[\w' "
            "-]{2,40}? (?:must|have to|may only)(?: not| only)? [a-z]+"
        ),
        START + r"(?:can we (?:please )?)?(?:prefer|avoid|favou?r) [\w'-]{3,}",
        r"\b(?:prefer|avoid) \w+",
        r"\bcan we (?:please )?not (?:use|add|have)\b",
        (
            START + r"keep (?:the |all |your )?[\w ]{3,40} (?:under|below|short|small|brief|"
            r"simple|sorted|alphabetical|flat|pure|consistent)\b"
        ),
        (
            START + r"use (?:\w+[ -]){1,2}(?:spelling|case|quotes|style|naming|format|tense|mood|"
            r"notation|indentation|english|units)\b"
        ),
        (
            r"^(?:when|whenever|if|before|after) you (?!are\b|'re|have a|get a|can\b|could|want|"
            r"like|need)\w+ [^?]{6,}"
        ),
        (
            r"\b(?:is|are) (?:banned|deprecated|forbidden|not allowed|off limits|allowed|"
            r"mandatory|optional|required|reserved)\b"
        ),
        r"\bleave [\w ]{2,30} (?:to me|alone)\b",
        (
            r"\b(?:do not|don't|dont) (?!change|touch|worry|forget|commit yet|stop|delete|do|"
            r"bother|mind|know|think|see|understand|like|have|need|want|remember|care)\w+ \w+"
        ),
        START + r"(?:only|just) (?:ever )?use\b|\buse only\b",
        (
            START + "(?:answer|reply|respond|speak|talk|write to me)(?: to me)? (?:only )?(?:in|"
            r"with|without|briefly)\b"
        ),
        (
            r"\b(?:commit messages|commits|prs|pull requests|branches|branch names|tests|"
            "functions|variables|classes|files|comments|migrations|docs|docstrings|errors|logs|"
            "dates|money|prices|timestamps|api keys|secrets|passwords|endpoints|components|"
            "strings|lines|names|imports|types|headings|titles|releases|versions|tags) (?:should|"
            r"must|need to|have to|go in|are)\b"
        ),
    ),
    FACT: (
        r"\b(?:our|my) (?:[\w'./-]+ ){0,4}?" + IS + r"\b .{2,}",
        (
            r"\bwe (?:only |all |mostly |currently |still |also |don'?t |do not |usually )?(?:use|"
            "run|deploy|host|ship|release|store|follow|name|pin|require|support|target|format|"
            "keep|write|build|test|call|track|review|squash|rebase|tag|version|log|sign|work|"
            r"meet)\b"
        ),
        (
            r"\b(?:i|we)(?:'m| am|'re| are)? (?:only |mostly |usually |mainly )?(?:use|using|run|"
            r"running on|work with|code in|develop on|speak|write) (?:\w+)"
        ),
        (
            "^(?:also |and |fyi,? |btw,? |note:? |ok,? |so |heads up:? |important:? "
            r")*the (?:[\w'./-]+ ){0,3}?" + ENV + r"(?: [\w'./-]+){0,3}? " + IS + r"\b .{2,}"
        ),
        "^(?:fyi|note|important|nb|reminder)[,:]? .{10,}",
        (
            r"\bthis (?:project|repo|repository|app|service|package|codebase|library) (?:targets|"
            r"uses|runs|supports|requires|follows|is|has)\b .{3,}"
        ),
        r"\bi (?:only |don't )?have (?:\w+ )?access\b",
        (
            r"\bwe (?:\w+ly )?(?!need|should|could|can|can't|might|are\b|get\b|got\b|see\b|had\b|"
            r"were\b|want|will\b|must\b|lost|forgot|missed|may\b|still|just|probably|also|know|"
            r"would|did|do we|have\b|then|shall|fixed|added|found|saw|tried|discussed|changed|ran|"
            r"look|start|try|talk|wait)[a-z]{2,} \w+"
        ),
        (
            r"\bi(?:'m| am) (?!going|done|getting|seeing|stuck|sorry|not|trying|working on|"
            "looking|confused|wondering|ready|back|fine|ok|happy|afraid|using your|running into|"
            "having|about|still|now|so |just|getting|sure|very|asking|talking|leaving|missing|"
            "thinking|waiting|doing|adding|writing|testing|debugging|good|curious|impressed|in a|"
            r"at the|aware|guessing|glad)\w+ ?"
        ),
        (
            r"\b(?:is|are|lives?|runs?|sits?) (?:at|in|on|under|behind) (?:https?://|"
            r"[\w-]+(?:[./][\w-]+)+)"
        ),
        (
            r"\b(?:live|lives|located|hosted|stored|kept|documented|deployed|tracked|managed|"
            "owned|maintained|written|named|prefixed|reviewed|versioned|signed|built) (?:in|at|"
            r"on|under|behind|with|by)\b"
        ),
        r"\bthe person to (?:ask|contact|talk)\b|\bask \w+ about\b",
        r"\b\w+ (?:goes|go|talks?|writes?|connects?) (?:through|via|to|into) \w+.{2,}",
        r"\bat (?:our company|work),? (?:we|they|it|every)\b",
    ),
}
