"""monitoring.yaml against the code and the page: nothing watches what nobody counts, and each alarm says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from agent_builder import metrics
from agent_builder.metrics import CATALOGUE, Metric
from agent_builder.observability import FIELDS
from tests.template import ROOT, Template, functions, of_type, read, transform

BY_NAME = {metric.name: metric for metric in CATALOGUE}
NAMESPACE = {"Ref": "Namespace"}
CODE = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]

# What AWS publishes by itself, with the dimensions that it has there.
PUBLISHED = {
    ("AWS/ApiGateway", "4xx"): {("ApiId",)},
    ("AWS/ApiGateway", "5xx"): {("ApiId",)},
    ("AWS/ApiGateway", "ClientError"): {("ApiId", "Stage")},
    ("AWS/ApiGateway", "ConnectCount"): {("ApiId", "Stage")},
    ("AWS/ApiGateway", "Count"): {("ApiId",)},
    ("AWS/ApiGateway", "ExecutionError"): {("ApiId", "Stage")},
    ("AWS/ApiGateway", "IntegrationError"): {("ApiId", "Stage")},
    ("AWS/ApiGateway", "Latency"): {("ApiId",)},
    ("AWS/ApiGateway", "MessageCount"): {("ApiId", "Stage")},
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): {("TableName",)},
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): {("TableName",)},
    ("AWS/DynamoDB", "ReadThrottleEvents"): {("TableName",)},
    ("AWS/DynamoDB", "SystemErrors"): {("TableName", "Operation")},
    ("AWS/DynamoDB", "WriteThrottleEvents"): {("TableName",), ("TableName", "GlobalSecondaryIndexName")},
    ("AWS/Events", "Invocations"): {("RuleName",)},
    ("AWS/Lambda", "ClaimedAccountConcurrency"): {()},
    ("AWS/Lambda", "ConcurrentExecutions"): {("FunctionName",)},
    ("AWS/Lambda", "Errors"): {("FunctionName",)},
    ("AWS/Lambda", "Invocations"): {("FunctionName",)},
    ("AWS/Lambda", "Throttles"): {("FunctionName",)},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {("QueueName",)},
}

Watched = tuple[Any, str, tuple[tuple[str, Any], ...]]


@pytest.fixture(scope="module")
def deployed() -> Template:
    return transform()


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "operations.md").read_text("utf-8")


MONITORING = read("monitoring.yaml")
ALARMS = of_type(MONITORING, "AWS::CloudWatch::Alarm")


def watched(alarm: Template) -> Iterator[Watched]:
    """Namespace, name and dimensions of each metric that an alarm looks at."""
    stats = [metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric]
    for metric in stats or [alarm]:
        pairs = tuple((pair["Name"], pair["Value"]) for pair in metric.get("Dimensions", []))
        yield metric["Namespace"], metric["MetricName"], pairs


def check_metric(namespace: Any, name: str, pairs: tuple[tuple[str, Any], ...]) -> None:
    names = tuple(name for name, _ in pairs)
    if namespace in (NAMESPACE, "${Namespace}"):
        assert names == ("service", *BY_NAME[name].dimensions), name
        assert dict(pairs)["service"] in {"api", "playground", "runner"}
    else:
        assert names in PUBLISHED[namespace, name], name


# ---------------------------------------------------------------- alarms


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_watches_what_is_counted(name: str) -> None:
    for namespace, metric, pairs in watched(ALARMS[name]):
        check_metric(namespace, metric, pairs)


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_tells_somebody_and_is_quiet_where_nothing_happens(name: str) -> None:
    alarm = ALARMS[name]
    topic = [{"Fn::If": ["MakeTopic", {"Ref": "AlarmTopic"}, {"Ref": "Topic"}]}]
    assert alarm["AlarmActions"] == alarm["OKActions"] == topic
    assert alarm["AlarmName"] == {"Fn::Sub": f"${{Product}}-{name}"}
    watching = (alarm["TreatMissingData"], alarm["ComparisonOperator"])
    stops = name == "RescueStopped"  # it is what never is without something happening
    assert watching == (("breaching", "LessThanThreshold") if stops else ("notBreaching", "GreaterThanThreshold"))


@pytest.mark.parametrize("name", ALARMS)
def test_expression_of_an_alarm_uses_each_of_its_metrics(name: str) -> None:
    """And each in a way that a metric which nobody has counted yet does not make the whole unknown."""
    entries = ALARMS[name].get("Metrics", [])
    for entry in [entry for entry in entries if "Expression" in entry]:
        text = json.dumps(entry["Expression"])
        used = set(re.findall(r"\b[a-z]+\b", re.sub(r"FILL|IF", "", text)))
        declared = {other["Id"] for other in entries if "MetricStat" in other}
        assert used == declared
        if len(declared) > 1:
            assert all(len(re.findall(rf"\b{one}\b", text)) == text.count(f"FILL({one}, 0)") for one in declared)


def test_what_the_alarms_watch() -> None:
    """The list of the specification, so that none is lost."""
    seen = {(str(namespace), metric) for alarm in ALARMS.values() for namespace, metric, _ in watched(alarm)}
    own = {name for namespace, name in seen if namespace == str(NAMESPACE)}
    assert own == {"FirstTokenLatency", "ModelErrors", "Rescues", "Runs", "SecretsUnavailable"}
    assert {name for namespace, name in seen if namespace.startswith("AWS/")} == {
        "Invocations",  # of the rescue
        *("ApproximateNumberOfMessagesVisible", "Errors", "Throttles", "ClaimedAccountConcurrency"),
        *("ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors", "5xx", "ExecutionError", "IntegrationError"),
    }


def test_every_function_has_its_alarms(deployed: Template) -> None:
    names = {function["FunctionName"]["Fn::Sub"].partition("-")[2] for function in functions(deployed).values()}
    for kind in ("Errors", "Throttles"):
        found = {
            dict(pairs)["FunctionName"]["Fn::Sub"]
            for alarm in ALARMS.values()
            for namespace, metric, pairs in watched(alarm)
            if (namespace, metric) == ("AWS/Lambda", kind)
        }
        assert found == {f"${{Product}}-{name}" for name in names}


def test_vendors_whose_keys_are_watched_are_those_with_a_key() -> None:
    from agent_builder.config import Settings

    vendors = [dict(pairs)["provider"] for _, _, pairs in watched(ALARMS["ProviderRefusesKey"])]
    assert set(vendors) == set(Settings.LAPTOP_VARIABLES)


# ---------------------------------------------------------------- how it is nested


def test_names_are_passed_on(deployed: Template) -> None:
    nested = deployed["Resources"]["Monitoring"]
    assert nested["Condition"] == "HasMonitoring"
    parameters = nested["Properties"]["Parameters"]
    assert set(parameters) == set(MONITORING["Parameters"])
    for function in functions(deployed).values():
        variables = function["Environment"]["Variables"]
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == parameters["Namespace"]
    assert parameters["Namespace"]["Fn::Sub"].startswith(metrics.NAMESPACE)
    assert parameters["RescueRule"]["Ref"] in of_type(deployed, "AWS::Events::Rule")
    stage = deployed["Resources"]["PlaygroundApiliveStage"]["Properties"]["StageName"]
    assert {dict(pairs)["Stage"] for _, _, pairs in watched(ALARMS["PlaygroundFailing"])} == {stage}
    indexes = {index["IndexName"] for index in deployed["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]}
    pairs = [dict(pairs) for _, _, pairs in watched(ALARMS["TableThrottles"])]
    assert {pair["GlobalSecondaryIndexName"] for pair in pairs if len(pair) == 2} == indexes


# ---------------------------------------------------------------- dashboard


def test_dashboard_shows_every_metric_and_alarm() -> None:
    [dashboard] = of_type(MONITORING, "AWS::CloudWatch::Dashboard").values()
    text = dashboard["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(text)["widgets"]
    shown: set[str] = set()
    for widget in widgets:
        for metric in widget["properties"].get("metrics", []):
            shown |= {_check_shown(metric)} - {""}
    assert shown == set(BY_NAME) - {"SecretsUnavailable"}  # which has an alarm, and no course that is worth a graph
    alarms = {arn.rpartition("${Product}-")[2] for arn in widgets[0]["properties"]["alarms"]}
    assert alarms == set(ALARMS)
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(MONITORING["Parameters"])


def test_widgets_do_not_lie_on_each_other() -> None:
    [dashboard] = of_type(MONITORING, "AWS::CloudWatch::Dashboard").values()
    taken: set[tuple[int, int]] = set()
    for widget in json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert max(columns) < 24
        assert not cells & taken
        taken |= cells


def _check_shown(metric: list[Any]) -> str:
    """The metric of ours that an entry of a graph shows; "" for others."""
    if isinstance(metric[0], dict):
        found = re.match(
            r"""SEARCH\('\{"\$\{Namespace\}",([a-z,]+)\} MetricName="(\w+)"', '\w+', 300\)$""", metric[0]["expression"]
        )
        if found is None:
            assert metric[0]["expression"] == "e1 / 1000000000"
            return ""
        assert tuple(found[1].split(",")) == ("service", *BY_NAME[found[2]].dimensions)
        return found[2]
    namespace, name, *rest = [part for part in metric if not isinstance(part, dict)]
    check_metric(namespace, name, tuple(zip(rest[::2], rest[1::2], strict=True)))
    return str(name) if name in BY_NAME else ""


# ---------------------------------------------------------------- the page and the code


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The table under a heading: first cell to the others."""
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("|` "): [cell.strip(" |") for cell in row[1:]] for row in cells}


def test_every_alarm_has_its_row(page: str) -> None:
    found = rows(page, "Alarms")
    assert set(found) == set(ALARMS)
    for name, (meaning, what_to_do) in found.items():
        assert len(meaning) > 20 and len(what_to_do) > 20, name


def test_page_says_what_the_alarms_cost(page: str) -> None:
    count = sum(len(list(watched(alarm))) for alarm in ALARMS.values())
    assert f"They watch {count} metrics (${count / 10:.2f} a month" in " ".join(page.split())


def test_every_metric_has_its_row(page: str) -> None:
    found = rows(page, "Metrics")
    told = {Metric(name, unit, tuple(re.findall(r"`(\w+)`", dims))) for name, (unit, dims, _) in found.items()}  # type: ignore[arg-type]
    assert told == set(CATALOGUE)


@pytest.mark.parametrize("name", [name for name, value in vars(metrics).items() if isinstance(value, Metric)])
def test_every_metric_is_counted_somewhere(name: str) -> None:
    text = "\n".join(path.read_text("utf-8") for path in CODE if path.name != "metrics.py")
    assert re.search(rf"(add\(|counted\.){name}\b", text)


def test_no_dimension_is_an_id() -> None:
    assert {dimension for metric in CATALOGUE for dimension in metric.dimensions} == {
        *("budget", "code", "error", "outcome", "provider", "reason", "target"),
    }


def test_what_stands_beside_metrics_is_no_dimension() -> None:
    """It would take its place in the line."""
    names = {dimension for metric in CATALOGUE for dimension in metric.dimensions} | set(BY_NAME)
    assert not names & {"service", "correlation_id", *FIELDS}
