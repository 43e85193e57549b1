"""The laptop runtime on the sample application, once for all tests that do not stop it."""

import json
import time
from pathlib import Path

import boto3
import httpx2
import pytest
from botocore.config import Config

from local.testing import running_stack

SAMPLE = Path(__file__).parent / "sample_app"
ARGUMENTS = (
    "--template",
    str(SAMPLE / "template.yaml"),
    "--static",
    str(SAMPLE / "static"),
    "--retry-delays",
    "0.05,0.1",
)


def client(stack, service):
    """Return an AWS client of the runtime, without retries, so that a test sees the first answer."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
    return boto3.client(service, config=config, **stack.client_options(service))


def eventually(look, deadline=10.0):
    """Return the first true value of `look`; fail after the deadline (seconds)."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if value := look():
            return value
        time.sleep(0.01)
    raise AssertionError(f"it did not happen within {deadline} s")


@pytest.fixture(scope="session")
def stack():
    with running_stack(arguments=ARGUMENTS) as running:
        yield running


@pytest.fixture(scope="session")
def http(stack):
    with httpx2.Client(base_url=stack.url, timeout=10) as session:
        yield session


@pytest.fixture(scope="session")
def functions(stack):
    return client(stack, "lambda")


@pytest.fixture
def worker(functions):
    """Invoke the worker function and return what it answered; an error as `{"error": ...}`."""

    def invoke(**event):
        answer = functions.invoke(FunctionName="local-worker:live", Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        return {"error": payload} if "FunctionError" in answer else payload

    return invoke


@pytest.fixture
def item(stack):
    """Return a function that waits for an item of the table and returns its value."""
    dynamodb = client(stack, "dynamodb")

    def get(pk):
        def look():
            found = dynamodb.get_item(TableName=stack.table_name, Key={"pk": {"S": pk}}, ConsistentRead=True)
            return json.loads(found["Item"]["value"]["S"]) if "Item" in found else None

        return eventually(look)

    return get
