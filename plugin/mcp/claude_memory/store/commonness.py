"""Knows which words are common, so that a store of three memories does not take them for rare. Hot.

`share` is a guess at how many of all memories hold a word, before this store has been counted.
"""

from __future__ import annotations

import re
from functools import lru_cache

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
# The same in German, French, Spanish, Italian, Portuguese and Dutch, without what is English too.
STOP_ABROAD = frozenset(
    "aan aber als auch auf aus aux avec bei bis bitte ces cette che chi ciao como con cual"
    " cuando cuál cuándo dann dans dass dat dei del delle der des desde deze di dich dit doch"
    " donc donde du durch dónde een ein eine einem einen einer eines el ela ele ella elle"
    " elles ellos en er eres es esa ese eso essa esse esta este esto está et für geen gibt gli"
    " habe haben heb hebben het hoe ich ihm ihn ihr ihre ik il ils isso ist je jetzt jij kan"
    " kann kannst kein keine la las le les leur loro los mais mas mein meine mes meu mich mijn"
    " minha mir mis muss muy más naar nach ne nein nel nella nicht niet noch nog noi notre"
    " nous nuestra nuestro nur não oder onze ook où para pas pelo perché pero peut peux più"
    " por porque pourquoi puede puedes puoi qu quando que quel quelle quelles quels questa"
    " questo qui quién quoi qué schon sein seine seu si sich sie sind soll sollte sollten sono"
    " sont sous sua suis suo sus são también tengo tes tiene toi tra tu tuo uit uma un una und"
    " une uno unos uns unser unsere unter você voi vom von voor vor votre vous waar waarom"
    " wann warum wat welke wenn wer werden wie wieso wij wir wird wo zijn zu zum zur über".split()
)
ORDINARY = frozenset(
    "able access action actually add address agent algorithm allow amount answer api app"
    " application apply architecture area argument array article ask async auto available"
    " avoid await away back backend background base basic become begin begun believe best"
    " better big bit block blue body book bottom box branch break bring broken browser bug"
    " build built button buy cache call came card care carefully case cause center certain"
    " change character chart check choose class clean clear click client clone close cloud"
    " code collection color colour column come command comment commit common company compare"
    " compile complete complexity component condition config configuration configure confirm"
    " conflict connect connection consider console constant contain content context continue"
    " control convert copy correct could count course crash create css csv current custom"
    " dashboard data database date day deal debug decide declare default define delete depend"
    " dependency deploy deployment describe description design detail detect dev develop"
    " developer development diagram did diff difference different directory disable display do"
    " docker dockerfile docs docstring document documentation done double draft draw duplicate"
    " each early easy edit editor efficient element email empty enable end endpoint enough"
    " ensure entire entry environment error evaluate event every everyone everything example"
    " except exception execute exist exit expect experience explain explanation export"
    " expression extract fact fail failure false far fast favorite feature feel felt fetch few"
    " field figure file fill filter final find fine finish first fit fix flag flow folder"
    " follow font force form format found framework free friend front frontend full fun"
    " function future gave generate get git give go goal good got great green group grow guess"
    " guide hand handle happen happy hard haven head heard hello help here hey hi hide high"
    " history hold home hook hope hour html http https huge human hundred id idea identify"
    " image implement implementation import important improve include increase index indicate"
    " info information initial inline input insert inside install instance instead int integer"
    " interesting interface internal introduce invalid involve is issue item iterate"
    " javascript job join json just keep key kind knew know known label language large last"
    " late later latest layout lead leak learn least leave left length less let level library"
    " life light like limit line link lint linter list little live load local log logic login"
    " long look lose lost lot love low lower made main maintain major make manage manager"
    " manual many map mark match maybe mean meet memory menu merge message met method middle"
    " mind minute mismatch miss mock mode model modify module moment money month move multiple"
    " name near necessary need never new next nice node normal note nothing notice null number"
    " object ok okay old once one online only open operation optimise optimize option order"
    " organise organize original output outside over overview package page pair panel parallel"
    " parameter parse parser part particular pass password past patch path pattern people"
    " perform performance permission person phone pick picture place plain plan play please"
    " plot plugin point popular position possible post practice prefer prepare present press"
    " prettier pretty prevent previous print probably problem process produce product"
    " production professional profile program programming progress project prompt proper"
    " properly property provide public publish pull push python quality query question queue"
    " quick quickly quite random range rate raw reach read ready real reason receive recent"
    " record red redirect reduce refactor reference refresh regex relate release reload"
    " remember remove rename render repeat replace repo report repository represent request"
    " require research resolve resource respond response rest result return reuse reverse"
    " review rewrite right root round route row rule run runtime rust safe sample save say"
    " scan schedule schema scratch screen script scroll search second section see select self"
    " send sense sent separate server service session set setting setup several share shell"
    " short show side sign similar simple simplify simply single site size skip sleep slow"
    " small smaller snippet software solution solve something soon sort sound source space"
    " special specific speed spend split sql stack standard start state statement static"
    " statistics status stay step stick still stop storage store story string structure stuff"
    " style subject submit success suggest suggestion sum summarise summarize summary support"
    " suppose sure switch symbol syntax system table tag take talk target task team tech tell"
    " template temporary ten terminal test text than thank thing think thought thousand thread"
    " three throw time timeout title today together token told tomorrow tool top topic total"
    " traceback track traffic transform translate tree trigger trouble true try tuple turn"
    " tutorial twice two type typeerror typescript typical ui undefined understand undo"
    " unexpected unit unused update upgrade upload url use useful user usual utility utils"
    " valid validate value variable various vector verify version via video view visit wait"
    " walk want warning watch way web webpage website week weird went whole wide width will"
    " window wish within without wonder word work workflow world worry worse worth wrap write"
    " written wrong wrote xml yaml year yesterday yield young zero zip".split()
)
# Chinese and Korean pairs; in Japanese, what is written in hiragana alone is grammar.
ORDINARY_PAIRS = frozenset(
    "我们 你们 他们 一个 一些 这个 那个 这些 那些 什么 怎么 为什 如何 可以 需要 使用 请问"
    " 帮我 请帮 现在 已经 因为 所以 如果 没有 不是 还是 就是 但是 或者 问题 代码 文件 修改"
    " 添加 修复 运行 测试 错误 函数 这里 哪里 时候 的时 的是 我的 你的 了一 在这 是什 能不"
    " 不能 能否 一下 更新 创建 删除 写一 個 這個 這些 什麼 怎麼 我們 為什 使い 使っ 方法"
    " 追加 修正 実行 変更 削除 作成 書い 教え 何で 합니 니다 습니 하는 에서 으로 해줘 주세"
    " 세요 어떻 떻게 무엇 있는 있습 없는 하고 해서 그리 이것 저것 코드 파일 추가 수정 삭제"
    " 실행 오류 문제".split()
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
STOPS = STOP | STOP_ABROAD | frozenset(LETTERS + LETTERS.upper())
HIRAGANA = re.compile("[\u3040-\u309f]+")
RARE = 0.002
SHORT = 0.02
COMMON = 0.2
SHORT_LENGTH = 3
REMEMBERED = 4_096  # words: they come again and again
ENDINGS = (
    ("s", ""),
    ("es", ""),
    ("ies", "y"),
    ("ing", ""),
    ("ing", "e"),
    ("ed", ""),
    ("ed", "e"),
    ("er", ""),
    ("ly", ""),
)


def is_stop(text: str) -> bool:
    """Tell whether a term says nothing by itself."""
    return text in STOPS


@lru_cache(REMEMBERED)
def share(text: str) -> float:
    """Guess the share of memories that hold a term."""
    if is_ordinary(text):
        return COMMON
    return SHORT if len(text) <= SHORT_LENGTH and text.isascii() else RARE


def is_ordinary(text: str) -> bool:
    """Tell whether everybody uses this word, in whatever form, whatever they talk about."""
    if not text.isascii():
        return text in ORDINARY_PAIRS or bool(HIRAGANA.fullmatch(text))
    return text in ORDINARY or any(
        text.endswith(ending) and text[: -len(ending)] + rest in ORDINARY
        for ending, rest in ENDINGS
    )
