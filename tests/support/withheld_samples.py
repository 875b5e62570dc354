"""What people say not to be kept, and rules of work that only sound like it."""

from __future__ import annotations

WITHHELD = """
Do not store that I have diabetes.
Don't remember this: I prefer cheap hotels.
Please don't save that my salary is 90k.
Never remember my home address: Bakerstreet 221b.
Off the record: my boss is called Karl and I hate him.
Forget that I prefer milk in my tea.
Forget what I said about tabs, I prefer spaces now.
Between us, don't note this down, but we decided to fire Tom.
Merk dir das nicht: ich bevorzuge billige Hotels.
Vergiss, dass ich Tee bevorzuge.
do not learn from this: we always use the old VPN
Delete the memory that says I always use tabs
no need to remember, but my birthday is the 3rd of May
Purge the memory that I have diabetes type 1, I never want it kept anywhere.
I have diabetes. Please don't store that.
My salary is 90k, don't save it.
I'd rather you didn't remember that I'm divorced
You don't need to remember this, but I'm color-blind
you must not store that Tom is leaving
I don't want you to remember my address
I don't want this stored anywhere.
I don't want my birthday remembered
This should not be saved: our client is Nordwind
please forget my birthday
can you please forget that I live in Oslo?
I want you to forget that I told you my name
forget everything I said about the merger
forget everything you know about me
My sister is pregnant. Forget that.
I earn 90k. Actually, forget it.
forget about my old address
forget L12
delete L12
remove this from your memory
Erase what you know about my family.
delete my memories about the divorce
purge that I am vegetarian
unlearn that we use npm
Stop remembering my addresses
please don't keep this in mind: I always use vim
keep this between us: I hate the new CTO
Don't make a note of this, my manager is Karl
don't put my name in your memory
Don’t remember that I always work at night.
Do not memorize my phone number, it is 555 1234
no memory of this please: we are switching to Rust
leave this out of your memory: I prefer rum
I told you not to remember that I prefer rum
That's private, never store that.
so please do not record this anywhere, I'm allergic to nuts
Merk dir bitte nicht, dass ich Diabetes habe.
Speichere bitte nicht, dass ich 90k verdiene
Speicher das nicht: ich arbeite nachts
Das musst du dir nicht merken: ich bin Vegetarier
Bitte merke dir meine Adresse nicht
Das bitte nicht speichern, ich heiße Katrin
Vergiss bitte, dass ich in Berlin wohne
Vergiss alles, was ich über Tom gesagt habe
Lösche die Erinnerung an meine Adresse
Unter uns: wir haben beschlossen, Tom zu entlassen
Vergiss meinen Geburtstag
ne retiens pas que je préfère le thé
N'enregistre pas que j'ai le diabète
ne note pas ça : je m'appelle Chloé
Oublie que je préfère le thé
oublie mon adresse
entre nous : on a décidé de virer Tom
Supprime le souvenir sur mon adresse
no guardes esto: prefiero hoteles baratos
No recuerdes que tengo diabetes
olvida que prefiero el té
Olvida mi dirección
no hace falta que recuerdes mi cumpleaños
borra el recuerdo sobre mi casa
entre nosotros: decidimos despedir a Tom
não guarde isso: prefiro hotéis baratos
Não se lembre de que tenho diabetes
não salve que meu salário é 90k
esqueça que prefiro chá
Esqueça meu endereço
apague a memória sobre meu endereço
cá entre nós, decidimos demitir o Tom
non ricordare che preferisco il tè
Non memorizzare il mio indirizzo
non salvare questo: preferisco hotel economici
dimentica che preferisco il tè
Dimentica il mio indirizzo
cancella il ricordo del mio indirizzo
tra noi: abbiamo deciso di licenziare Tom
不要记住我有糖尿病
别记住这个：我更喜欢便宜的酒店
请不要保存这个：我的工资是九万
忘掉我喜欢茶这件事
请忘了我的地址
删除关于我地址的记忆
覚えないでください、私は糖尿病です
これは保存しないで：私の給料は90万です
私が紅茶を好きなことは忘れてください
その記憶を削除して
オフレコですが、トムを解雇することにしました
이건 기억하지 마: 나는 싼 호텔을 선호해
내 주소는 저장하지 마세요
내가 차를 좋아한다는 거 잊어 줘
그 기억을 삭제해 줘
기억할 필요 없어, 내 생일은 5월 3일이야
please don't write this down: I'm moving to Lisbon
Don't hold on to that, it is only a rumour
you may not record this: we always pay late
"""

RULES_OF_WORK = """
don't use npm, use pnpm
never push to main
remember not to touch gen/
Never store passwords in plain text.
don't save files with tabs
do not store dates as strings
never save the user's password in the log
don't note the ticket number in commit messages
don't forget that prices are stored in cents
don't keep secrets in .env
Don't store my API key in the repo
Never store that in localStorage
do not store this in git
Don't write it down in the README, put it in docs/
never load the whole file into memory
don't keep the whole table in memory
you never remember that we use tabs
You don't remember our conventions: use tabs
you always forget that we use pnpm
you keep forgetting that we use tabs
I always forget that we deploy on Tuesdays, so remind me
please don't forget: releases are on Thursdays
never forget that the demo account must not be deleted
Don't forget that I have diabetes
I don't want you to forget that I'm vegetarian
Forget npm, we use pnpm
Forget about the old API, always use v2
Forget it, use pnpm instead of npm
Forget that rule, we use tabs now
Forget the old convention; from now on we use tabs
Forget my last message, use pnpm not npm
I don't remember how we did that, but we always use tabs
we never save that file
remove the memory limit from the pod, we never use limits
delete the memory leak test
drop the in-memory cache, we always use Redis
The form must not remember the password
Users should never have to remember their tenant id
Remember: never save passwords in plain text
remember not to keep generated files in git
remember that we deploy on Tuesdays
please remember my name is Jonas
keep in mind that the legacy customers are on the v1 schema
from now on never log the request body
Never log personal data
always delete the branch after merging
never delete my branches
don't record videos in CI
do not keep more than three backups
the contract between us and the vendor forbids caching
keep it simple, never use inheritance
we decided not to store sessions in Redis
sessions should not be stored in memory
this value must never be stored in Redis
these files should not be kept under version control
never commit secrets
I prefer not to store credentials in files
Don't save images to disk
Only remember the last 10 items in the cache, never more
stop saving files with CRLF
stop storing dates as strings
it should not be logged at info level, always use debug
don't put secrets in the config, they go to Vault
never record audio without consent
don't add new dependencies without asking me
we don't keep notes in the repo
set it and forget it is our motto
Merk dir, dass wir nicht auf main pushen
Merk dir dass wir freitags nicht mergen
Merk dir: niemals auf main pushen
vergiss nicht, dass wir freitags nicht mergen
Vergiss npm, wir nehmen pnpm
Passwörter nie im Klartext speichern
Speichere das nicht im Repo, sondern in Vault
Wir speichern Passwörter nicht im Klartext
bitte nie direkt auf main pushen
n'oublie pas que les prix sont en centimes
N'enregistre jamais les mots de passe en clair
ne stocke pas de secrets dans git
N'ajoute jamais de dépendance sans demander
no olvides que los precios incluyen IVA
No guardes contraseñas en git
Nunca hagas push a main
no uses clases, usa funciones
não esqueça que os preços incluem IVA
não guarde senhas no repositório
não use npm
non dimenticare che i prezzi includono l'IVA
Non salvare le password in chiaro
non usare npm
不要忘记发布是周二
别忘了我们用 pnpm
记住，不要记录密码
不要用 npm，用 pnpm
不要把密码保存在代码里
忘れないで、リリースは火曜日です
パスワードをログに保存しないでください
mainに直接pushしないでください
覚えておいて、リリースは毎週火曜日です
잊지 마, 배포는 매주 목요일이야
비밀번호를 로그에 저장하지 마
main에 직접 푸시하지 마
기억해 줘, 배포는 매주 목요일이야
never log this, always use the tracer
You can't remember our ports, so: the API runs on 8443
don't put it in the header, always use the footer
Do not add that dependency again, we use lodash-es
"""


def withheld() -> list[str]:
    """Return the prompts that must not be learned from."""
    return WITHHELD.strip().splitlines()


def rules_of_work() -> list[str]:
    """Return the prompts that only share words with those, and are to be kept."""
    return RULES_OF_WORK.strip().splitlines()
