"""scripts/deploy.py against AWS as moto plays it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from scripts import deploy

OUTPUTS = {"Issuer": "https://issuer.example/pool", "ConsoleClientId": "client-1", "Audience": "api"}
PAGE = "<meta content=\"default-src 'none'; connect-src 'self'; base-uri 'none'\">"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name, text in {
        "en/agents/index.html": PAGE,
        "en/agents/index.txt": "words",
        "_next/static/chunks/a.js": "1",
        "_next/static/media/b.woff2": "2",
        "favicon.svg": "<svg/>",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_files_are_put_with_their_types_and_caches(aws: None, built: Path) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="console")
    for old in ("gone/index.html", "_next/static/chunks/old.js"):
        s3.put_object(Bucket="console", Key=old, Body=b"old")
    assert deploy.upload(s3, "console", built, OUTPUTS, ["https://issuer.example"]) == 6
    found = {
        one["Key"]: s3.head_object(Bucket="console", Key=one["Key"])
        for one in s3.list_objects_v2(Bucket="console")["Contents"]
    }
    assert set(found) == {
        *("config.json", "en/agents/index.html", "en/agents/index.txt", "favicon.svg"),
        *("_next/static/chunks/a.js", "_next/static/chunks/old.js", "_next/static/media/b.woff2"),
    }
    facts = {key: (one["ContentType"], one["CacheControl"]) for key, one in found.items() if "old" not in key}
    assert facts == {
        "config.json": ("application/json", deploy.FRESH),
        "en/agents/index.html": ("text/html; charset=utf-8", deploy.FRESH),
        "en/agents/index.txt": ("text/plain; charset=utf-8", deploy.FRESH),
        "favicon.svg": ("image/svg+xml", deploy.FRESH),
        "_next/static/chunks/a.js": ("text/javascript; charset=utf-8", deploy.LASTING),
        "_next/static/media/b.woff2": ("font/woff2", deploy.LASTING),
    }
    page = s3.get_object(Bucket="console", Key="en/agents/index.html")["Body"].read().decode()
    assert "connect-src 'self' https://issuer.example;" in page
    config = json.loads(s3.get_object(Bucket="console", Key="config.json")["Body"].read())
    assert config == {
        "issuer": OUTPUTS["Issuer"],
        "client_id": "client-1",
        "audience": "api",
        "scope": "openid email profile",
    }


def test_pages_come_after_what_they_need(built: Path) -> None:
    keys = [key for key, *_ in deploy.objects(built, [])]
    assert keys[-1] == "en/agents/index.html"


def test_issuer_is_spoken_to_at_all_its_origins() -> None:
    found = {"token_endpoint": "https://auth.example/oauth2/token", "jwks_uri": "https://issuer.example/keys"}
    assert deploy.origins_of("https://issuer.example/pool", found) == ["https://auth.example", "https://issuer.example"]


class Recorder:
    """CloudFormation, as far as an update goes."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.waited: list[str] = []

    def update_stack(self, **given: Any) -> None:
        self.updates.append(given)

    def get_waiter(self, name: str) -> Recorder:
        self.waited.append(name)
        return self

    def wait(self, **given: Any) -> None:
        assert given == {"StackName": "mine"}


def stack(url: str) -> dict[str, Any]:
    values = {"AdminEmail": "a@example.com", "ConsoleUrl": url}
    return {"StackName": "mine", "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()]}


def test_stack_learns_its_address_once() -> None:
    recorder = Recorder()
    assert deploy.tell_address(recorder, stack(""), "https://c.example")
    [update] = recorder.updates
    assert update["UsePreviousTemplate"] is True
    assert update["Parameters"] == [
        {"ParameterKey": "AdminEmail", "UsePreviousValue": True},
        {"ParameterKey": "ConsoleUrl", "ParameterValue": "https://c.example"},
    ]
    assert recorder.waited == ["stack_update_complete"]
    assert not deploy.tell_address(recorder, stack("https://c.example"), "https://c.example")
    assert len(recorder.updates) == 1
