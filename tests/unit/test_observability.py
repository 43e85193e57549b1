"""What functions log, seen from outside: a process that begins as Lambda's does, and the lines that it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from agent_builder import aws
from agent_builder.config import log_level
from scripts.openapi import ROOT

CANARY = "cnry-Zq7"
# AWS's own client sets the root logger up before it imports the function.
LAMBDA = """
import logging, os, sys
from awslambdaric import bootstrap
from awslambdaric.bootstrap import StandardLogSink

form = bootstrap.LogFormat.from_str(os.environ["AWS_LAMBDA_LOG_FORMAT"])
bootstrap._setup_logging(form, os.environ["AWS_LAMBDA_LOG_LEVEL"], StandardLogSink())

from agent_builder.metrics import RESCUES, RUNS, Metrics
from agent_builder.observability import configure_logging, invocation, log_fields, logger

configure_logging()

class Context:
    aws_request_id = "req-1"

ours = logging.getLogger("agent_builder.services.run")
metrics = Metrics()
"""


def logged(code: str, **environ: str) -> list[dict[str, Any]]:
    """The lines that a function of this code writes."""
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",  # as template.yaml sets it
        "POWERTOOLS_SERVICE_NAME": "runner",
        "POWERTOOLS_METRICS_NAMESPACE": "AgentBuilder/test",
        **environ,
    }
    command = [sys.executable, "-W", "ignore", "-c", LAMBDA + code]
    result = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert not result.returncode, result.stderr
    return [json.loads(line) for line in (result.stdout + result.stderr).splitlines()]


@pytest.mark.parametrize(
    ("setting", "heard"),
    [
        ("DEBUG", ["debug", "info", "warning", "error"]),
        ("INFO", ["info", "warning", "error"]),
        ("WARNING", ["warning", "error"]),
        ("ERROR", ["error"]),
    ],
)
def test_level_is_the_setting_whatever_lambda_s_own_filter_says(setting: str, heard: list[str]) -> None:
    code = """
for level in ("debug", "info", "warning", "error"):
    getattr(logger, level)(level)
    getattr(ours, level)(level)
metrics.add(RESCUES)
metrics.flush()
"""
    *lines, embedded = logged(code, POWERTOOLS_LOG_LEVEL=setting)
    assert [line["message"] for line in lines] == [level for level in heard for _ in range(2)]
    assert embedded["Rescues"] == [1]  # metrics are no matter of levels
    assert embedded["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "AgentBuilder/test"


@pytest.mark.parametrize("setting", ["DEBUG", "INFO"])
def test_libraries_do_not_tell_what_they_call(setting: str) -> None:
    code = f"""
logging.getLogger("httpx2").info("HTTP Request: GET https://api.example/?key={CANARY}")
logging.getLogger("botocore.endpoint").debug("Making request with {CANARY}")
logging.getLogger("openai._base_client").debug("Request options: {CANARY}")
logging.getLogger("a.library").warning("something is wrong")
"""
    lines = logged(code, POWERTOOLS_LOG_LEVEL=setting, AWS_LAMBDA_LOG_LEVEL=setting)
    assert [line["message"] for line in lines] == ["something is wrong"]


def test_a_line_carries_the_ids_of_its_invocation_and_of_no_other() -> None:
    code = """
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-2-3;Parent=4;Sampled=1"
with invocation(Context(), metrics, kind="run", tenant_id="t1", conversation_id="cnv_1", connection_id=None):
    log_fields(run_id="run_1", agent_id="")
    ours.info("first")
    metrics.add(RUNS, outcome="completed")
with invocation(Context(), metrics, kind="rescue"):
    logger.info("second")
"""
    first, embedded, second = logged(code)
    ids = {"correlation_id": "req-1", "kind": "run", "tenant_id": "t1", "conversation_id": "cnv_1", "run_id": "run_1"}
    assert ids.items() <= first.items()
    assert ids.items() <= embedded.items()
    assert first["xray_trace_id"] == "1-2-3"
    assert (second["correlation_id"], second["kind"]) == ("req-1", "rescue")
    assert not {"tenant_id", "conversation_id", "run_id", "agent_id", "connection_id"} & set(second)
    assert not {"agent_id", "connection_id"} & set(first)


def test_an_error_tells_its_place_and_not_what_it_was_about() -> None:
    code = f"""
from pydantic import BaseModel
from agent_builder.errors import StoreError

class Shape(BaseModel):
    number: int

def inner():
    try:
        Shape.model_validate({{"number": "{CANARY}"}})
    except ValueError as error:
        raise StoreError("The table is away.") from error

def outer():
    try:
        inner()
    except StoreError as error:
        raise KeyError("{CANARY}") from error

try:
    outer()
except KeyError:
    ours.exception("a run failed unexpectedly")
"""
    [line] = logged(code, POWERTOOLS_LOG_LEVEL="DEBUG")
    assert CANARY not in json.dumps(line)
    assert line["exception_name"] == "KeyError"
    stack = line["exception"]
    assert "in outer" in stack and "in inner" in stack
    assert "StoreError: The table is away." in stack
    assert stack.index("KeyError") < stack.index("StoreError") < stack.index("ValidationError")


def test_errors_of_tasks_side_by_side_are_told_each() -> None:
    code = f"""
import asyncio

async def left():
    error = ValueError("{CANARY}")
    error.add_note("{CANARY}")
    raise error

async def both():
    async with asyncio.TaskGroup() as group:
        group.create_task(left())

try:
    asyncio.run(both())
except Exception as error:
    error.add_note("{CANARY}")
    ours.exception("a tool failed unexpectedly")
"""
    [line] = logged(code)
    assert CANARY not in json.dumps(line)
    assert "in left" in line["exception"]
    assert line["exception"].index("ExceptionGroup") < line["exception"].index("ValueError")


def test_what_lambda_is_told_of_a_failure_is_no_content_and_metrics_are_written() -> None:
    code = f"""
from agent_builder.errors import StoreError

for error in (ValueError("{CANARY}"), StoreError("The table is away.")):
    try:
        with invocation(Context(), metrics, kind="run"):
            metrics.add(RESCUES)
            raise error
    except Exception as raised:
        assert raised.__cause__ is None and (raised.__suppress_context__ or raised is error)
        logger.warning(f"{{type(raised).__name__}}: {{raised}}")
"""
    lines = logged(code)
    assert CANARY not in json.dumps(lines)
    assert [line.get("message", "metrics") for line in lines] == [
        "an invocation failed unexpectedly",
        "metrics",
        "InvocationFailed: ValueError",
        "metrics",
        "StoreError: The table is away.",
    ]


@pytest.mark.parametrize(("given", "level"), [("debug", "DEBUG"), ("", "INFO"), ("loud", "INFO"), ("ERROR", "ERROR")])
def test_a_level_that_is_none_is_info(given: str, level: str) -> None:
    assert log_level({"POWERTOOLS_LOG_LEVEL": given}) == level


def test_a_ring_goes_on_in_the_trace_that_it_was_rung_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any library of X-Ray: the AWS client sends on what Lambda put into the environment."""
    trace = "Root=1-67891233-abcdef012345678912345678;Parent=0102030405060708;Sampled=1"
    environment = {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "agent-builder-playground",
        "_X_AMZN_TRACE_ID": trace,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = aws.client("lambda", retries={"total_max_attempts": 1})
    sent: list[Any] = []

    def stop(request: Any, **_: Any) -> None:
        sent.append(request.headers["X-Amzn-Trace-Id"])
        raise InterruptedError

    client.meta.events.register("before-send.lambda.Invoke", stop)
    with pytest.raises(InterruptedError):
        client.invoke(FunctionName="agent-builder-runner:live", InvocationType="Event", Payload=b"{}")
    assert [header.decode() if isinstance(header, bytes) else header for header in sent] == [trace]


@pytest.mark.parametrize("function", ["api", "authorizer", "playground", "runner"])
def test_no_library_of_x_ray_is_loaded(function: str) -> None:
    code = f"""
import json
import functions.{function}.app
print(json.dumps({{"loaded": [name for name in sys.modules if name.startswith("aws_xray_sdk")]}}))
"""
    assert logged(code)[-1] == {"loaded": []}
