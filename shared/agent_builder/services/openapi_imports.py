"""Imports of OpenAPI descriptions as people ask for them: begun, looked at, applied. REST's side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import Conflict, Fault, NotFound, RaceLost, TooManyRequests, Unprocessable
from agent_builder.ids import new_id, require_id
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.models.openapi_imports import ImportApply, ImportCreate, OpenApiImport
from agent_builder.models.parts import AgentParts
from agent_builder.models.tools import HttpTool
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.idempotency import Remembered
from agent_builder.repositories.openapi_imports import AT_ONCE, OpenApiImportRepository, pieces_of_document
from agent_builder.services.idempotency import earlier_answer, once, remembering
from agent_builder.services.import_plans import ImportPlan, Made, check_chosen
from agent_builder.services.import_views import import_view, operation_view
from agent_builder.services.parts import PartService

KEPT_MS = 7 * 24 * 3600 * 1000
# A ring that got lost is made up for from then on.
DUE_AFTER_MS = 20_000
# Longer than all attempts of one import take.
PLACE_MS = 15 * 60 * 1000
# Most of what a page of operations takes; Lambda answers with 6 MB at most.
_PAGE_BYTES = 3_000_000
_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class OpenApiImportService:
    """Imports of the caller's tenant."""

    repository: OpenApiImportRepository
    agents: AgentRepository
    credentials: CredentialRepository
    parts: PartService
    doorbell: Doorbell
    clock: Clock = now_ms

    def create(self, identity: Identity, wanted: ImportCreate, *, idempotency_key: str | None) -> Json:
        """Begin an import; under a key that was used before, answer as then.

        Raises:
            NotFound: There is no such agent.
            Unprocessable: It has no such integration, or the tenant no such credential.
            TooManyRequests: `too_many_imports`.
            IdempotencyMismatch: The key was used with another body.
        """
        self._check(identity, wanted)
        now, data = self.clock(), _given(wanted)
        new = OpenApiImport(
            id=new_id("imp"),
            agent_id=wanted.agent_id,
            status="queued",
            url=wanted.url,
            credential_id=wanted.credential_id,
            integration_id=wanted.integration_id or new_id("int"),
            reimport=wanted.integration_id is not None,
            created_at=now,
            created_by=identity.subject,
            updated_at=now,
            expires_at=now + KEPT_MS,
            document_pieces=pieces_of_document(data),
        )
        body = wanted.model_dump(mode="json")
        remember = remembering(identity, "POST /openapi-imports", body, idempotency_key, now=now)
        try:
            self._store(identity, new, data, remember)
        except RaceLost as race:
            return earlier_answer(remember, race)
        self.doorbell.ring("openapi_import", tenant_id=identity.tenant, import_id=new.id)
        return import_view(new)

    def _store(self, identity: Identity, new: OpenApiImport, data: bytes, remember: Remembered | None) -> None:
        for _ in range(_ATTEMPTS):
            try:
                stored = self.repository.create(
                    identity.tenant,
                    new,
                    data,
                    place_until=new.created_at + PLACE_MS,
                    due_at=new.created_at + DUE_AFTER_MS,
                    remember=remember,
                    answer=import_view(new),
                )
            except RaceLost as race:
                if "idempotency" in race.failed:
                    raise
                continue  # another import begins, or ends, at this moment
            if not stored:
                detail = f"{AT_ONCE} imports are not over yet; wait until one is."
                raise TooManyRequests(detail, retry_after=5, code="too_many_imports")
            return
        raise Conflict("Many imports begin at this moment; try again.")

    def get(self, identity: Identity, import_id: str) -> OpenApiImport:
        """One import.

        Raises:
            NotFound: Unknown, foreign, ended, or of an agent that was deleted.
        """
        found = self.repository.get(identity.tenant, require_id("imp", import_id, "import"))
        gone = found is None or found.expires_at <= self.clock()
        if found is None or gone or self.agents.head(identity.tenant, found.agent_id) is None:
            raise NotFound("There is no import with this id.")
        return found

    def page(self, identity: Identity, one: OpenApiImport, *, limit: int, first: int) -> tuple[list[Json], int | None]:
        """Operations of a preview in the description's order, and the ordinal to go on from, if there are more."""
        found = self.repository.operations(identity.tenant, one, first=first, count=limit)
        shown = list(_fitting(map(operation_view, found)))
        following = first + len(shown)
        return shown, following if following < one.operations else None

    def apply(
        self, identity: Identity, import_id: str, wanted: ImportApply, *, idempotency_key: str | None
    ) -> OpenApiImport:
        """Make tools of what is chosen, by one new version of the agent; what is so already stays as it is.

        Raises:
            NotFound: Unknown, foreign, ended, or of an agent that was deleted.
            Conflict: `import_not_ready`; `too_many_tools` and the others of `PartService.change`.
            Unprocessable: Something that was chosen can be no tool, or the integration is not valid.
            IdempotencyMismatch: The key was used with another body.
        """
        ready = self.get(identity, import_id)
        body = [import_id, wanted.model_dump(mode="json", exclude_unset=True)]
        route = "POST /openapi-imports/{import_id}/apply"
        remember = remembering(identity, route, body, idempotency_key, now=self.clock())
        result = once(remember, lambda: self._apply(identity, ready, wanted, remember))
        return replace(ready, status="applied", result=result, updated_at=self.clock())

    def _apply(
        self, identity: Identity, ready: OpenApiImport, wanted: ImportApply, remember: Remembered | None
    ) -> Json:
        if ready.status not in ("ready", "applied"):
            told = "It failed; import it again." if ready.status == "failed" else "It is not ready yet; try again."
            raise Conflict(told, code="import_not_ready")
        operations = self.repository.operations(identity.tenant, ready)
        check_chosen(wanted.operations, operations)
        plan = ImportPlan(ready, wanted, _described(operations))
        made: list[Made] = []  # the last is what was stored: a change is calculated again after a race

        def change(parts: AgentParts) -> AgentParts:
            made.append(plan.made(parts))
            return made[-1].parts

        changed = self.parts.change(identity, ready.agent_id, change, pointer=plan.pointer)
        result = made[-1].result(ready.integration_id, changed.agent.version)
        self.repository.applied(identity.tenant, ready, result, now=self.clock(), remember=remember)
        return result

    def _check(self, identity: Identity, wanted: ImportCreate) -> None:
        agent = self.agents.get(identity.tenant, require_id("agt", wanted.agent_id, "agent"))
        if agent is None:
            raise NotFound("There is no agent with this id.")
        faults: list[Fault] = []
        if wanted.integration_id is not None:
            refs = [one for one in agent.integrations if one.id == wanted.integration_id]
            there = self.parts.changes.parts.integrations(identity.tenant, agent.id, refs)
            if not there:
                faults.append(Fault("/integration_id", "This agent has no such integration."))
            elif there[0].definition.kind != "http":
                faults.append(Fault("/integration_id", "This integration is no API that HTTP tools call."))
        if wanted.credential_id is not None and not self.credentials.get(identity.tenant, wanted.credential_id):
            faults.append(Fault("/credential_id", "There is no credential with this id."))
        if faults:
            raise Unprocessable("The request is not valid; `errors` says where.", faults=tuple(faults))


def _given(wanted: ImportCreate) -> bytes:
    """The description that came along; empty where it is to be fetched."""
    if wanted.document is None:
        return b""
    return (wanted.document if isinstance(wanted.document, str) else encode(wanted.document)).encode()


def _described(operations: Sequence[Json]) -> dict[str, HttpTool]:
    return {one["key"]: HttpTool.model_validate(one["tool"], strict=False) for one in operations if one.get("tool")}


def _fitting(views: Iterator[Json]) -> Iterator[Json]:
    """As many as one answer takes, and at least one."""
    size = 0
    for number, view in enumerate(views):
        size += len(encode(view).encode("utf-8", "replace"))
        if number and size > _PAGE_BYTES:
            return
        yield view
