"""The SAM template, checked by AWS's own tools; and the artefact, run by AWS's runtime client."""

from __future__ import annotations

import json
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support import artefact, components
from tests.support.api import KEYS
from tests.support.lambda_runtime import Function, function, function_url, http_v2
from tests.support.postgres import LOGIN, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAM = artefact.ROOT / "deploy" / "sam"
UNCHECKED = b"\1\0\0\0"  # PEP 552: found by a hash that nobody compares
LIMIT = 70_000_000  # bytes that the functions may unpack to
SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
JSON = {"authorization": f"Bearer {KEYS['alice']}", "content-type": "application/json"}


_Loader: Any = type("_Loader", (yaml.SafeLoader,), {})  # reads `!Ref x` as `{"Ref": x}`


def _tagged(loader: Any, suffix: str, node: Any) -> dict[str, Any]:  # noqa: ANN401  (yaml's own)
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tagged)
TEMPLATE = yaml.load((SAM / "template.yaml").read_text("utf-8"), _Loader)  # noqa: S506  (our own)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
ROLES = {name: one for name, one in RESOURCES.items() if one["Type"] == "AWS::IAM::Role"}
FUNCTIONS = {
    name: one["Properties"]
    for name, one in RESOURCES.items()
    if one["Type"] == "AWS::Serverless::Function"
}


def statements(role: str) -> list[dict[str, Any]]:
    """Return every statement of a role's own policies, conditional ones too."""
    policies = ROLES[role]["Properties"]["Policies"]
    found = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    return [one["If"][1] if "If" in one else one for one in found]


def actions(statement: dict[str, Any]) -> list[str]:
    """Return the actions of a statement."""
    named = statement["Action"]
    return [named] if isinstance(named, str) else list(named)


@pytest.mark.heavy
def test_template_is_clean() -> None:
    """By `sam validate --lint`, and by cfn-lint with its informational rules."""
    done = artefact.sam("validate", "--lint", folder=SAM)
    assert done.returncode == 0, done.stderr
    command = [str(components.deploying_program("cfn-lint")), "template.yaml"]
    linted = subprocess.run(
        [*command, "--include-checks", "I"], cwd=SAM, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout


def test_functions_are_those_of_the_code() -> None:
    """One artefact, four handlers, a Python that SnapStart knows; traffic shifts slowly."""
    import backend.aws as host

    handlers = {name: one["Handler"] for name, one in FUNCTIONS.items()}
    assert sorted(handlers.values()) == [
        f"backend.aws.{name}" for name in ("api", "migrate", "purge", "secrets")
    ]
    assert all(callable(getattr(host, name.split(".")[-1])) for name in handlers.values())
    shared = TEMPLATE["Globals"]["Function"]
    assert "CodeUri" not in shared
    [made] = [one["CodeUri"] for name, one in FUNCTIONS.items() if name == "ApiFunction"]
    others = {one["CodeUri"] for name, one in FUNCTIONS.items() if name != "ApiFunction"}
    assert (made, others) == ("./", {".aws-sam/build/ApiFunction/"})
    assert shared["Runtime"] == "python3.13"
    assert TEMPLATE["Parameters"]["Architecture"]["Default"] == "arm64"
    for name in ("ApiFunction", "SecretsFunction"):
        one = FUNCTIONS[name]
        assert one["SnapStart"] == {"ApplyOn": {"Ref": "SnapStart"}}
        assert one["DeploymentPreference"]["Hooks"]["PreTraffic"] == {"Ref": "MigrateFunction"}
        assert one["DeploymentPreference"]["Alarms"]


@pytest.mark.parametrize("role", sorted(ROLES))
def test_role_may_do_named_things_to_named_things(role: str) -> None:
    """No wildcard among the actions, and no resource that is everything."""
    for statement in statements(role):
        assert not any("*" in action for action in actions(statement))
        assert statement["Resource"] != "*"


def test_one_role_alone_may_decrypt_memories() -> None:
    """The key's own policy says so, and it lets no other policy give more."""
    policy = RESOURCES["MemoryKey"]["Properties"]["KeyPolicy"]["Statement"]
    assert not any("*" in action for statement in policy for action in actions(statement))
    secrets = {"AWS": {"GetAtt": "SecretsRole.Arn"}}
    opening = [one["Principal"] for one in policy if "kms:Decrypt" in actions(one)]
    assert opening == [secrets]
    [sealing] = [one for one in policy if "kms:Encrypt" in actions(one)]
    assert sealing["Principal"]["AWS"] == [{"GetAtt": "ApiRole.Arn"}, {"GetAtt": "SecretsRole.Arn"}]
    administering = policy[0]
    assert not {"kms:Encrypt", "kms:Decrypt", "kms:CreateGrant"} & set(actions(administering))
    for role in ROLES:  # what roles decrypt is the entry of Secrets Manager, through it
        for one in statements(role):
            if "kms:Decrypt" in actions(one):
                assert one["Resource"] == {"Ref": "SettingsSecretKeyArn"}
                assert "kms:ViaService" in str(one["Condition"])


def test_what_decrypts_is_served_by_that_role() -> None:
    """The two addresses that open secrets, and the tools, of which one does."""
    paths = {
        f"{event['Properties']['Method']} {event['Properties']['Path']}"
        for event in FUNCTIONS["SecretsFunction"]["Events"].values()
    }
    assert paths == {
        "POST /api/memories/{id}/secret",
        "POST /api/memories/migrate-secrets",
        "ANY /mcp",
    }


def test_every_log_is_kept_for_a_time_and_every_alarm_is_told() -> None:
    """Nothing is logged for ever, and no alarm rings where nobody hears."""
    logs = [one for one in RESOURCES.values() if one["Type"] == "AWS::Logs::LogGroup"]
    assert len(logs) == 5
    assert all(one["Properties"]["RetentionInDays"] for one in logs)
    assert all("LogGroup" in one["LoggingConfig"] for one in FUNCTIONS.values())
    alarms = [one for one in RESOURCES.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == 8
    assert all(one["Properties"]["AlarmActions"]["If"][0] == "HasTopic" for one in alarms)


def test_closed_network_leads_to_all_that_functions_call() -> None:
    """Without a NAT gateway too, and to the database alone where its group is named."""
    called = {
        action.partition(":")[0]
        for one in FUNCTIONS.values()
        for statement in statements(one["Role"]["GetAtt"].partition(".")[0])
        for action in actions(statement)
    }
    ends = [one for one in RESOURCES.values() if one["Type"] == "AWS::EC2::VPCEndpoint"]
    names = {one["Properties"]["ServiceName"]["Sub"].rpartition(".")[2] for one in ends}
    assert names == (called | {"kms"}) - {"logs"}  # Lambda itself takes the logs
    assert {one["Condition"] for one in ends} == {"HasEndpoints"}
    database, _ = RESOURCES["FunctionGroup"]["Properties"]["SecurityGroupEgress"]
    assert database["DestinationSecurityGroupId"]["If"][0] == "HasDatabaseGroup"


def test_both_environments_set_what_the_template_asks_for() -> None:
    """Every parameter without a default, and none that there is not."""
    config = tomllib.loads((SAM / "samconfig.toml").read_text("utf-8"))
    needed = {name for name, one in TEMPLATE["Parameters"].items() if "Default" not in one}
    for environment in ("staging", "production"):
        assert "parameter_overrides" not in config[environment]["deploy"]["parameters"]
        given = config[environment]["global"]["parameters"]["parameter_overrides"]
        names = {entry.partition("=")[0] for entry in given}
        assert needed <= names <= set(TEMPLATE["Parameters"])


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker: str) -> Path:
    """Build the artefact as the README says."""
    base = tmp_path_factory.getbasetemp()
    return artefact.built(base if worker == "main" else base.parent)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[str]:
    """Run AWS's Secrets Manager, KMS and CodeDeploy; return their address."""
    with artefact.aws(tmp_path / "aws") as address:
        yield address


@pytest.fixture
def environ(cloud: str, postgres: Server, database_name: str) -> dict[str, str]:
    """Return the variables of a function."""
    entry = {
        "DATABASE_URL": postgres.url(database_name, LOGIN),
        "MEMORY_MIGRATION_URL": postgres.url(database_name),
        "API_KEYS": KEYS,
    }
    return artefact.environ(cloud, entry)


@pytest.fixture
def start(built: Path, environ: dict[str, str], tmp_path: Path) -> Any:  # noqa: ANN401
    """Return what starts a handler of the built artefact in AWS's runtime client."""

    def started(handler: str, **more: str) -> Any:  # noqa: ANN401  (a context manager)
        return function(
            f"backend.aws.{handler}",
            tmp_path / handler,
            environ | more,
            folder=built / "ApiFunction",
            python=artefact.runtime_python(),
        )

    return started


def asked(
    served: Function, method: str, path: str, body: object = None, status: int = 200, **more: Any
) -> Any:  # noqa: ANN401  (JSON)
    """Send one event and return what the answer says."""
    text = json.dumps(body) if body is not None else None
    headers = JSON | more.pop("headers", {})
    answer = served.invoke(http_v2(method, path, body=text, headers=headers, **more))
    assert answer["statusCode"] == status, answer
    lines = answer["body"].splitlines()
    return json.loads(lines[0]) if lines else None


@pytest.mark.heavy
def test_artefact_is_small_and_one(built: Path) -> None:
    """At most 70 MB unpacked; every function of the built template is the same code."""
    code = built / "ApiFunction"
    files = [path for path in code.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LIMIT
    assert not [path for path in files if "tests" in path.relative_to(code).parts[:1]]
    assert (code / "migrations" / "sql").is_dir()
    assert (code / "backend" / "ranking" / "embedding.bin").is_file()
    names = {path.name for path in code.iterdir()}
    assert not names & {"boto3", "botocore", "plugin", "pytest", "pip"}
    if (template := built / "template.yaml").exists():  # else there is no Python of the functions
        found = yaml.load(template.read_text("utf-8"), _Loader)["Resources"]  # noqa: S506
        places = {found[name]["Properties"]["CodeUri"].rstrip("/") for name in FUNCTIONS}
        assert places == {"ApiFunction"}


@pytest.mark.heavy
def test_artefact_holds_bytecode_that_no_clock_makes_stale(built: Path) -> None:
    """For every module; sources are those of our own, which tracebacks show."""
    code = built / "ApiFunction"
    for source in code.rglob("*.py"):
        assert source.relative_to(code).parts[0] in {"backend", "migrations"}
        assert list(source.parent.glob(f"__pycache__/{source.stem}.cpython-*.pyc")), source
    compiled = list(code.rglob("*.pyc"))
    assert {path.read_bytes()[4:8] for path in compiled} == {UNCHECKED}
    assert len(compiled) > 1_000


@pytest.mark.heavy
def test_artefact_serves_every_group_of_addresses(start: Any) -> None:  # noqa: ANN401
    """Health, memories, recall, history, sync, transfer, keys, tools, the account; and secrets."""
    with start("api") as api:
        assert asked(api, "GET", "/health")["status"] == "ok"
        stored = asked(api, "POST", "/api/memories", {"content": "an okapi"})
        assert asked(api, "GET", f"/api/memories/{stored['id']}")["content"] == "an okapi"
        found = asked(api, "POST", "/api/memories/recall", {"context": "okapi"})["memories"]
        assert [one["id"] for one in found] == [stored["id"]]
        assert asked(api, "PATCH", "/api/memories/1", {"content": "two okapis"})["version"] == 2
        assert asked(api, "GET", "/api/memories/1/history")
        assert asked(api, "POST", "/api/memories/1/restore")["content"] == "an okapi"
        assert asked(api, "GET", "/api/memories/sync", query="limit=1")["cursor"]
        assert asked(api, "POST", "/api/memories/sync", {"ops": []}) == {"results": []}
        assert asked(api, "GET", "/api/sync/hello")["epoch"]
        assert len(asked(api, "POST", "/api/memories/import", [{"content": "b"}])) == 1
        assert asked(api, "GET", "/api/export")["content"]
        key = asked(api, "POST", "/api/keys", {"name": "laptop"})
        assert asked(api, "DELETE", f"/api/keys/{key['id']}") is not None
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"accept": "application/json, text/event-stream"}
        assert asked(api, "POST", "/mcp", call, headers=accept)["result"]["tools"]
        sealed = asked(api, "POST", "/api/memories", {"content": f"the token is {SECRET}"})
        with start("secrets") as secrets:
            opened = asked(secrets, "POST", f"/api/memories/{sealed['id']}/secret")
            assert opened["content"] == f"the token is {SECRET}"
            assert opened["source"] == "kms"
            assert asked(secrets, "POST", "/api/memories/migrate-secrets")["migrated"] == 0
        url = api.invoke(function_url("GET", "/api/memories", headers=JSON))
        assert SECRET not in url["body"]
        assert asked(api, "DELETE", "/api/memories/1")["deleted_at"]
        assert asked(api, "DELETE", "/api/account")


@pytest.mark.heavy
def test_artefact_migrates_and_purges(
    start: Any,  # noqa: ANN401
    environ: dict[str, str],
    cloud: str,
    postgres: Server,
    empty_database: str,
) -> None:
    """The schema comes from the artefact's own migrations; then there is something to purge."""
    urls = {
        "DATABASE_URL": postgres.url(empty_database, LOGIN),
        "MEMORY_MIGRATION_URL": postgres.url(empty_database),
    }
    artefact.client(cloud, "secretsmanager").put_secret_value(
        SecretId=environ["MEMORY_SECRET_ARN"], SecretString=json.dumps(urls)
    )
    with start("migrate") as migrate:
        assert migrate.invoke({}) == {"ok": True, "migrated": True}
    with start("purge") as purge:
        assert purge.invoke({"source": "aws.events"})["ok"] is True
