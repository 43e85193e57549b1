"""The runner of the campaign: the product's own handler, composed with tools that act on the campaign's server.

A copy of the template names this handler instead of the product's. What is set here is what a composition may set:
tools, limits, the clock.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from snapshot_restore_py import register_after_restore


def introduce() -> None:
    """Say in every call of AWS which process makes it; before the product makes its clients anew."""
    os.environ["AWS_SDK_UA_APP_ID"] = f"runner.{os.getpid()}"


register_after_restore(introduce)

from agent_builder.bootstrap import runner_services  # noqa: E402
from agent_builder.clock import now_ms  # noqa: E402
from agent_builder.errors import OutcomeUnknown  # noqa: E402
from agent_builder.messages import Effect, Json, ToolSpec  # noqa: E402
from agent_builder.services.budget import Limits  # noqa: E402
from agent_builder.tools.base import CallContext  # noqa: E402
from functions.runner import app  # noqa: E402

EFFECTS_URL = os.environ.get("FAULTS_EFFECTS_URL", "")
SKEW_MS = int(os.environ.get("FAULTS_SKEW_MS", "0"))
TOOL_SECONDS = 4.0
_SCHEMA: Json = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


class EffectTool:
    """Does something to the campaign's server: `POST /<kind>/<name>`."""

    def __init__(self, kind: Effect, *, asked: bool = False) -> None:
        self._kind = kind
        name = "effect_asked" if asked else f"effect_{kind}"
        self.spec = ToolSpec(name, f"Does a {kind}.", _SCHEMA, kind, approval_seconds=600 if asked else 0)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Answer what the server answers; where that is lost, or a fault of the server, it may have acted."""
        headers = {"Idempotency-Key": context.idempotency_key}
        async with httpx2.AsyncClient(timeout=10, trust_env=False) as client:
            try:
                answer = await client.post(f"{EFFECTS_URL}/{self._kind}/{arguments['name']}", headers=headers)
            except httpx2.HTTPError as error:
                raise OutcomeUnknown("The server did not answer.") from error
        if answer.status_code != 200:
            raise OutcomeUnknown(f"The server answered {answer.status_code}.")
        found: Json = answer.json()
        return found


_TOOLS = (EffectTool("write"), EffectTool("read"), EffectTool("write", asked=True))
TOOLS: Mapping[str, Any] = {tool.spec.name: tool for tool in _TOOLS}


def skewed_ms() -> int:
    """A clock that is fast in one environment and slow in the next."""
    return now_ms() + (SKEW_MS if os.getpid() % 2 else -SKEW_MS)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Compose once, then handle as the product does."""
    runner = runner_services().runner
    runner.tools_of = _tools
    runner.limits = Limits(tool_seconds=TOOL_SECONDS)
    if SKEW_MS:
        runner.clock = skewed_ms
    return app.lambda_handler(event, context)


@asynccontextmanager
async def _tools(tenant: str, version: Any) -> AsyncIterator[Mapping[str, Any]]:
    yield TOOLS
