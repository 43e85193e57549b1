"""Imports carried out: a description is fetched and read, and what its operations would become is stored.

An attempt holds a lease that it renews while it works. A runner that dies leaves the import due at the lease's end; the
rescue rings for it again, and another attempt begins from the start. What a dead attempt has stored is read by nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import CallerError, OutboundFailed, ToolError
from agent_builder.messages import Json
from agent_builder.models.openapi_imports import KEY_LENGTH, OpenApiImport
from agent_builder.models.tools import HttpTool
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.openapi_imports import OpenApiImportRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.authorization import Authorization
from agent_builder.services.import_views import shortened_values, summary_of
from agent_builder.tools.auth.masking import masked
from agent_builder.tools.egress import Answer, EgressLimits
from agent_builder.tools.openapi.document import MAX_BYTES
from agent_builder.tools.openapi.importer import preview
from agent_builder.tools.openapi.preview import ImportedOperation, ImportPreview
from agent_builder.tools.openapi.reimport import compared, imported, imported_tools, key_of, matched

ATTEMPTS = 3
LEASE_MS = 20_000
_BEAT_SECONDS = 5.0
FETCH_SECONDS = 30.0
READ_SECONDS = 60.0
_ACCEPT = "application/json, application/yaml;q=0.9, text/yaml;q=0.9, text/plain;q=0.8, */*;q=0.5"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Importing:
    """Carries imports out. The runner's side.

    Attributes:
        authorization: Gives the fetch its credential, and makes ways out.
    """

    repository: OpenApiImportRepository
    agents: AgentRepository
    parts: PartRepository
    authorization: Authorization
    clock: Clock = now_ms

    async def carry_out(self, tenant: str, import_id: str) -> str:
        """Make one attempt; how the import stands then, "" where there was nothing to do."""
        now = self.clock()
        claim = self.repository.claim
        claimed = await asyncio.to_thread(claim, tenant, import_id, now=now, until=now + LEASE_MS)
        if claimed is None:
            return ""
        if claimed.attempts > ATTEMPTS:
            detail = "Reading this description broke off several times; give a smaller part of it."
            ended = _failed(claimed, "import_broke_off", detail)
        else:
            async with self._kept(tenant, claimed):
                ended = await self._attempt(tenant, claimed)
        stored = await asyncio.to_thread(self.repository.end, tenant, ended, now=self.clock())
        logger.info("an import ended", extra={"status": ended.status, "stored": stored})
        return ended.status

    @asynccontextmanager
    async def _kept(self, tenant: str, claimed: OpenApiImport) -> AsyncIterator[None]:
        """Renew the lease for as long as this lasts."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(_BEAT_SECONDS)
                until = self.clock() + LEASE_MS
                await asyncio.to_thread(self.repository.renew, tenant, claimed, until=until)

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await beating

    async def _attempt(self, tenant: str, claimed: OpenApiImport) -> OpenApiImport:
        try:
            data, address = await self._description(tenant, claimed)
            reading = asyncio.to_thread(preview, data, address=address, seconds=READ_SECONDS)
            found = await asyncio.wait_for(reading, READ_SECONDS + 5)
            tools = await asyncio.to_thread(self._tools, tenant, claimed)
            operations, summary = _told(found, tools)
            starts = await asyncio.to_thread(self.repository.store_operations, tenant, claimed, operations)
        except (CallerError, ToolError) as error:
            return _failed(claimed, error.error_code, error.detail)
        except TimeoutError:
            return _failed(claimed, "openapi_unreadable", "Reading this description takes too long; give a part of it.")
        return replace(claimed, status="ready", summary=summary, starts=starts, operations=len(operations))

    async def _description(self, tenant: str, claimed: OpenApiImport) -> tuple[bytes, str | None]:
        """The description, and the address that relative servers are relative to."""
        if claimed.url is None:
            return await asyncio.to_thread(self.repository.document, tenant, claimed), None
        try:
            answer = await self._fetched(tenant, claimed, claimed.url)
        except OutboundFailed as failed:
            if failed.kind != "too_large":
                raise
            detail = f"The description is larger than {MAX_BYTES >> 20} MB, the most that is read."
            raise ToolError(detail, code="payload_too_large") from failed
        if not 200 <= answer.status < 300:
            detail = f"The address of the description answers {answer.status}."
            if answer.status in (401, 403, 404) and claimed.credential_id is None:
                detail += " If it needs a sign-in, give a credential for fetching it (`credential_id`)."
            raise ToolError(detail, code="description_unavailable")
        return answer.body, answer.url.split("?")[0]  # in the query there may be a key

    async def _fetched(self, tenant: str, claimed: OpenApiImport, url: str) -> Answer:
        limits = EgressLimits(seconds=FETCH_SECONDS, wire_bytes=MAX_BYTES, body_bytes=MAX_BYTES)
        headers = (("accept", _ACCEPT),)
        async with await self.authorization.new_egress(tenant) as egress:
            if claimed.credential_id is None:
                return await egress.send("GET", url, purpose="openapi", headers=headers, limits=limits)
            answer, material = await self.authorization.call(
                egress,
                tenant,
                claimed.credential_id,
                method="GET",
                url=url,
                headers=headers,
                purpose="openapi",
                limits=limits,
            )
        # Servers tell back what they were told, also in descriptions; those are stored and shown.
        text = masked(answer.body.decode("utf-8", "surrogateescape"), material.secrets)
        return replace(answer, body=text.encode("utf-8", "surrogateescape"))

    def _tools(self, tenant: str, claimed: OpenApiImport) -> dict[str, HttpTool] | None:
        """The tools to compare with, by id; None where there is no integration yet."""
        if not claimed.reimport:
            return None
        agent = self.agents.get(tenant, claimed.agent_id)
        stored = self.parts.tools(tenant, claimed.agent_id, agent.tools if agent else ())
        return {
            one.id: one.definition
            for one in stored
            if isinstance(one.definition, HttpTool) and one.definition.integration_id == claimed.integration_id
        }


def _failed(claimed: OpenApiImport, code: str, detail: str) -> OpenApiImport:
    return replace(claimed, status="failed", error={"code": code, "detail": detail})


def _told(found: ImportPreview, tools: dict[str, HttpTool] | None) -> tuple[list[Json], Json]:
    """Operations and summary as they are stored."""
    made = {one.key: imported(one.key, one.tool) for one in found.operations if one.tool}
    known = matched(tools or {}, made.items())
    operations: list[Json] = []
    for one in found.operations:
        told = _operation(one)
        if tools is not None and one.key in made:
            tool_id = known.get(one.key)
            told |= compared(one.key, tools[tool_id] if tool_id else None, made[one.key]).model_dump(mode="json")
            told["tool_id"] = tool_id
        if one.key in made:
            told["tool"] = made[one.key].model_dump(mode="json", exclude_defaults=True)
        operations.append(told)
    kept = set(known.values())
    gone = [tool_id for tool_id in imported_tools(tools or {}) if tool_id not in kept]
    removed = [{"key": key_of((tools or {})[tool_id]), "tool_id": tool_id} for tool_id in gone]
    return operations, summary_of(found, operations, removed if tools is not None else None)


def _operation(one: ImportedOperation) -> Json:
    """All of it but the tool, with what no honest description has cut off."""
    told: Json = shortened_values(one.model_dump(mode="json", exclude={"tool"}), text=KEY_LENGTH, most=100)
    told["status"] = one.status
    return told
