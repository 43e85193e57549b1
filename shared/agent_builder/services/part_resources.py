"""Tools and integrations one by one, as people create, read, change and delete them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from agent_builder.errors import Conflict, Fault, NotFound, Unprocessable
from agent_builder.ids import new_id, require_id
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.agents import Agent, PartRef, merge_patch
from agent_builder.models.faults import faults_of
from agent_builder.models.identity import Identity
from agent_builder.models.parts import AgentParts, Definition, part_view, stored_form
from agent_builder.models.tools import TOOL_DEFINITION, Integration, IntegrationInput, StoredTool
from agent_builder.services.idempotency import once, remembering
from agent_builder.services.parts import Changed, PartService

# Lambda answers 6 MB at most, and a definition may have 256 KB: a page may have fewer items than asked for.
PAGE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class PartKind:
    """What tells tools and integrations apart.

    Attributes:
        name: As people are told.
        place: Of these parts in `Agent`, `AgentParts`, `StoredParts` and the routes.
        skip: Leading places of `loc` in faults that are not of the document.
        check_removal: Raises where one must stay.
    """

    prefix: str
    name: str
    place: str
    validate: Callable[[Json], Definition | IntegrationInput]
    skip: int
    check_removal: Callable[[AgentParts, str], None]


def _check_unused(parts: AgentParts, integration_id: str) -> None:
    users = [tool.name for tool in parts.tools.values() if getattr(tool, "integration_id", None) == integration_id]
    if users:
        shown = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
        detail = f"Tools of this integration are still there ({shown}); delete or change them first."
        raise Conflict(detail, code="integration_in_use")


TOOLS = PartKind("tol", "tool", "tools", TOOL_DEFINITION.validate_python, 1, lambda parts, part_id: None)
INTEGRATIONS = PartKind("int", "integration", "integrations", IntegrationInput.model_validate, 0, _check_unused)


@dataclass(frozen=True, slots=True)
class PartResources:
    """Tools, or integrations, of the caller's tenant."""

    service: PartService
    kind: PartKind

    def create(
        self, identity: Identity, agent_id: str, definition: Definition | IntegrationInput, *, key: str | None
    ) -> Json:
        """Give an agent one more; under a key that was used before, answer as then.

        Raises:
            NotFound, Conflict, Unprocessable: As `PartService.change`.
            IdempotencyMismatch: The key was used with another body.
        """
        kind, part_id = self.kind, new_id(self.kind.prefix)
        route = f"POST /agents/{agent_id}/{kind.place}"
        remember = remembering(identity, route, stored_form(definition), key, now=self.service.clock())

        def view(changed: Changed) -> Json:
            return part_view(getattr(changed.parts, kind.place)[part_id])

        def act() -> Json:
            change = self._setting(part_id, lambda parts: definition)
            return view(self.service.change(identity, agent_id, change, pointer=_whole, remember=remember, answer=view))

        return once(remember, act)

    def page(
        self, identity: Identity, agent_id: str, *, limit: int, after: str | None
    ) -> tuple[list[Json], str | None]:
        """An agent's, newest first: views, and the id to go on after. A page of large ones ends early."""
        agent = self.service.agents.get(identity, agent_id)
        refs = sorted(self._refs(agent), key=lambda ref: ref.id, reverse=True)
        refs = [ref for ref in refs if after is None or ref.id < after]
        views: list[Json] = []
        size = 0
        for part in self._stored(identity, agent.id, refs[:limit]):
            view = part_view(part)
            size += len(encode(view))
            if views and size > PAGE_BYTES:
                break
            views.append(view)
        more = len(views) < len(refs)
        return views, str(views[-1]["id"]) if more and views else None

    def get(self, identity: Identity, part_id: str) -> StoredTool | Integration:
        """One of them, as its agent has it now.

        Raises:
            NotFound: Unknown, foreign or deleted, or its agent is.
        """
        agent_id = self._owner(identity, part_id)
        try:
            refs = self._refs(self.service.agents.get(identity, agent_id))
        except NotFound:
            raise self._nothing() from None
        found = self._stored(identity, agent_id, [ref for ref in refs if ref.id == part_id])
        if not found:
            raise self._nothing()
        return found[0]

    def patch(
        self, identity: Identity, part_id: str, patch: Json, *, expected_revision: int | None
    ) -> StoredTool | Integration:
        """Apply an RFC 7396 merge patch. One that changes nothing makes neither version nor revision.

        Raises:
            NotFound, PreconditionFailed, Conflict, Unprocessable: As `PartService.change`.
        """

        def patched(parts: AgentParts) -> Definition | IntegrationInput:
            return self._patched(self._present(parts, part_id), patch)

        changed = self._change(identity, part_id, self._setting(part_id, patched), expected_revision)
        found: StoredTool | Integration = getattr(changed.parts, self.kind.place)[part_id]
        return found

    def delete(self, identity: Identity, part_id: str, *, expected_revision: int | None) -> None:
        """Take one from its agent. Older versions keep it, and can bring it back.

        Raises:
            NotFound, PreconditionFailed
            Conflict: `integration_in_use`.
        """
        kind = self.kind

        def remove(parts: AgentParts) -> AgentParts:
            self._present(parts, part_id)
            kind.check_removal(parts, part_id)
            left = {one: part for one, part in getattr(parts, kind.place).items() if one != part_id}
            return _with(parts, kind, left)

        self._change(identity, part_id, remove, expected_revision)

    def _change(
        self,
        identity: Identity,
        part_id: str,
        change: Callable[[AgentParts], AgentParts],
        expected_revision: int | None,
    ) -> Changed:
        agent_id = self._owner(identity, part_id)
        expected = {} if expected_revision is None else {part_id: expected_revision}
        try:
            return self.service.change(identity, agent_id, change, expected=expected, pointer=_whole)
        except NotFound:
            raise self._nothing() from None

    def _setting(
        self, part_id: str, definition: Callable[[AgentParts], Definition | IntegrationInput]
    ) -> Callable[[AgentParts], AgentParts]:
        kind = self.kind
        return lambda parts: _with(parts, kind, {**getattr(parts, kind.place), part_id: definition(parts)})

    def _present(self, parts: AgentParts, part_id: str) -> Definition | IntegrationInput:
        found: Definition | IntegrationInput | None = getattr(parts, self.kind.place).get(part_id)
        if found is None:
            raise self._nothing()
        return found

    def _patched(self, current: Definition | IntegrationInput, patch: Json) -> Definition | IntegrationInput:
        if patch.get("kind", current.kind) != current.kind:
            fault = Fault("/kind", f"This {self.kind.name} is of kind {current.kind}; create a new one.")
            raise Unprocessable(f"The kind of a {self.kind.name} cannot change.", faults=(fault,))
        merged = merge_patch(stored_form(current), {**patch, "kind": current.kind})
        try:
            return self.kind.validate(merged)
        except ValidationError as error:
            faults = faults_of(error.errors(), skip=self.kind.skip)
            raise Unprocessable(f"The patched {self.kind.name} would not be valid.", faults=faults) from None

    def _refs(self, agent: Agent) -> tuple[PartRef, ...]:
        refs: tuple[PartRef, ...] = getattr(agent, self.kind.place)
        return refs

    def _stored(self, identity: Identity, agent_id: str, refs: list[PartRef]) -> list[StoredTool | Integration]:
        repository = self.service.changes.parts
        read = repository.tools if self.kind is TOOLS else repository.integrations
        return [*read(identity.tenant, agent_id, refs)]

    def _owner(self, identity: Identity, part_id: str) -> str:
        require_id(self.kind.prefix, part_id, self.kind.name)
        agent_id = self.service.changes.parts.owner(identity.tenant, part_id)
        if agent_id is None:
            raise self._nothing()
        return agent_id

    def _nothing(self) -> NotFound:
        return NotFound(f"There is no {self.kind.name} with this id.")


def _whole(part_id: str) -> str:
    """The body is the part."""
    return ""


def _with(parts: AgentParts, kind: PartKind, definitions: Mapping[str, Any]) -> AgentParts:
    return replace(parts, **{kind.place: definitions})
