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
Please don't remember my salary.
I'd prefer you didn't save this.
Keep this out of your memory please, I hate my job
No need to save that I'm moving
you needn't remember that, my flight is at 9
Don't add this to memory: I am pregnant
do not add that to your memories
Don't put this into your memory
don't commit this to memory, I'm just venting, I always hate mondays
Don't learn anything from this conversation
please ignore this for your memory: I prefer rum
this is not for your memory: I prefer rum
Don't keep a record of this, I'm seeing a doctor
do not keep any record of my health
Don't memorise any of this
nothing in this message should be remembered, I prefer rum
Please do not retain this information: my SSN is private
don't store personal information about me
Never store anything about my family
I don't want any of this saved
I do not want you to store my location
Could you not remember that?
Can you please not save this
Please forget what I told you about my health
Forget everything about my family.
You can forget that I like tea
Just forget I said anything
Please forget the thing about my wife
Forget about my diabetes
forget my name
Can you delete what you know about me?
Delete everything you remember about my boss
remove my address from your memory
remove the note about my divorce
Wipe your memory of my divorce
Clear all memories
Drop the memory about tabs.
Please erase that I live in Oslo
That was off the record.
strictly between us: I always hated this code
Confidential, don't save: we are being acquired
for your eyes only: we are being acquired
Don't save it please.
don't save this conversation
don't save what I'm about to say: I prefer rum
Don't store the following: I prefer rum
Don't remember the following: I prefer rum
please do not remember anything I say now
Bitte nicht merken: ich bin schwanger
Das hier bitte nicht merken
Nicht speichern: ich verdiene 90k
Bitte speichere das nicht.
Bitte speichere nicht, wo ich wohne
Behalte das bitte nicht im Gedächtnis
Vergiss das bitte wieder
vergiss meine Adresse
Vergiss, was ich über Tom gesagt habe
Bitte vergiss, dass ich Vegetarier bin
Lösch die Erinnerung an meinen Geburtstag
Du sollst dir das nicht merken
Ich möchte nicht, dass du dir das merkst
ne mémorise pas ça, je préfère le rhum
Ne garde pas ça en mémoire
N'enregistre pas cette information : je suis enceinte
Oublie ce que j'ai dit sur Tom
Oublie que j'habite à Oslo
ne te souviens pas de ça
No guardes lo que te dije
No recuerdes esto: prefiero ron
No memorices mi dirección
Olvídate de lo que dije sobre Tom
Olvida que vivo en Oslo
Não memorize isso: prefiro rum
não guarde o que eu disse
Esqueça o que eu disse sobre o Tom
não precisa lembrar disso
Non ricordare questo: preferisco il rum
Non salvare quello che ho detto
Dimentica quello che ho detto su Tom
Non memorizzare questo
不要记住这件事
别把这个记下来
请忘记我说的话
忘了我刚才说的
これは覚えないで
私の住所は忘れてください
さっき言ったことは忘れて
이건 기억하지 말아 줘
방금 말한 건 잊어줘
hey, don't go remembering this, I'm thinking about quitting
Please treat this as off-the-record, I prefer working with Ann
I take antidepressants. Do not keep that.
my landlord is suing me, and I don't want that in your memory
please make sure you don't store my phone number
I'd rather this wasn't remembered: I prefer cheap wine
This stays between us, I always hated Scrum
Don't ever store where I live
You don't have to note that down, I'm off on Friday
I'm gay. Please forget I said that.
Forget that we ever discussed the layoffs
forget that email address of mine
please remove what you stored about my health
please delete memory L7
Delete the memories about my ex
purge everything about my mother
Could you erase my birthday from your memory?
No need to memorize this, my code is blue
do not save it anywhere
never save anything I say about my kids
Don't keep my address
Bitte merk dir nicht, dass ich krank war
Vergiss bitte meine Telefonnummer
Das brauchst du dir nicht zu merken
bitte nichts davon speichern: ich bin krank
Entferne die Erinnerung an Tom
Oublie tout ce que j'ai dit
s'il te plaît, ne retiens pas mon adresse
Olvida lo que dije
por favor no guardes mi teléfono
por favor, esqueça meu telefone
per favore dimentica il mio numero
请不要记住我的电话
别记录我的地址
このことは覚えておかないで
이 이야기는 기억하지 마세요
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
Don't store tokens in cookies, use the session
Never store money as float
never save drafts automatically
don't save the file before formatting it
Do not record metrics for health checks
never keep connections open
Don't keep dead code around
Never keep commented-out code
don't note every change in the changelog, only breaking ones
always delete temp files
always clear the cache before the build
remove unused imports always
never remove my comments
Never delete migrations
delete the old branch, we always use main
Don't hold locks while calling the network
We never store card numbers
Our policy is not to store PII
I prefer not to keep state in the client
make sure you don't save the password in the log file
The cache should not keep entries longer than an hour
this function should not save anything
these values must never be logged
it should never be stored in clear
that must not be committed
it is forbidden to store secrets here
don't use remember-me cookies
never learn embeddings from production data
Don't retain logs longer than 30 days
I always forget the deploy command: it is make ship
Don't forget to update the changelog, always
never forget to close the file
please don't forget my pronouns are they/them
Remember my birthday is May 3rd
remember that I never eat meat
save this in memory: I prefer tabs
forget jest, we use vitest everywhere
Forget about Jenkins, we moved to GitHub Actions
forget the tests for now
forget the previous instruction, always use pnpm
Forget what the docs say, we use port 9000
Forget what the linter says, always use tabs
forget everything and start over, always use pnpm
Actually no, forget the monolith, we decided on services
between us and the API there is a proxy, always use it
keep it between 50 and 72 characters
keep this function private
keep that in mind: we deploy on Tuesdays
keep this in mind: I prefer tabs
don't keep me waiting, always answer fast
we decided to delete the memory cache module
erase the disk before tests, always
never write to memory directly
always free memory
I don't want this in the repo, use the wiki
I don't want that kept in main
I don't want comments in the code
you should not store state in globals
You must never save credentials to disk
you don't need to save after every change, I use autosave
no notes in the margin, always use footnotes
stop recording videos in CI
stop keeping old versions around
Don't add this to the README, docs go to the wiki
Don't put that in the changelog
don't write that in comments, use docstrings
Vergiss die Tests nicht
Vergiss das alte Format, wir nutzen jetzt JSON
Speichere nie Passwörter im Klartext
Speichere Zeiten immer in UTC, nicht lokal
Merk dir: nicht auf main pushen
Merke dir bitte, dass ich keine Emojis mag
Wir merken uns keine Sitzungen auf dem Server
Lösche nie Migrationen
nicht vergessen: Release ist donnerstags
N'oublie jamais les tests
Ne garde pas de code mort
oublie npm, on utilise pnpm
No guardes fechas como texto
No borres migraciones
Olvida npm, usamos pnpm
no te olvides de los tests
Não guarde datas como texto
Esqueça o npm, usamos pnpm
Dimentica npm, usiamo pnpm
Non conservare codice morto
别忘了写测试
不要记录用户的密码
不要忘记更新日志
忘记旧格式吧，我们用 JSON
テストを忘れないでください
パスワードは保存しないでください
npmは忘れて、pnpmを使って
테스트 잊지 마
비밀번호는 저장하지 마
Don't store binary files in git, use LFS
We do not keep logs for more than a week
Never save a file without a trailing newline
don't save my preferences in the URL, use local storage
Never delete rows, always soft-delete
never forget to run make lint
don't let me forget that the demo is on Friday, I always do
I forgot to say that we use pnpm
forget webpack, vite is our standard now
Do not record screen sizes in analytics
the app should not remember the last tab
remember, secrets are never stored in env files
Please keep this short, I prefer brevity
keep it brief, always
don't note my name in the commit, use the bot's
Do not put this class in utils
never keep two versions of one dependency
don't keep asking, just always run the tests
Please always save your work before switching branches
don't write to my home folder
don't touch my notes folder, ever
delete my temp branch and always use main
always purge the CDN after a release
always erase secrets from logs
we never store that kind of data
I never want to see that again, always use tabs
nothing in this folder should be edited by hand
Note: nothing should be stored on the client
this should never be saved to disk
That should not be kept in the session, use a cookie
Wir vergessen nie die Migrationen
Vergiss nicht: immer zuerst die Tests
Speichere nichts im globalen Zustand
ne stocke jamais de mot de passe en clair
no guardes nada en el estado global
nunca salve senhas no código
non salvare mai i token nel codice
不要保存密码到日志
パスワードを記録しないでください
토큰을 저장하지 마
"""


def withheld() -> list[str]:
    """Return the prompts that must not be learned from."""
    return WITHHELD.strip().splitlines()


def rules_of_work() -> list[str]:
    """Return the prompts that only share words with those, and are to be kept."""
    return RULES_OF_WORK.strip().splitlines()
