"""What people type to a coding assistant, labelled: worth keeping for later sessions, or not."""

from __future__ import annotations

WORTH_KEEPING = """
no, use pnpm here, not npm
No. We use tabs in Go files and two spaces everywhere else.
That's wrong, the staging API listens on port 8443.
that's not how we name branches, they start with the ticket number
I told you to stop adding comments to every line
you keep adding emojis to commit messages, please don't
Actually our minimum Node version is 20
I said uv, not pip
use ruff instead of flake8 and black
Use structlog rather than the standard logging module in the services.
it's called Postgres Operator, not Patroni
The retention period is 30 days, not 90.
wrong: customer ids are UUIDs, never integers
stop apologising in every answer
Please stop running the full test suite after each edit, the unit tests are enough.
From now on, write commit messages in the imperative.
going forward please put SQL migrations into db/changes
always run the linter before you commit
Never push directly to main.
please always answer in German
never use any in TypeScript
I prefer functional components over classes
I'd rather have small pull requests than one big one
I like my answers short and without bullet points
I really dislike default exports
We prefer composition to inheritance in this codebase
I don't like long functions, split them at 40 lines
I want you to ask before you delete files
I want all dates in ISO format
my preferred editor is Helix
My favourite test framework is pytest
Don't use lodash
do not add new dependencies without asking me
Don't commit generated files.
no emojis in the documentation please
only use named exports
Answer in Spanish please
commit messages should follow the Conventional Commits format
All public functions must have docstrings.
Branch names should start with feat/ or fix/
Unless I ask for it, never create README files.
whenever you change the schema, regenerate the client with make openapi
Every time you finish a task, update the changelog.
by default use the fish shell for scripts on my machine
as a rule, we test against a real database, no mocks
Tests should never hit the network.
Migrations must never drop a column in the same release.
we decided to use Postgres instead of Mongo
We've decided against GraphQL for the public API
we settled on Terraform for all infrastructure
we're going with htmx for the admin area
We'll stick with Django 5 until the next LTS
we agreed that services talk over NATS
We switched from Jenkins to GitHub Actions last month
let's go with option B, the event-sourced ledger
Let's use Redis Streams for the job queue
Decision: we keep the monolith for 2027
The decision is to support only the last two versions of Safari.
I've decided to drop Windows 8 support
we moved the docs to mkdocs
we migrated the billing database to Aurora
We dropped support for Python 3.8
we chose Kotlin for the Android app
remember that the demo account must not be deleted
Remember: releases happen on Thursdays
please remember my name is Jonas
Keep in mind that the legacy customers are on the v1 schema
bear in mind that our fiscal year starts in April
Make a note: the vendor's sandbox resets every Sunday night
don't forget that prices are stored in cents
For the record, Priya owns the payments service
just so you know, I am colour-blind, so don't rely on red and green
Our convention is one component per file.
The convention here is that feature flags are prefixed with ff_
We have a strict rule: no business logic in controllers
our policy is to pin every GitHub action by hash
my name is Amara and I lead the data team
Call me Theo
I'm a backend developer and new to Rust
I work at a hospital, so patient data can never leave the cluster
I'm based in Nairobi
my timezone is UTC+3
My manager is Sofia Lindqvist
our staging server is at stage.internal.example
Our API gateway runs on port 9000
our CI runs on self-hosted runners
my laptop has an M3 chip
my shell is zsh with starship
we use Gitea, there is no GitHub
We deploy with Argo CD every Tuesday
we only support PostgreSQL 15 and later
We write our specs in Gherkin
I use Dvorak, so avoid vim-style key bindings
I usually use podman and have no docker on this machine
We store money as integers in the smallest unit
we host everything in Frankfurt because of data protection
The production database is called orders_prod and lives in eu-central-1.
the deadline for the migration is 15 March
The source of truth for prices is the ERP, the shop only mirrors it.
The docs live in a separate repo called handbook
the code freeze starts on December 18
Code coverage must stay above 85 percent
Marta maintains the design system
Liam is our product owner
Deborah is responsible for releases
add this to your memory: the wifi printer is named Gutenberg
save this in memory, the integration tests need the VPN
I can't stand nested ternaries
fyi the customer portal is still on AngularJS
Note: our tenant ids are case sensitive
in future, show me the plan before you edit anything
for future reference, the seed data comes from fixtures/base.yaml
API keys go in 1Password, never in .env files
I hate it when functions take boolean flags, prefer enums
Please ask me first before installing anything globally.
could you always show diffs instead of whole files?
can you please remember that we ship to the Netherlands too?
our logo colour is #0A7E8C
we review every pull request with two people
We name our Kafka topics team.entity.event
error messages must be written in plain English for end users
This project targets Java 17, so no records patterns
I only have read access to production
You should always check the ADRs in docs/decisions before you propose something new.
nein, nimm bitte pnpm statt npm
Ab jetzt bitte alle Kommentare auf Englisch.
Wir verwenden in diesem Projekt nur Tabs
Merk dir: das Release ist immer am Donnerstag
Ich bevorzuge kurze Antworten ohne Aufzählungen
Wir haben uns für Postgres entschieden
Unser Staging-Server läuft auf Port 8443
Schreib niemals direkt auf den main-Branch
Bitte keine neuen Abhängigkeiten ohne Rückfrage
ich heiße Katrin und arbeite als Entwicklerin bei der Stadt
Non, on utilise yarn et pas npm
Désormais, écris les messages de commit en français
Je préfère les petites fonctions
Nous avons décidé de garder le monolithe
Notre base de production tourne sur OVH
N'ajoute jamais de dépendance sans demander
Retiens que les prix sont en centimes
je m'appelle Chloé
De ahora en adelante responde en español
Prefiero tabuladores en lugar de espacios
Usamos Terraform para toda la infraestructura
Hemos decidido migrar a Kubernetes
Recuerda que los precios incluyen IVA
Nunca hagas push a main
nuestro servidor de pruebas está en el puerto 9090
No uses clases, usa funciones
A partir de agora escreva os commits em inglês
Prefiro componentes pequenos
Nosso banco de produção fica em São Paulo
Decidimos usar Go no backend
Lembre que os testes precisam da VPN
não use bibliotecas com licença GPL
D'ora in poi rispondi in italiano
Preferisco le funzioni pure
Abbiamo deciso di usare Svelte
Ricordati che il rilascio è di martedì
Il nostro server di prova si trova a Milano
Usa sempre i doppi apici
以后请用中文回答
不要用 var，用 const
我们决定采用微服务架构
记住，数据库端口是 5433
我更喜欢函数式写法
我们的测试服务器在上海
不对，应该用 pnpm 而不是 npm
提交信息一律用英文
これからは日本語で答えてください
コミットメッセージは必ず英語で書いて
npmではなくpnpmを使ってください
私たちのチームではGoを使っています
PostgreSQLを使うことにしました
覚えておいて、リリースは毎週火曜日です
クラスより関数の方が好きです
앞으로는 한국어로 대답해 줘
항상 테스트를 먼저 작성해 줘
우리 팀은 쿠버네티스를 사용합니다
npm 말고 pnpm을 써
기억해 줘, 배포는 매주 목요일이야
우리는 모노레포로 가기로 결정했어
탭을 선호합니다
hey, small thing: the changelog entries are written in past tense around here
Can we please not use abbreviations in variable names, I find them hard to read
Looks good, but in this project imports are absolute, not relative
Please write the tests with vitest, we got rid of jest a while ago
good, but next time put the helper next to the component
The team agreed on trunk-based development last week
nah, dates go through dayjs, moment is banned here
Everything user-facing needs to be translated via i18next
fix the header. also, for all future work: spacing comes from the theme tokens
We do semantic versioning strictly, breaking changes bump the major.
I am allergic to one-letter variable names
our users are mostly nurses, so the wording must be simple
Our mobile app is written in Flutter
The backend talks to SAP through an RFC connector
By the way, I'm the only developer on this project
no need to write tests for prototypes in the lab folder, ever
You can push to branches but leave main to me
Our largest customer is Nordwind and they are on version 3
use British spelling
Comments in English, UI texts in Norwegian
I work Mondays to Wednesdays only
I'm vegetarian, keep that in mind for the recipes
we've standardised on Node 22 LTS
Let's stick to REST, GraphQL was too much trouble
Secrets live in Vault under kv/apps
our sprint ends every second Friday
Grafana is at grafana.corp.example
The person to ask about billing is Henrik
Do not mock the database in integration tests
Prefer early returns
avoid nested callbacks, use async/await everywhere
Keep functions under 30 lines please
When you write SQL, put keywords in upper case
If you add an endpoint, also add it to the OpenAPI file
Every new module needs an owner in CODEOWNERS
Make sure you always leave a blank line at the end of files
I told you before that I use Windows
we pay per API call, so batch requests wherever possible
The old importer is deprecated, new code goes through ingest v2
Our brand name is written with a lower-case e: eWerk
I always want to see the plan first
Ich arbeite meistens mit dem Kollegen Timo zusammen, er macht das Frontend
Wir deployen immer freitags nicht
Kommentare bitte auf Deutsch
Antworte mir ab sofort kurz
Benutze lieber Composition statt Vererbung
On déploie jamais le vendredi
Les commentaires doivent être en anglais
mon éditeur est neovim
Los comentarios deben estar en inglés
Siempre ejecuta el linter antes de hacer commit
O deploy é feito às quintas-feiras
Não gosto de comentários óbvios
Il codice deve passare mypy strict
Usiamo poetry, non pip
我习惯用空格缩进
这个项目使用 Python 3.11
変数名はキャメルケースにしてください、今後ずっと
弊社では毎週水曜日にデプロイします
커밋 메시지는 반드시 영어로 써 줘
"""

NOT_WORTH_KEEPING = """
fix this test
run it again
can you explain how this works?
thanks, that looks great
ok
yes please
continue
go ahead
what does this function do?
Why is the build failing?
add a button to the settings page
rename this variable to total
Please refactor the parser into two files.
the test is still failing
I get a 500 when I click save
show me the diff
revert the last change
commit this
push it
open a pull request for this branch
Write unit tests for the invoice module.
Is there a better way to do this?
how do I run only one test with pytest?
make the header sticky
the page is blank after login
it doesn't work
Still the same error.
try again
undo that
never mind
do you remember what we did yesterday?
what's our deployment process?
which database do we use?
where is the config loaded?
Create a new endpoint for exporting reports
remove the unused imports
update the dependencies
bump the version to 2.4.1
why does it always return null?
The test never passes on my machine.
it always crashes after ten minutes
this never happened before
I've never seen this error
that's what I thought
looks good to me
Perfect!
great work, thank you so much
Let's run the tests now
let's look at the logs first
let's try a different approach
let's see what happens
Can you check whether the cache is used here?
could you write a script that resizes all images?
would it be faster with an index?
should we use Redis or Memcached here?
Do we need a lock here?
What do you prefer, tabs or spaces?
which one do you like better?
Explain the difference between a process and a thread
translate this text to French
summarise this file
generate a migration for the new column
implement the login form as described in the ticket
add error handling to the upload function
don't change anything yet
don't touch the tests for now
do not commit yet
just this once, skip the hooks
for now use a hard-coded value
use the mock for this test
use port 3001 for now, 3000 is taken
stop the server
stop it
kill the process on port 8080
our build is broken
My tests are failing with a timeout
our staging server is down
the database is locked
the server is not responding
the production pipeline is red again
the api is slow today
my branch is out of date
my disk is full
we have a bug in the checkout
we need to fix the login before the demo
we get this error in production
I use this function here, but it throws an exception
I'm using your code and it fails with a TypeError
I want to see the output
I want you to fix the header
I'd like you to add a search field
I need a function that parses dates
I think the problem is in the router
I guess we could cache it
I like it
I like this idea, go for it
I don't like it
I don't understand this part
I don't know why it fails
no
no, that's fine
no, try again
no thanks
nope, still broken
Actually, wait
actually never mind
hmm, interesting
sounds good, do it
yes, do that
option 2
the second one
Use the first approach.
delete the temp files
list all TODOs in src
find where the user is created
count the lines of code in this folder
grep for usages of fetchUser
check the types
format the file
sort the imports in this file
split this into smaller functions
move the helper to utils.ts
merge main into this branch
rebase onto main and resolve the conflicts
deploy to staging
restart the dev server
Here is the stack trace:
Traceback (most recent call last):
TypeError: Cannot read properties of undefined (reading 'map')
2026-03-01 12:00:03 ERROR we always use the default pool
npm ERR! code ERESOLVE
> always use strict mode
I found this in the README: "Always use the latest version of the tool and never pin it."
the article says "you should never use floats for money in any program", is that true?
what does "prefer composition over inheritance" mean?
The linter says "imports should always be sorted by module name"
def always_use(self): return self.never
const never = () => { throw new Error("always"); }
SELECT * FROM users WHERE name = 'always';
$ git commit -m "always use tabs"
explain why we should never use eval
why do you always import lodash?
can you make it never fail?
does it always return a list?
is it true that we use Kafka?
when is the release?
who owns the billing service?
have we decided on the framework?
remember when we fixed the race condition?
do you remember my name?
what are my preferences?
Tell me what you know about the deployment
show me our conventions
give me three options
compare these two libraries
read the file and tell me what it does
look at the screenshot
here's the output
this is the log from the server
see the attached file
I pasted the response below
it should never reach this line
this value should never be null
the loop never ends
The button should be blue
the title should be centered
make the font bigger
center the div
the total should be 42 and not 41
change the color to red
add a column for the date
the modal must close when I press escape
users should be able to reset their password
When the user clicks save, show a toast
implement pagination on the orders table
add a loading spinner while the data is fetched
write a docstring for this function
please add types to this module
use a list comprehension here
use async await in this function
Use the logger in this file
cancel
are you sure?
what happened?
why?
how long will it take?
is that all?
did you run the tests?
did the tests pass?
what's left to do?
what's next?
ok next step
proceed with the plan
approved
ship it
good catch
that was fast
sorry, my mistake
my bad, I forgot to save the file
I already did that
I just pushed a fix, pull and try again
I restarted the server and it works now
it works now, thanks!
the error is gone
same issue as before
now it says permission denied
Let me know when you are done
let me check
give me a minute
write a haiku about databases
what's the capital of Peru?
plan the next steps for the refactoring
create a todo list for this task
investigate the memory leak in the worker
profile the startup and tell me what is slow
bisect to find the commit that broke the build
can you remove the comments you just added?
could you rename the class?
please run the failing test with -vv
increase the timeout to 30 seconds
add a retry with exponential backoff to this call
replace the regex with a parser
cherry-pick the last commit to the release branch
tag this commit as v1.3.0
Warum schlägt der Test fehl?
Bitte führe die Tests noch einmal aus
Danke, das passt
füge einen Button hinzu
Der Server läuft nicht mehr
was macht diese Funktion?
mach weiter
Pourquoi ça ne marche pas ?
corrige ce test
merci beaucoup
ajoute un champ au formulaire
relance les tests s'il te plaît
¿por qué falla la prueba?
arregla este error
gracias, perfecto
añade un botón en la página de inicio
muéstrame el diff
por que o teste falha?
corrija este erro
obrigado, ficou ótimo
adicione um botão na tela
perché il test fallisce?
correggi questo errore
grazie mille
aggiungi un pulsante alla pagina
为什么测试失败了？
修复这个错误
谢谢，很好
再运行一次
添加一个按钮
なぜテストが失敗するのですか？
このバグを直して
ありがとうございます
もう一度実行してください
ボタンを追加して
왜 테스트가 실패하나요?
이 오류를 고쳐 줘
고마워
다시 실행해 줘
버튼을 추가해 줘
Please go through the open issues and close the duplicates
the tooltip overlaps the menu on small screens
I changed the config, can you restart and check?
make it faster
write the release notes for 2.5
there's a typo in the error message
why did you delete that file?
Add dark mode support
Our login page should have a forgot password link
We should probably add an index here
my app shows a white screen after the update
convert this class to a hook
I want a script that uploads the backup to S3
use the data from the attached csv
I ran it twice and got different results
can we make this work without javascript?
it should return 404 when the user does not exist
Set the default page size to 50
let's add some logging to find out
let's start with the model layer
let's use the debugger
what did we decide about caching?
The function should take an optional timeout parameter
I'd prefer if you fixed the bug first
we are getting rate limited by the API right now
Ask me questions if anything is unclear
the docs say it supports streaming, can we use that?
replace all occurrences of foo with bar
my colleague reported that exports are empty
Our tests take 20 minutes, can you speed them up?
I have two branches, merge them
I have a question about the schema
This is a Django app. Find the view that renders the invoice.
this file is too long, split it
please use less memory in this loop
The third column is sorted wrong
we are almost done, just the footer is left
Take the first 100 rows only
don't worry about it
don't forget the import
never mind the warning
ignore the lint error here
I'm going to lunch, continue without me
I don't think that's right
that's not correct
that's wrong
No, the other file
no, I mean the button on the left
no the second argument
Always? really?
the user is redirected to the wrong page
Undo the change in package.json
Make the tests pass
When I run npm start nothing happens
If the token is expired, redirect to login
only show active users in the table
use a dropdown instead of radio buttons
I think we use this in two places, please check
our homepage needs a new hero section
I use the search a lot, it should be faster
Schreib einen Test für den Parser
Das Formular sendet nicht ab
Ajoute un test pour ce cas
el formulario no se envía
o formulário não envia
il pulsante non fa niente
把标题改成红色
表单提交不了
ログインページを作って
フォームが送信されません
로그인 페이지를 만들어 줘
"""


def worth_keeping() -> list[str]:
    """Return the prompts that hold a correction, preference, decision or durable fact."""
    return WORTH_KEEPING.strip().splitlines()


def not_worth_keeping() -> list[str]:
    """Return the prompts that hold nothing for later."""
    return NOT_WORTH_KEEPING.strip().splitlines()
