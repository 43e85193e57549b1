"""Reading a template: intrinsics, routes, paths, and clear words for what cannot be read."""

import textwrap
from pathlib import Path

import pytest

from local.intrinsics import NO_VALUE, Resolver, TemplateError, parse
from local.template import load

SAMPLE = Path(__file__).parents[2] / "integration" / "local" / "sample_app" / "template.yaml"
PROJECT = Path(__file__).parents[3]


def resolver(text):
    document = parse(textwrap.dedent(text))
    return document, Resolver(document, "eu-west-1")


def evaluate(expression, extra=""):
    document, resolve = resolver(f"""
        Parameters: {{Name: {{Type: String, Default: Ann}}, Flag: {{Type: String, Default: "true"}}}}
        Conditions:
          Lit: !Equals [!Ref Flag, "true"]
          Dark: !Not [!Condition Lit]
          Both: !And [!Condition Lit, !Condition Dark]
          Either: !Or [!Condition Lit, !Condition Dark]
        Mappings: {{Sizes: {{small: {{memory: 128}}}}}}
        Resources:
          Table: {{Type: "AWS::DynamoDB::Table", Properties: {{TableName: !Sub "${{AWS::StackName}}-things"}}}}
          Queue: {{Type: "AWS::SQS::Queue"}}
          Secret: {{Type: "AWS::SecretsManager::Secret"}}
          F:
            Type: AWS::Serverless::Function
            Properties: {{FunctionName: !Sub "${{AWS::StackName}}-f", AutoPublishAlias: live}}
          Probe: {{Type: X, Value: {expression}}}
        {extra}
        """)
    return resolve.value(document["Resources"]["Probe"]["Value"])


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Ref Name", "Ann"),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref Table", "local-things"),
        ("!Ref Queue", "local-Queue"),
        ("!GetAtt Table.Arn", "arn:aws:dynamodb:eu-west-1:000000000000:table/local-things"),
        ("!GetAtt [Queue, Arn]", "arn:aws:sqs:eu-west-1:000000000000:local-Queue"),
        ("!Ref F.Alias", "arn:aws:lambda:eu-west-1:000000000000:function:local-f:live"),
        ("!GetAtt F.Arn", "arn:aws:lambda:eu-west-1:000000000000:function:local-f"),
        ("!Ref Secret", "arn:aws:secretsmanager:eu-west-1:000000000000:secret:local-Secret"),
        (
            '!Sub "${Name} ${Table.Arn} ${!Literal}"',
            "Ann arn:aws:dynamodb:eu-west-1:000000000000:table/local-things ${Literal}",
        ),
        ('!Sub ["${Greeting} ${Name}", {Greeting: !Join ["-", [a, b]]}]', "a-b Ann"),
        ("!If [Lit, yes-it-is, no]", "yes-it-is"),
        ("!If [Dark, 1, !Ref Name]", "Ann"),
        ("!If [Both, 1, 2]", 2),
        ("!If [Either, 1, 2]", 1),
        ("!If [Dark, 1, !Ref AWS::NoValue]", NO_VALUE),
        ("[!Ref AWS::NoValue, {a: !Ref Name, b: !Ref AWS::NoValue}]", [{"a": "Ann"}]),
        ('!Select [1, !Split [",", "a,b,c"]]', "b"),
        ("!FindInMap [Sizes, small, memory]", 128),
    ],
)
def test_intrinsics(expression, value):
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("!Ref Nobody", "unknown resource or parameter Nobody"),
        ("!If [Nowhere, 1, 2]", "unknown condition Nowhere"),
        ("!ImportValue x", "Fn::ImportValue is not supported"),
    ],
)
def test_what_cannot_be_resolved_is_named(expression, words):
    with pytest.raises(TemplateError, match=words):
        evaluate(expression)


@pytest.mark.parametrize("text", ["Resources: [", "just text", "Resources: 3", ""])
def test_a_file_that_is_no_template_is_refused_with_its_name(tmp_path, text):
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError, match=r"template\.yaml: (not valid YAML|no Resources)"):
        load(path, "us-east-1")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TemplateError, match="No such file"):
        load(tmp_path / "nothing.yaml", "us-east-1")


def test_the_sample_application():
    application = load(SAMPLE, "us-east-1")
    echo, worker = application.functions["EchoFunction"], application.functions["WorkerFunction"]
    assert echo.environment == {
        "TABLE_NAME": "local-Table",
        "GREETING": "hello from local",
        "WORKER": "local-worker:live",
    }
    assert echo.path == (SAMPLE.parent, SAMPLE.parent / "layer" / "python")
    assert echo.watched == (SAMPLE.parent / "functions" / "echo", SAMPLE.parent / "layer" / "python")
    assert (echo.uses_secret, worker.uses_secret) == (False, True)
    assert "KEYS" not in worker.environment
    assert (worker.timeout, worker.retries, worker.max_event_age) == (2.0, 2, 300.0)
    assert [(schedule.seconds, schedule.input) for schedule in worker.schedules] == [(60, '{"do":"tick"}')]
    assert [(route.method, route.path, route.timeout) for route in application.routes] == [
        ("ANY", "/api/{proxy+}", 2.0),
        ("GET", "/api/items/{id}", 30.0),
        ("GET", "/named/{id}", 30.0),
    ]
    assert application.websockets[0].routes == dict.fromkeys(["$connect", "$disconnect", "$default"], "EchoFunction")
    assert application.tables[0].ttl_attribute == "expires_at"


def test_the_projects_template_is_served_whole():
    application = load(PROJECT / "template.yaml", "us-east-1")
    assert set(application.functions) >= {"ApiFunction", "PlaygroundFunction", "RunnerFunction"}
    assert application.warnings == ()
    for function in application.functions.values():
        module = Path(*function.handler.split(".")[:-1]).with_suffix(".py")
        assert (function.path[0] / module).is_file()


def test_a_schedule_that_is_not_a_rate_is_reported(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(SAMPLE.read_text().replace("rate(1 minute)", "'cron(0 12 * * ? *)'"))
    application = load(path, "us-east-1")
    assert application.warnings == ("WorkerFunction: cron(0 12 * * ? *) is not run on the laptop (only rate(...) is)",)
    assert application.functions["WorkerFunction"].schedules == ()
