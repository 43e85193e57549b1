"""The embedded model: there before it runs, streaming, private; and plain words where it cannot run."""

import json

import httpx2
import pytest

from local import packages
from local.model import Model
from local.settings import Settings
from local.testing import running_stack
from tests.integration.local.conftest import ARGUMENTS, client, eventually

BODY = {"model": "smollm2-135m-instruct", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 8}


def invoke(stack, **event):
    answer = client(stack, "lambda").invoke(FunctionName="local-worker", Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def stack():
    with running_stack(arguments=ARGUMENTS, model=True) as running:
        if "no build for this machine" in running.output():
            pytest.skip("the model's packages have no build for this machine")
        yield running


@pytest.fixture(scope="module")
def model(stack):
    with httpx2.Client(base_url=stack.running["model_url"], timeout=180) as session:
        yield session


def test_a_request_waits_for_the_model_and_streams(model):
    body = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
    with model.stream("POST", "/chat/completions", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert chunks[-1]["usage"]["completion_tokens"] > 0


def test_errors_of_the_model_pass(model):
    answer = model.post("/chat/completions", json={**BODY, "messages": [{"role": "user", "content": "x " * 20_000}]})
    assert answer.status_code == 400
    assert "context" in answer.json()["error"]["message"]


def test_its_address_is_not_to_be_guessed(stack):
    base = stack.running["model_url"]
    assert httpx2.get(base.rpartition("/v1")[0].rpartition("/")[0] + "/v1/models").status_code == 404


def test_it_is_given_to_functions_that_use_the_secret(stack, model):
    seen = invoke(stack, variables=["LOCAL_MODEL_BASE_URL"])["environment"]
    assert seen == {"LOCAL_MODEL_BASE_URL": stack.running["model_url"]}
    assert "LOCAL_MODEL_BASE_URL" not in httpx2.get(stack.url + "/api/x").text


def test_the_terminal_says_when_it_is_ready(stack, model):
    model.post("/chat/completions", json=BODY)
    eventually(lambda: "is ready" in stack.output())


def test_it_ends_with_the_runtime():
    with running_stack(arguments=ARGUMENTS, model=True) as running:
        httpx2.post(running.running["model_url"] + "/chat/completions", json=BODY, timeout=180)
        assert running.stop() == 0


def test_with_a_key_it_waits_until_it_is_wanted():
    with running_stack(arguments=ARGUMENTS, providers={"ANTHROPIC_API_KEY": "not-a-real-key"}, model=True) as running:
        eventually(lambda: "starts when it is first used" in running.output())
        assert "Provider keys:  anthropic" in running.output()
        assert "not-a-real-key" not in running.output()
        assert not (running.data_dir / "logs" / "model.log").exists()
        environment = httpx2.get(running.url + "/api/x").json()["environment"]
        assert "ANTHROPIC_API_KEY" not in environment
        seen = invoke(running, variables=["ANTHROPIC_API_KEY"])["environment"]
        assert seen == {"ANTHROPIC_API_KEY": "not-a-real-key"}


async def test_where_there_is_no_build_it_is_said(tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text(f"xllamacpp==0.0.0 --hash=sha256:{'0' * 64}\n")
    wanted = packages.Packages("model", lock, tmp_path / "packages")
    (tmp_path / "logs").mkdir()
    first = Model(Settings(data=tmp_path), wanted)
    await first.start()
    async with httpx2.AsyncClient(base_url=first.base_url, timeout=60) as session:
        answer = await session.post("/chat/completions", json=BODY)
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "the embedded model has no build for this machine"
    await first.stop()
    second = Model(Settings(data=tmp_path), wanted)
    await second.start()
    assert second.base_url is None
    assert second.state == "there is no build for this machine; agents can use the scripted model"
    await second.stop()
