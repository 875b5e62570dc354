"""Labelled sample credentials for every detector of the project. All are made up here, at run time.

No secret stands in this file in one piece: token bodies are drawn from a seeded generator, and
spoken passwords are parted by `|`, which is taken out when the sample is built.
"""

from __future__ import annotations

import random
from typing import NamedTuple


class Sample(NamedTuple):
    """A text, the secret in it, and the kind that a detector should call it."""

    kind: str
    text: str
    secret: str


ALPHABETS = {
    "alnum": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "word": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "hex": "0123456789abcdef",
    "upper": "ABCDEFGHJKLMNPQRSTUVWXYZ234567",
    "lower": "abcdefghijklmnopqrstuvwxyz0123456789",
    "letters": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "digits": "123456789",
    "base64": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
}


def body(alphabet: str, length: int, seed: str) -> str:
    """Draw a token body: the same on every run and every Python."""
    chance = random.Random(seed)  # noqa: S311  (samples, not secrets)
    letters = ALPHABETS[alphabet]
    return "".join(letters[int(chance.random() * len(letters))] for _ in range(length))


def token(recipe: str, seed: str) -> str:
    """Build a token from a recipe: literals, and `<alphabet:length>` for what is drawn."""
    pieces = []
    for number, part in enumerate(recipe.replace(">", "<").split("<")):
        alphabet, _, length = part.partition(":")
        drawn = number % 2 == 1
        pieces.append(body(alphabet, int(length), seed + str(number)) if drawn else part)
    return "".join(pieces).replace("|", "")


# Kind and recipe of the tokens that name their issuer themselves.
TOKENS = (
    ("aws-access-key", "AK|IA<upper:16>"),
    ("aws-access-key", "AS|IA<upper:16>"),
    ("google-api-key", "AI|za<word:35>"),
    ("google-oauth-secret", "GOC|SPX-<word:28>"),
    ("google-oauth-token", "ya|29.<word:120>"),
    ("google-refresh-token", "1/|/0<word:60>"),
    ("digitalocean-token", "dop|_v1_<hex:64>"),
    ("alibaba-access-key", "LT|AI<alnum:20>"),
    ("github-token", "gh|p_<alnum:36>"),
    ("github-token", "gh|o_<alnum:36>"),
    ("github-token", "gh|s_<alnum:36>"),
    ("github-token", "github|_pat_<alnum:22>_<alnum:59>"),
    ("gitlab-token", "gl|pat-<word:20>"),
    ("gitlab-token", "gl|dt-<word:20>"),
    ("slack-token", "xo|xb-<digits:12>-<digits:12>-<alnum:24>"),
    ("slack-token", "xo|xp-<digits:12>-<digits:12>-<digits:12>-<hex:32>"),
    ("slack-token", "xa|pp-1-A<upper:10>-<digits:13>-<hex:64>"),
    ("slack-webhook", "hooks.sl|ack.com/services/T<upper:10>/B<upper:10>/<alnum:24>"),
    ("discord-token", "M<alnum:23>.<word:6>.<word:38>"),
    ("discord-webhook", "discord.com/api/web|hooks/<digits:18>/<word:68>"),
    ("stripe-key", "sk_|live_<alnum:24>"),
    ("stripe-key", "rk_|live_<alnum:99>"),
    ("stripe-key", "sk_|test_<alnum:24>"),
    ("stripe-webhook-secret", "wh|sec_<alnum:32>"),
    ("twilio-key", "S|K<hex:32>"),
    ("sendgrid-key", "S|G.<word:22>.<word:43>"),
    ("mailgun-key", "ke|y-<hex:32>"),
    ("mailchimp-key", "<hex:32>-u|s14"),
    ("brevo-key", "xkey|sib-<hex:64>-<alnum:16>"),
    ("npm-token", "np|m_<alnum:36>"),
    ("pypi-token", "py|pi-AgEIcHlwaS5vcmc<word:120>"),
    ("rubygems-token", "ruby|gems_<hex:48>"),
    ("docker-hub-token", "dckr|_pat_<word:27>"),
    ("hugging-face-token", "h|f_<letters:34>"),
    ("anthropic-key", "sk-|ant-api03-<word:93>AA"),
    ("anthropic-key", "sk-|ant-oat01-<word:93>AA"),
    ("openai-key", "sk-|proj-<word:64>T3BlbkFJ<word:64>"),
    ("openai-key", "s|k-<alnum:48>"),
    ("groq-key", "gs|k_<alnum:52>"),
    ("replicate-token", "r|8_<alnum:37>"),
    ("telegram-bot-token", "<digits:10>:A|A<word:33>"),
    ("shopify-token", "shp|at_<hex:32>"),
    ("square-token", "sq0|atp-<word:22>"),
    ("facebook-token", "EA|AB<alnum:160>"),
    ("heroku-key", "HR|KU-AA<word:58>"),
    ("new-relic-key", "NR|AK-<upper:27>"),
    ("new-relic-key", "<hex:36>NR|AL"),
    ("sentry-token", "sntr|ys_eyJpYXQiOjE3<word:120>"),
    ("sentry-token", "sntr|yu_<hex:64>"),
    ("grafana-token", "gl|sa_<alnum:32>_<hex:8>"),
    ("vault-token", "hv|s.CAESI<word:90>"),
    ("terraform-token", "<alnum:14>.atlas|v1.<word:67>"),
    ("databricks-token", "da|pi<hex:32>"),
    ("linear-key", "lin_|api_<alnum:40>"),
    ("notion-token", "nt|n_<digits:11><alnum:35>"),
    ("airtable-token", "pa|t<alnum:14>.<hex:64>"),
    ("atlassian-token", "AT|ATT3xFfGF0<word:180>=<upper:8>"),
    ("bitbucket-token", "AT|BB<alnum:32>"),
    ("postman-key", "PM|AK-<hex:24>-<hex:34>"),
    ("figma-token", "fi|gd_<word:40>"),
    ("doppler-token", "dp.|pt.<alnum:43>"),
    ("pulumi-token", "pu|l-<hex:40>"),
    ("planetscale-token", "pscale|_tkn_<word:43>"),
    ("dynatrace-token", "dt0|c01.<upper:24>.<upper:64>"),
    ("sonar-token", "sq|p_<hex:40>"),
    ("tailscale-key", "ts|key-auth-<alnum:12>CNTRL-<alnum:32>"),
    ("supabase-key", "sb|p_<hex:40>"),
    ("netlify-token", "nf|p_<alnum:36>"),
    ("azure-client-secret", "<alnum:3>8Q|~<alnum:34>"),
    ("azure-storage-key", "<base64:64>+AS|t<base64:18>=|="),
    ("azure-devops-token", "<alnum:76>AZ|DO<alnum:4>"),
    ("jwt", "ey|JhbGciOiJFUzI1NiJ9.ey|J<word:80>.<word:86>"),
    ("age-key", "AGE-|SECRET-KEY-1<upper:58>"),
    ("claude-memory-key", "cm|k_<alnum:8>_<alnum:43>"),
    ("perplexity-key", "pp|lx-<alnum:48>"),
    ("xai-key", "xa|i-<alnum:80>"),
    ("circleci-token", "CCI|PAT_<alnum:22>_<hex:40>"),
    ("onepassword-secret-key", "A|3-<upper:6>-<upper:11>-<upper:5>-<upper:5>-<upper:5>"),
    ("zapier-webhook", "hooks.zap|ier.com/hooks/catch/<digits:7>/b<alnum:6>"),
    ("mapbox-token", "sk.e|yJ1Ijoi<word:60>.<word:22>"),
)
# Where a token may stand. Each kind is put into three of them in turn.
SHAPES = (
    "The deploy job logs in with {} since Monday, rotate it in May.",
    'client = Client("{}", timeout=30)',
    "export SERVICE_VALUE={}\nexport REGION=eu-west-1\n",
    '{{"name": "ci", "value": "{}", "enabled": true}}',
    "curl 'https://gateway.acme.dev/v2/items?limit=5&key={}'",
    "ci, {}, production",
    "Notes from the call:\n- use {}\n- ask Dana for the rest\n",
    "settings:\n  region: eu\n  value: {}\n",
    "<!-- {} -->",
    "Il faut mettre `{}` dans la configuration.",
    "log: request failed (auth={}), retrying",
)
HOST_SHAPES = (
    "We post alerts to https://{} from the cron job.",
    'url = "https://{}"',
    "webhook: https://{}\nchannel: ops\n",
)

# Kind, text around the secret, and the secret with a `|` where it was cut.
SPOKEN = (
    ("password", "the staging password is {}", "hunter|2-Blue!"),
    ("password", "My wifi password: {}", "Som|mer#2024"),
    ("password", "Use the passphrase '{}' for the backup disk.", "blue-Ket|tle-42"),
    ("password", "The password for the staging database is {}.", "Tr0ub|4dor&3"),
    (
        "password",
        "Remember: admin password on db.internal is now {}, changed today",
        "zX9|-kiwi-77",
    ),
    ("password", "FTP login is deploy and the password is `{}`", "gA7!|mmnQ"),
    ("password", "password was changed to {} yesterday", "Nov|ember-19x"),
    ("password", "We set the root password to {} on the lab machine", "L4b|Root!9"),
    ("password", "Grafana's password's {}", "d4sh|b0ard!"),
    ("password", "{} is the password for the demo tenant", "P1ne|apple!x"),
    ("password", "Log in with {} as the password.", "c0ff|ee-Mug9"),
    ("password", "log in as svc-build with password {} on the build box", "Wq8|!tunnel3"),
    ("password", 'The VPN passphrase is "{}"', "maple orbit |candle fossil river"),
    ("password", "passphrase: {}", "velvet ladder |cactus orbit glory"),
    ("password", "The password is:\n\n    {}\n", "bR4|zen-fox!"),
    ("password", "**Password:** {}", "mE9|#lantern"),
    ("password", "| user | admin |\n| password | {} |", "tBl|4pass!x"),
    ("password", "wifi password (guest network): {}", "gue|st2024net"),
    ("password", "login: admin / {}", "s3cr|3tDoor"),
    ("password", "credentials for staging: svc_app:{}", "Ky7|!opal22"),
    ("password", "tags: wifi, password={}, home", "h0me|-Net-5"),
    ("password", "The pw is {} btw", "q7!|nnBx"),
    ("password", "Das Passwort lautet {}.", "Herb|st#2023"),
    ("password", "Das Kennwort für den Router ist {}", "Fritz|B0x!88"),
    ("password", "Mein WLAN-Passwort: {}", "kaffee|Tasse19"),
    ("password", "Le mot de passe est {}.", "Soleil|!2024"),
    ("password", "mot de passe du serveur : {}", "Ch4|teau-bleu"),
    ("password", "La contraseña es {}", "Gato|Negro#7"),
    ("password", "la clave del wifi es {}", "perro|Azul99"),
    ("password", "A senha do banco de dados é {}", "Praia|2024!"),
    ("password", "senha: {}", "v3rao|-Quente"),
    ("password", "La password del server è {}", "Gela|to!77"),
    ("password", "la parola d'ordine è {}", "vesp|A-1965"),
    ("password", "密码是{}", "hunt|er2!x"),
    ("password", "数据库密码：{}", "Kx9|mmpQ2"),
    ("password", "パスワードは{}です", "Ab3!|kkpzz"),
    ("password", "パスワード：{}", "sak|ura#77"),
    ("password", "Het wachtwoord is {}", "fiets|Brug12!"),
    ("password", "Пароль от базы: {}", "zima|2024!k"),
    ("password", "DB_PASSWORD={}", "plum|Tree77"),
    ("password", "PASSWORD={}\n", "sword|fish"),
    ("password", 'password = "{}"', "x9!k|Q2pw"),
    ("password", "password: {}\n", "sword|fish"),
    ("password", "  password: '{}'\n  host: db\n", "dra|gonfruit"),
    ("password", '{{"user": "app", "password": "{}"}}', "mN4|$bvcx"),
    ("password", '{{\\"password\\": \\"{}\\"}}', "mN4|bvcx9"),
    ("password", "conn = connect(host='db', password='{}')", "riv|er-Stone9"),
    ("password", 'password: str = "{}"', "typ3|d-Val!"),
    ("password", "const password: string = '{}';", "ts|Str1ng!"),
    ("password", "define('DB_PASSWORD', '{}');", "php|Adm1n!"),
    ("password", "'password' => '{}',", "lar|aVel99!"),
    ("password", 'user.setPassword("{}");', "j4va|Bean!"),
    ("password", "<password>{}</password>", "xml|Val77!"),
    ("password", '<add key="SmtpPassword" value="{}"/>', "m4il|Relay!"),
    ("password", "- name: DB_PASSWORD\n  value: {}\n", "k8s|Val77!"),
    ("password", "ENV DB_PASSWORD {}", "im4ge|Layer!"),
    ("password", "deploy --user bob --password {} --force", "fl4g|Gy!x"),
    ("password", "Server=db;User Id=sa;Password={};Encrypt=yes", "sq1|Serv3r!"),
    ("password", "jdbc:postgresql://db/app?user=app&password={}&ssl=true", "jdb|c-Pw-77"),
    ("password", "spring.datasource.password={}", "b00t|Strap!"),
    ("password", "sshpass -p '{}' ssh root@10.0.0.5", "r00t|Lab!"),
    ("password", "mysql -u root -p{} shop", "My|Sql!77"),
    ("password", "redis-cli -h cache -a {} ping", "r3d|isPw!"),
    ("password", "curl -u admin:{} https://nexus.acme.dev/", "n3x|us-Pw!"),
    ("password", "docker login -u ci -p {} registry.acme.dev", "d0ck|Er-77"),
    ("password", "CREATE USER 'app'@'%' IDENTIFIED BY '{}';", "cre4|teMe!"),
    ("password", "ALTER ROLE app WITH PASSWORD '{}';", "alt|erR0le"),
    ("password", "machine api.acme.dev login bot password {}\n", "net|rc-Pw-9"),
    ("password", "machine api.acme.dev\n  login bot\n  password {}\n", "net|rcLines9"),
    ("password", "db.acme.dev:5432:app:app:{}", "pg|Pass77!"),
    ("password", "requirepass {}", "r3d|Conf!77"),
    ("password", "$pw = ConvertTo-SecureString '{}' -AsPlainText -Force", "P0w|erSh!"),
    ("password", "WIFI:T:WPA;S:Home;P:{};;", "qr|C0deNet"),
    ("password", "openssl rsa -in k.pem -passin pass:{}", "0p3n|Ssl!"),
    ("pin", "pin is {}", "48|21"),
    ("pin", "The alarm code is {}.", "90|417"),
    ("pin", "PIN: {}", "73|19"),
    ("pin", "door code for the office: {}", "55|82#"),
    ("database-url", "postgres://app:{}@db.acme.dev:5432/app", "s3c|r3tPw"),
    ("database-url", "DATABASE_URL=postgresql+psycopg://app:{}@db/app", "p@ss|W0rd9"),
    ("database-url", "mysql://root:{}@localhost/shop", "sword|fish"),
    ("database-url", "The replica is mongodb+srv://svc:{}@c0.abcde.mongodb.net/app.", "m0ng|oPw7"),
    ("database-url", "redis://:{}@cache:6379/0", "r3d|isUrlPw"),
    ("database-url", 'broker = "amqp://svc:{}@mq:5672/vhost"', "r4b|bitMq"),
    ("database-url", 'db, err := sql.Open("mysql", "app:{}@tcp(db:3306)/shop")', "g0|MysqlPw"),
    ("url-password", "https://deploy:{}@git.acme.dev/app.git", "g1t|UrlPw"),
    ("url-password", "git clone https://bob:{}@host.acme.dev/r.git", "cl0|nePw!"),
    ("url-password", "proxy: http://proxyuser:{}@10.1.2.3:3128", "pr0|xyPw"),
    ("url-password", "Feed lives at ftp://u17:{}@files.acme.dev/in", "ftp|Pw-88"),
)

# Kind, text around the secret, and the recipe of the secret.
NAMED = (
    ("aws-secret-key", "AWS_SECRET_ACCESS_KEY={}", "<base64:40>"),
    ("aws-secret-key", "aws_secret_access_key = {}\n", "<alnum:40>"),
    ("aws-secret-key", "Our AWS secret key is {}.", "<alnum:40>"),
    ("aws-secret-key", 'aws: {{ secretAccessKey: "{}" }}', "<base64:40>"),
    (
        "aws-secret-key",
        "[default]\naws_access_key_id = x\naws_secret_access_key = {}\n",
        "<base64:40>",
    ),
    ("azure-key", "azure_client_secret: {}", "<alnum:36>"),
    (
        "access-key",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core",
        "<base64:86>==",
    ),
    (
        "access-key",
        "Endpoint=sb://x.servicebus.net/;SharedAccessKeyName=Root;SharedAccessKey={}",
        "<base64:43>=",
    ),
    (
        "signed-url",
        "https://acct.blob.core.net/c/f?sv=2022-11-02&se=2030-01-01&sig={}&sp=r",
        "<alnum:43>%3D",
    ),
    ("signed-url", "https://b.s3.net/k?X-Amz-Expires=600&X-Amz-Signature={}", "<hex:64>"),
    ("datadog-key", "DD_API_KEY={}", "<hex:32>"),
    ("datadog-key", "The Datadog API key for prod is {}", "<hex:32>"),
    ("datadog-key", 'datadog.app_key: "{}"\n', "<hex:40>"),
    ("twilio-token", "TWILIO_AUTH_TOKEN={}", "<hex:32>"),
    ("twilio-token", "twilio auth token: {}", "<hex:32>"),
    ("twilio-token", 'twilioAuthToken = "{}"', "<hex:32>"),
    ("heroku-key", "HEROKU_API_KEY={}", "<hex:8>-<hex:4>-4<hex:3>-a<hex:3>-<hex:12>"),
    ("heroku-key", 'heroku_api_key: "{}"', "<hex:8>-<hex:4>-4<hex:3>-a<hex:3>-<hex:12>"),
    ("heroku-key", "Heroku API key is {}", "<hex:8>-<hex:4>-4<hex:3>-a<hex:3>-<hex:12>"),
    ("cloudflare-token", "CLOUDFLARE_API_TOKEN={}", "<alnum:40>"),
    ("cloudflare-token", "cloudflare api token -> {}", "<alnum:40>"),
    ("okta-token", "the okta api token is {}", "00<alnum:40>"),
    ("okta-token", "OKTA_API_TOKEN: {}", "00<alnum:40>"),
    ("api-key", 'api_key = "{}"', "<alnum:32>"),
    ("api-key", '"apiKey": "{}",', "<hex:40>"),
    ("api-key", "API key for the weather service: {}", "<hex:32>"),
    ("api-key", "X-Api-Key: {}", "<alnum:40>"),
    ("api-key", "call it with --api-key {} and --region eu", "<alnum:24>"),
    ("api-key", "https://api.weather.dev/v1?city=Oslo&api_key={}", "<hex:32>"),
    ("api-key", "der API-Schlüssel lautet {}", "<alnum:32>"),
    ("api-key", "La clé API est {}", "<alnum:32>"),
    ("api-key", "API 密钥是{}", "<alnum:32>"),
    ("api-key", "APIキーは{}です", "<alnum:32>"),
    ("oauth-client-secret", "client_secret={}&grant_type=code", "<alnum:32>"),
    ("oauth-client-secret", "OAUTH_CLIENT_SECRET: '{}'", "<hex:40>"),
    ("oauth-client-secret", "The client secret of the portal is {}", "<alnum:36>"),
    ("encryption-key", "JWT_SECRET={}", "<hex:64>"),
    ("encryption-key", "encryption_key: {}", "<base64:43>="),
    ("encryption-key", "RAILS_MASTER_KEY={}", "<hex:32>"),
    ("encryption-key", "our master key is {}", "<hex:32>"),
    ("secret-key", 'SECRET_KEY = "{}"', "<alnum:50>"),
    ("secret-key", "SECRET_KEY={}", "<hex:48>"),
    ("secret-key", "secretKey: '{}'", "<alnum:28>"),
    ("private-key", "[Interface]\nPrivateKey = {}\nAddress = 10.0.0.2/32\n", "<base64:43>="),
    ("webhook-secret", "webhook_secret: {}", "<hex:40>"),
    ("webhook-secret", "SLACK_SIGNING: x\nSIGNING_SECRET={}", "<hex:32>"),
    ("webhook-secret", "Our webhook secret is {}", "<hex:40>"),
    ("token", "deploy token is {} until June", "<alnum:28>"),
    ("token", 'token: "{}"', "<alnum:32>"),
    ("token", "trigger it with token={}", "<alnum:24>"),
    ("access-token", "access_token={}", "<alnum:48>"),
    ("npm-token", "//npm.acme.dev/:_authToken={}", "<hex:36>"),
    ("access-token", "my personal access token is {}", "<alnum:40>"),
    ("refresh-token", '"refresh_token": "{}"', "<alnum:64>"),
    ("refresh-token", "refresh token = {}", "<alnum:44>"),
    ("bearer-token", "Authorization: Bearer {}", "<alnum:40>"),
    ("bearer-token", 'headers={{"Authorization": "Bearer {}"}}', "<alnum:40>"),
    ("bearer-token", "curl -H 'authorization: token {}' https://api.acme.dev", "<hex:40>"),
    ("basic-auth", "Authorization: Basic {}", "c3Zj<alnum:24>"),
    ("basic-auth", 'req.headers["Authorization"] = "Basic {}"', "YWRt<alnum:20>="),
    ("basic-auth", "-H 'Authorization: Basic {}' \\\n", "Ym90<alnum:20>=="),
    ("docker-auth", '{{"auths": {{"registry.acme.dev": {{"auth": "{}"}}}}}}', "Y2k6<alnum:24>"),
    (
        "aws-session-token",
        "https://b.s3.net/k?X-Amz-Security-Token={}",
        "IQ|oJb3JpZ2luX2Vj<alnum:160>",
    ),
)

SEED = (
    "velvet ladder cactus orbit glory hazard lemon swift tunnel ribbon abandon zoo "
    "copper dolphin garlic island jungle kitten magnet nephew oxygen panda rabbit saddle"
).split()
PEM_KINDS = ("RSA ", "EC ", "OPENSSH ", "DSA ", "ENCRYPTED ", "")


def pem(kind: str, joiner: str = "\n", lines: int = 6) -> str:
    """Build a private key block of drawn lines."""
    dashes = "-" * 5
    rows = [body("base64", 64, f"{kind}{number}") for number in range(lines)]
    head, foot = (f"{dashes}{word} {kind}PRIVATE KEY{dashes}" for word in ("BEGIN", "END"))
    return joiner.join((head, *rows, body("base64", 30, kind) + "==", foot))


def _blocks() -> list[Sample]:
    samples = []
    for kind in PEM_KINDS:
        block = pem(kind)
        samples.append(Sample("private-key", f"Key of the jump host:\n{block}\nKeep it.", block))
        block = pem(kind, "\\n")
        text = f'{{"type": "service_account", "private_key": "{block}", "client_id": "1"}}'
        samples.append(Sample("private-key", text, block))
    block = pem("PGP ").replace("KEY--", "KEY BLOCK--")
    samples.append(Sample("private-key", f"{block}\n", block))
    rows = "\n".join(body("base64", 64, f"putty{number}") for number in range(4))
    putty = f"PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 4\n{rows}\nPrivate-MAC: x\n"
    samples.append(Sample("private-key", putty, rows))
    for count, text in (
        (12, "My seed phrase is {}"),
        (24, "Recovery phrase:\n{}\n"),
        (12, "wallet mnemonic: {}"),
        (12, "Die Wiederherstellungsphrase lautet {}"),
        (12, 'seed_phrase = "{}"'),
    ):
        words = " ".join(SEED[:count])
        samples.append(Sample("seed-phrase", text.format(words), words))
    numbered = "\n".join(f"{number}. {word}" for number, word in enumerate(SEED[:12], 1))
    samples.append(Sample("seed-phrase", f"seed words:\n{numbered}\n", numbered))
    for text, number in (
        ("The company card is {}, expires 08/29", "4539|1488|0343|6467"),
        ("Visa {} of the travel budget", "4929| 4212| 3460| 0821"),
        ("credit card number: {}", "5425|-2334|-3010|-9903"),
    ):
        card = number.replace("|", "")
        samples.append(Sample("card-number", text.format(card), card))
    return samples


def _tokens() -> list[Sample]:
    samples = []
    for number, (kind, recipe) in enumerate(TOKENS):
        secret = token(recipe, f"{kind}{number}")
        hosted = kind.endswith("-webhook")
        shapes = HOST_SHAPES if hosted else SHAPES
        tail = secret.split("/", 3)[-1] if kind == "discord-webhook" else secret.partition("/")[2]
        hidden = tail if hosted else secret
        for turn in range(3):
            text = shapes[(number * 3 + turn) % len(shapes)].format(secret)
            samples.append(Sample(kind, text, hidden))
    return samples


def _spoken() -> list[Sample]:
    spoken = [(kind, text, secret.replace("|", "")) for kind, text, secret in SPOKEN]
    named = [
        (kind, text, token(recipe, f"{kind}{number}"))
        for number, (kind, text, recipe) in enumerate(NAMED)
    ]
    return [Sample(kind, text.format(secret), secret) for kind, text, secret in spoken + named]


def credentials() -> list[Sample]:
    """Return every labelled sample."""
    return _tokens() + _spoken() + _blocks()
