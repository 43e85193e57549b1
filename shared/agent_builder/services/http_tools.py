"""HTTP tools of a run: with the tenant's way out, the credential of the tool or of its integration, and what was
answered a moment ago."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import StoreError
from agent_builder.jsontext import encode
from agent_builder.messages import Json, ToolSpec
from agent_builder.models.tools import HttpTool, Integration, StoredTool
from agent_builder.repositories.tool_answers import ToolAnswerRepository
from agent_builder.services.authorization import Authorization
from agent_builder.services.toolbox import Bench
from agent_builder.tools.auth.material import Material
from agent_builder.tools.base import CallContext, Tool
from agent_builder.tools.egress import Answer, EgressLimits
from agent_builder.tools.http import HttpCalls
from agent_builder.tools.http_request import HttpRequest
from agent_builder.tools.specs import Checked

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HttpTools:
    """Makes tools of the kind `http`."""

    authorization: Authorization
    answers: ToolAnswerRepository
    clock: Clock = now_ms

    def make(self, stored: StoredTool, bench: Bench) -> Tool:
        """The tool of a run."""
        tool = stored.definition
        assert isinstance(tool, HttpTool)
        integration = bench.integrations.get(tool.integration_id or "")
        credential_id = tool.credential_id or (integration.definition.credential_id if integration else None)
        send = partial(self._send, bench, credential_id)
        base_url = integration.definition.base_url if integration else None
        made: Tool = HttpCalls(tool, send, base_url)
        if tool.cache_seconds:
            made = Remembering(made, self, bench.tenant, stored, integration, credential_id)
        return Checked(made, bench.version.llm_config.provider)

    async def _send(
        self,
        bench: Bench,
        credential_id: str | None,
        request: HttpRequest,
        limits: EgressLimits,
        tried: Callable[[], None],
    ) -> tuple[Answer, Material]:
        egress = await bench.egress()
        if credential_id is None:
            answer = await egress.send(
                request.method,
                request.url,
                purpose="tool",
                headers=request.headers,
                body=request.body,
                limits=limits,
                tried=tried,
            )
            return answer, Material()
        return await self.authorization.call(
            egress,
            bench.tenant,
            credential_id,
            method=request.method,
            url=request.url,
            headers=request.headers,
            body=request.body,
            limits=limits,
            tried=tried,
        )


@dataclass(frozen=True, slots=True)
class Remembering:
    """A tool that reads, and whose answers are used again for `cache_seconds`.

    What is the same: tenant, tool and integration with their revisions, the credential as it was last entered, and
    the arguments. Errors are never used again.
    """

    inner: Tool
    tools: HttpTools
    tenant: str
    stored: StoredTool
    integration: Integration | None
    credential_id: str | None

    @property
    def spec(self) -> ToolSpec:
        """The tool's own."""
        return self.inner.spec

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """The answer that is known, else a new one."""
        digest, tools = await self._digest(arguments), self.tools
        known = await self._known(digest)
        if known is not None:
            context.note({"cached": True})
            return known
        result = await self.inner.call(arguments, context)
        definition = self.stored.definition
        assert isinstance(definition, HttpTool)
        good_until = tools.clock() + definition.cache_seconds * 1000
        keep = partial(tools.answers.put, self.tenant, self.stored.agent_id, digest, result, good_until=good_until)
        try:
            await asyncio.to_thread(keep)
        except StoreError:
            logger.warning("an answer of a tool could not be kept")
        return result

    async def _known(self, digest: str) -> Json | None:
        get = partial(self.tools.answers.get, self.tenant, self.stored.agent_id, digest, now=self.tools.clock())
        try:
            return await asyncio.to_thread(get)
        except StoreError:
            return None

    async def _digest(self, arguments: Json) -> str:
        """What an answer belongs to. A credential that can no longer be used is an error here as it is in a call."""
        credential: list[str | int] = []
        if self.credential_id is not None:
            material = await self.tools.authorization.material(self.tenant, self.credential_id)
            credential = [self.credential_id, material.version[0]]
        integration = [self.integration.id, self.integration.revision] if self.integration else []
        about = [self.tenant, self.stored.id, self.stored.revision, integration, credential, _sorted(arguments)]
        return hashlib.sha256(encode(about).encode("utf-8", "surrogatepass")).hexdigest()


def _sorted(value: object) -> object:
    """The same value with its names in order."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
