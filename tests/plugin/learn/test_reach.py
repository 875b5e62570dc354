"""What is learned in one project stays there, unless it is clearly about the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.hook_calls import added, asked, context_in
from tests.support.stores import PROJECT, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.learning import Learning
    from tests.support.stand_in_claude import StandIn

OF_THE_PROJECT = """
we're using node 18 here
Here we always use yarn, not npm.
Our repo uses trunk-based development, never feature branches.
We decided to use Redis as the cache of the billing service.
the backend here always runs on port 8443
this service must always be deployed with helm
please never touch the generated files under api/gen
From now on use pnpm, not npm.
Never push directly to main.
don't use npm, use pnpm
I prefer tabs in this repo
I would prefer this service to log in JSON
we prefer tabs, I like it that way
I've decided to drop Windows 8 support
remember that the demo account must not be deleted
Priya owns the payments service
The API must always answer in JSON
workers should never respond with HTML
Services must always talk over NATS
every response must have a request id
leave the release branch to me, never push to it
Hier benutzen wir immer yarn statt npm.
Ich bevorzuge in diesem Repo Tabs
Unser Staging-Server läuft auf Port 8443
Grundsätzlich antwortet die API mit JSON
Dans ce projet on utilise toujours yarn.
Aquí usamos siempre yarn, nunca npm.
La API siempre responde en JSON
Neste projeto eu prefiro tabs
In questo progetto preferisco i tab
我们一直用 yarn，不要用 npm
このプロジェクトでは必ずyarnを使います。
우리 팀은 쿠버네티스를 사용합니다
""".strip().splitlines()
OF_THE_PERSON = """
I prefer short answers without bullet lists.
I hate it when functions take boolean flags
in my projects I always use pnpm
always use pnpm in all projects
from now on, always answer in German
please never apologise
I'm left-handed
My manager is called Yusuf and he approves all releases.
my timezone is UTC+3
please remember my name is Jonas
Call me Theo
Please ask me first before installing anything globally.
I told you before that I always use Windows
Ich bevorzuge kurze Antworten
Ab jetzt antworte bitte immer auf Deutsch
je m'appelle Chloé
Désormais, réponds toujours en français
Prefiero tabuladores en lugar de espacios
De ahora en adelante responde en español
Prefiro componentes pequenos
A partir de agora responda em português
Preferisco le funzioni pure
D'ora in poi rispondi in italiano
我更喜欢函数式写法
以后请用中文回答
これからは日本語で答えてください
私はタブよりスペースが好きです。
앞으로는 한국어로 대답해 줘
저는 탭을 선호합니다
""".strip().splitlines()


def learned_scopes(machine: Learning, texts: list[str]) -> dict[str, str]:
    """Say each text in a session of its own; return where what was learned of it holds."""
    for number, text in enumerate(texts):
        machine.hear(text, session=f"s{number}")
    machine.learn()
    rows = machine.store.execute("SELECT session, scope FROM memories").fetchall()
    return {texts[int(session[1:])]: scope for session, scope in rows}


def test_what_is_said_of_a_project_is_learned_for_it_alone(
    make_machine: Callable[..., Learning],
) -> None:
    """Also what does not say of what it speaks."""
    found = learned_scopes(make_machine(), OF_THE_PROJECT)
    assert found == dict.fromkeys(OF_THE_PROJECT, "project")


def test_what_is_said_of_the_person_is_learned_for_everywhere(
    make_machine: Callable[..., Learning],
) -> None:
    """A person's habits, and the language to answer in, go along."""
    found = learned_scopes(make_machine(), OF_THE_PERSON)
    assert found == dict.fromkeys(OF_THE_PERSON, "global")


def test_another_project_is_not_given_what_was_learned_here(
    make_machine: Callable[..., Learning],
) -> None:
    """The hook of a prompt there does not pass it off as that project's own."""
    machine = make_machine()
    machine.hear("we're using node 18 here")
    machine.learn()
    event = {"event": "UserPromptSubmit", "prompt": "which node version do we use here?"}
    for project, is_given in ((PROJECT, True), ("github.com/acme/other", False)):
        said = asked(event, context_in(machine.home, machine.store, project=project))
        assert ("node 18" in added(said)) is is_given


@pytest.mark.parametrize(
    ("content", "scope"),
    [
        ("The user prefers short answers", "global"),
        ("Node 18 is used", "project"),
        ("The project keeps answers short", "project"),
    ],
)
def test_event_of_the_judge_reaches_as_far_as_the_sentence_it_stands_on(
    make_machine: Callable[..., Learning], claude: StandIn, content: str, scope: str
) -> None:
    """Of a turn that says both; the judge writes in words of its own."""
    claude.finds({"type": "fact", "content": content})
    machine = make_machine(claude.path)
    machine.hear("I prefer short answers. We use node 18 here.")
    machine.learn()
    assert [memory.scope for memory in machine.known()] == [scope]


def test_without_a_project_all_is_learned_for_everywhere(
    make_machine: Callable[..., Learning],
) -> None:
    """There is nothing that it could belong to."""
    machine = make_machine()
    machine.hear("we're using node 18 here", project="")
    machine.learn()
    assert [memory.scope for memory in machine.known()] == ["global"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("no, the webshop uses pnpm, not npm", [("The webshop uses pnpm", "global")]),
        (
            "no, the webshop uses pnpm here, not npm",
            [("The webshop uses pnpm", "project"), ("The webshop uses npm", "global")],
        ),
    ],
)
def test_correction_holds_as_far_as_what_it_corrects_unless_it_says_where(
    make_machine: Callable[..., Learning],
    claude: StandIn,
    words: str,
    left: list[tuple[str, str]],
) -> None:
    """A stale fact that holds everywhere is gone everywhere; what holds here changes only here."""
    machine = make_machine(claude.path)
    put(machine.store, "The webshop uses npm")
    claude.finds(
        {
            "type": "correction",
            "content": "The webshop uses pnpm",
            "supersedes": "The webshop uses npm",
        }
    )
    machine.hear(words)
    machine.learn()
    assert [(memory.content, memory.scope) for memory in machine.known()] == left
