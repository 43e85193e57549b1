"""Starting, stopping and dying: what is said, what is kept, and that nothing stays behind."""

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import httpx2
import pytest

from local.packages import PROJECT
from local.testing import running_stack, running_store
from tests.integration.local.conftest import ARGUMENTS, SAMPLE, client, eventually


def run(*arguments, **environment):
    """Run `python -m local` to its end."""
    command = [sys.executable, "-m", "local", "--no-model", "--no-example", *ARGUMENTS, *map(str, arguments)]
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False
    )


def put(stack, *keys):
    dynamodb = client(stack, "dynamodb")
    for key in keys:
        dynamodb.put_item(TableName=stack.table_name, Item={"pk": {"S": key}, "group": {"S": "g"}})


def keys(stack):
    dynamodb = client(stack, "dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(TableName=stack.table_name)
    return {item["pk"]["S"] for page in pages for item in page["Items"]}


def children(pid):
    """Return the ids of all processes below one, deepest last."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = [child for child, parent in parents if parent == pid]
    return found + [below for child in found for below in children(child)]


def gone(pid):
    """Tell whether a process is no more (a zombie that waits to be collected is no more)."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not state.strip() or state.startswith("Z")


def test_a_stop_is_clean_and_the_data_stays():
    with running_stack(arguments=ARGUMENTS) as stack:
        put(stack, "a", "b")
        processes = children(stack.process.pid)
        assert stack.stop() == 0
        assert all(gone(pid) for pid in processes)
        assert "Traceback" not in stack.output() + (stack.data_dir / "logs" / "store.log").read_text()
        stack.start()
        assert keys(stack) == {"a", "b"}


def test_terminate_is_as_clean():
    with running_stack(arguments=ARGUMENTS) as stack:
        stack.process.send_signal(signal.SIGTERM)
        assert stack.process.wait(20) == 0


def test_a_stop_does_not_wait_for_functions_and_open_connections():
    from websockets.sync.client import connect

    with running_stack(arguments=ARGUMENTS) as stack, connect(stack.ws_url("r", "/ws/")) as browser:
        browser.send('{"sleep": 9}')
        assert stack.stop() == 0


def test_killed_it_leaves_no_process_and_loses_no_write():
    with running_stack(arguments=ARGUMENTS) as stack:
        httpx2.get(stack.url + "/api/x")
        put(stack, *map(str, range(50)))
        processes = children(stack.process.pid)
        stack.kill()
        stack.start()
        assert len(processes) >= 4
        eventually(lambda: all(gone(pid) for pid in processes))
        assert keys(stack) == set(map(str, range(50)))


def test_a_killed_store_loses_nothing_that_was_acknowledged():
    with running_store(template=SAMPLE / "template.yaml") as store:
        dynamodb = client(store, "dynamodb")
        acknowledged = []

        def write(start):
            for number in range(start, start + 10_000):
                try:
                    dynamodb.put_item(TableName=store.table_name, Item={"pk": {"S": str(number)}})
                except Exception:
                    return
                acknowledged.append(str(number))

        with ThreadPoolExecutor(4) as pool:
            writers = [pool.submit(write, start) for start in range(0, 40_000, 10_000)]
            eventually(lambda: len(acknowledged) > 200)
            [process] = children(store.process.pid)
            os.kill(process, signal.SIGKILL)
            [writer.result() for writer in writers]
        store.kill()
        store.start()
        assert set(acknowledged) <= keys(store)


def test_a_damaged_snapshot_is_reported_and_the_data_is_there():
    with running_stack(arguments=ARGUMENTS) as stack:
        put(stack, "a")
        stack.restart()
        put(stack, "b")
        stack.stop()
        newest = sorted((stack.data_dir / "store").glob("snapshot-*.json"))[-1]
        newest.write_bytes(newest.read_bytes()[:-10])
        stack.start()
        assert keys(stack) == {"a", "b"}
        eventually(lambda: f"note: {newest.name} is damaged" in stack.output())


def test_a_table_gets_the_index_it_lacks(tmp_path):
    folder = tmp_path / "app"
    shutil.copytree(SAMPLE, folder)
    template = (folder / "template.yaml").read_text()
    before, _, rest = template.partition("      GlobalSecondaryIndexes:\n")
    (folder / "template.yaml").write_text(
        (before + rest.split("{ProjectionType: ALL}\n", 1)[1]).replace(
            "        - {AttributeName: group, AttributeType: S}\n", ""
        )
    )
    with running_store(template=folder / "template.yaml") as store:
        put(store, "a")
        store.stop()
        (folder / "template.yaml").write_text(template)
        store.start()
        found = boto3.client("dynamodb", **store.client_options("dynamodb")).query(
            TableName=store.table_name,
            IndexName="by_group",
            KeyConditionExpression="#g = :g",
            ExpressionAttributeNames={"#g": "group"},
            ExpressionAttributeValues={":g": {"S": "g"}},
        )
        assert [item["pk"]["S"] for item in found["Items"]] == ["a"]


def test_a_taken_port_is_said_in_one_line(stack, tmp_path):
    port = int(stack.url.rpartition(":")[2])
    done = run("--data", tmp_path / "data", "--port", port)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"local: port {port} is taken (Address already in use); choose another: PORT={port + 1} make run"
    ]
    assert not (tmp_path / "data" / "running.json").exists()


def test_a_port_that_is_none_is_said_in_one_line():
    done = run(PORT="http")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "PORT=http is not a port" in done.stderr


def test_a_second_start_on_the_same_data_is_refused(stack):
    done = run("--data", stack.data_dir, "--port", 0)
    assert done.returncode == 1
    assert "another instance is running on the data in" in done.stderr
    assert (stack.data_dir / "running.json").exists()
    assert httpx2.get(stack.url).status_code == 200


def test_a_template_that_cannot_be_read_is_said_in_one_line(tmp_path):
    done = run("--template", tmp_path / "none.yaml", "--data", tmp_path / "data")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_the_data_folder_is_private(stack):
    for name, mode in {".": 0o700, "store": 0o700, "logs": 0o700, "running.json": 0o600}.items():
        assert (stack.data_dir / name).stat().st_mode & 0o777 == mode


def test_changed_source_is_run(tmp_path):
    folder = tmp_path / "app"
    shutil.copytree(SAMPLE, folder)
    layer = folder / "layer" / "python" / "sample" / "__init__.py"
    arguments = ["--template", str(folder / "template.yaml"), "--static", str(folder / "static")]
    with running_stack(arguments=arguments) as stack:

        def answer():
            return httpx2.get(stack.url + "/api/x")

        assert answer().json()["layer"] == "from the layer"
        layer.write_text('LAYER = "edited"')
        eventually(lambda: answer().json()["layer"] == "edited")
        layer.write_text("LAYER = ")
        eventually(lambda: answer().status_code == 500)
        eventually(lambda: "SyntaxError" in stack.output())
        layer.write_text('LAYER = "mended"')
        eventually(lambda: answer().status_code == 200)
        assert answer().json()["layer"] == "mended"


@pytest.mark.parametrize("runtime", ["spawn", "awslambdaric"])
def test_other_runtimes_behave_alike(runtime):
    with running_stack(arguments=[*ARGUMENTS, "--runtime", runtime, "--spares", "1"]) as stack:
        functions = client(stack, "lambda")

        def invoke(payload):
            answer = functions.invoke(FunctionName="local-worker:live", Payload=payload)
            return answer.get("FunctionError"), answer["Payload"].read().decode()

        assert '"seen": 1' in invoke(b"{}")[1].replace('"seen":1', '"seen": 1')
        for payload, words in {
            b'{"do": "raise"}': "asked to fail",
            b'{"do": "exit"}': "Runtime.ExitError",
            b'{"do": "sleep", "seconds": 9}': "Task timed out after 2.00 seconds",
        }.items():
            error, text = invoke(payload)
            assert (error, words in text) == ("Unhandled", True), text
        assert len(httpx2.post(stack.url + "/api/x", content=b"x" * 3_000_000).json()["event"]["body"]) == 3_000_000


def event_file(folder: Path, text: str) -> Path:
    path = folder / "event.json"
    path.write_text(text)
    return path


def invoke_command(data, event, function="WorkerFunction"):
    return run("--data", data, "invoke", "--function", function, "--event", event)


def test_one_event_by_the_command_line(tmp_path):
    done = invoke_command(tmp_path / "data", event_file(tmp_path, '{"do": "log", "line": "printed"}'))
    assert done.returncode == 0, done.stderr
    assert '"seen": 1' in done.stdout
    assert "printed" in done.stderr


def test_a_function_error_is_an_exit_code(tmp_path):
    done = invoke_command(tmp_path / "data", event_file(tmp_path, '{"do": "raise"}'))
    assert done.returncode == 1
    assert '"errorMessage": "asked to fail"' in done.stdout


def test_one_event_beside_a_running_instance(stack, tmp_path):
    variables = '{"variables": ["AWS_ENDPOINT_URL_DYNAMODB"]}'
    done = invoke_command(stack.data_dir, event_file(tmp_path, variables))
    assert done.returncode == 0, done.stderr
    assert stack.running["store_url"] in done.stdout
    assert httpx2.get(stack.url).status_code == 200


@pytest.mark.parametrize(
    ("event", "function", "words"),
    [("{}", "Nobody", "Function not found: Nobody"), ("{", "WorkerFunction", "event.json: Expecting")],
)
def test_what_cannot_be_invoked_is_said_in_one_line(tmp_path, event, function, words):
    done = invoke_command(tmp_path / "data", event_file(tmp_path, event), function)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
