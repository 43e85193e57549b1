"""A plain REST client of the running stack, and what tests build with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from agent_builder.ids import is_id

AGENTS = "/api/v1/agents"
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def etag(self) -> str:
        return self.headers["etag"]


@dataclass(frozen=True)
class Rest:
    """Sends exactly what it is given."""

    url: str

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; `body` is sent as JSON, `raw` as it is."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {**(JSON_TYPE if body is not None else {}), **(headers or {})}
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, body=data, headers=sent)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def create(self, **changes: Any) -> dict[str, Any]:
        """A new agent that follows scripts."""
        body = {"name": "Test", "model_config": {"provider": "scripted", "model": "script"}, **changes}
        answer = self("POST", AGENTS, body)
        assert answer.status == 201, answer.body
        created: dict[str, Any] = answer.json
        return created

    def all(self, path: str, limit: int = 100) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            joint = "&" if "?" in path else "?"
            page = self("GET", f"{path}{joint}limit={limit}{cursor}").json
            assert len(page["items"]) <= limit
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"


def check_problem(answer: Answer, status: int, code: str | None = None) -> dict[str, Any]:
    """That an answer is a problem document as the contract describes it; the document."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["request_id"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    if code is not None:
        assert problem["code"] == code
    for fault in problem.get("errors", []):
        assert set(fault) == {"pointer", "message"}
        assert fault["message"]
    return problem


def check_agent(view: dict[str, Any]) -> None:
    """That an agent has the shape of the contract."""
    assert set(view) == {
        "id",
        "name",
        "description",
        "status",
        "system_prompt",
        "model_config",
        "builtin_tools",
        "version",
        "created_at",
        "updated_at",
    }
    assert is_id("agt", view["id"])
    assert view["created_at"].endswith("Z")
