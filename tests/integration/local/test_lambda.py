"""The Lambda service through a real client: invocations, errors, limits, retries, and twenty at once."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.local.conftest import eventually


def test_an_invocation(functions):
    answer = functions.invoke(FunctionName="local-worker:live", Payload=b"{}")
    assert answer["StatusCode"] == 200
    assert json.loads(answer["Payload"].read())["arn"].endswith(":function:local-worker:live")


ARN = "arn:aws:lambda:us-east-1:000000000000:function:local-worker"


@pytest.mark.parametrize("name", ["local-worker", ARN, f"{ARN}:live"])
def test_a_function_goes_by_its_name_and_its_arn(functions, name):
    assert functions.invoke(FunctionName=name, Payload=b"{}")["StatusCode"] == 200


def test_a_qualifier_names_the_alias(functions):
    assert functions.invoke(FunctionName="local-worker", Qualifier="live", Payload=b"{}")["StatusCode"] == 200
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="local-worker", Qualifier="other")


@pytest.mark.parametrize("name", ["nobody", "local-worker:other"])
def test_an_unknown_function_is_not_found(functions, name):
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName=name)


def test_the_hooks_of_a_snapshot_run_before_the_fork_and_after_it(worker):
    answer = worker()
    before, after = answer["hooks"]
    assert after == f"after in {answer['pid']}"
    assert before.startswith("before in ")
    assert before != f"before in {answer['pid']}"


def test_an_exception_is_a_function_error(worker):
    error = worker(do="raise")["error"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "asked to fail")
    assert "functions/slow/app.py" in "".join(error["stackTrace"])
    assert "worker.py" not in "".join(error["stackTrace"])


def test_an_environment_that_dies_fails_its_event_only(worker):
    error = worker(do="exit")["error"]
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: exit status 7")
    assert worker()["pid"]


def test_an_event_that_takes_too_long_is_killed(worker):
    error = worker(do="sleep", seconds=60)["error"]
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 2.00 seconds")
    assert worker()["pid"]


def test_twenty_at_once_are_forks_of_one_import(worker):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: worker(do="sleep", seconds=1.5), range(20)))
    assert len({answer["pid"] for answer in answers}) == 20
    assert len({answer["hooks"][0] for answer in answers}) == 1


def test_an_environment_serves_one_event_after_another(worker):
    # Which environment is free again first is a matter of milliseconds, so more answers than environments may exist.
    pids = [worker()["pid"] for _ in range(70)]
    assert len(set(pids)) < len(pids)


def test_payload_limits(functions):
    six, one = b'"' + b"x" * (6 * 1024 * 1024) + b'"', b'"' + b"x" * (1024 * 1024) + b'"'
    with pytest.raises(functions.exceptions.RequestTooLargeException):
        functions.invoke(FunctionName="local-worker", Payload=six)
    with pytest.raises(functions.exceptions.RequestTooLargeException):
        functions.invoke(FunctionName="local-worker", InvocationType="Event", Payload=one)


def later(functions, **event):
    answer = functions.invoke(FunctionName="local-worker:live", InvocationType="Event", Payload=json.dumps(event))
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")


def test_an_asynchronous_event_is_tried_again(functions, tmp_path):
    file = tmp_path / "tries"
    later(functions, do="fail_until", file=str(file), attempts=3)
    eventually(lambda: file.exists() and file.stat().st_size == 3)


def test_an_event_that_fails_three_times_is_kept(functions, stack, tmp_path):
    file = tmp_path / "tries"
    later(functions, do="fail_until", file=str(file), attempts=99)
    kept = stack.data_dir / "failed-events.jsonl"

    def found():
        lines = kept.read_text().splitlines() if kept.exists() else []
        return [record for record in map(json.loads, lines) if record["event"].get("file") == str(file)]

    [record] = eventually(found)
    assert record["function"] == "local-worker"
    assert record["error"]["errorMessage"] == "not yet"
    assert file.stat().st_size == 3
    assert kept.stat().st_mode & 0o777 == 0o600


def test_what_functions_print_is_in_the_log_and_errors_on_the_terminal(worker, stack):
    worker(do="log", line="an ordinary line")
    worker(do="log", line='{"level": "ERROR", "message": "a structured line"}')
    eventually(lambda: "ERROR a structured line" in stack.output())
    log = stack.function_log()
    assert "[local-worker/" in log
    assert "an ordinary line" in log
    assert "an ordinary line" not in stack.output()


def test_environments_have_no_terminal_and_their_own_session(worker):
    pid = worker()["pid"]
    assert os.getsid(pid) == pid
