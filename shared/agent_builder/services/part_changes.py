"""What happens together with a change of an agent's tools and integrations: credentials learn who names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from agent_builder.errors import Conflict, Fault, Unprocessable
from agent_builder.models.agents import Agent, AgentVersion
from agent_builder.models.credentials import CredentialUse
from agent_builder.models.parts import AgentParts, StoredParts, credential_of
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.repositories.table import Transaction
from agent_builder.repositories.uses import UseRepository
from agent_builder.services.callees import MAX_REACHED, Callees, agent_tools
from agent_builder.services.part_checks import PartFault, check_counts, credential_faults, faults_of_parts

Also = Callable[[Transaction], None]
Pointer = Callable[[str], str]
# A transaction has at most 100 writes: the agent, its version, a remembered answer and the agents that are reached.
_MAX_USE_WRITES = 100 - 3 - MAX_REACHED
MAX_CREDENTIALS = _MAX_USE_WRITES // 2


@dataclass(frozen=True, slots=True)
class PartChanges:
    """Reads parts, checks what they are to become, and says what else a transaction must write."""

    agents: AgentRepository = field(default_factory=AgentRepository)
    parts: PartRepository = field(default_factory=PartRepository)
    credentials: CredentialRepository = field(default_factory=CredentialRepository)
    uses: UseRepository = field(default_factory=UseRepository)

    def of(self, tenant: str, agent_id: str, holder: Agent | AgentVersion) -> StoredParts:
        """What an agent, or one of its versions, has."""
        return self.parts.of(tenant, agent_id, holder)

    def checked(
        self, tenant: str, agent_id: str, wanted: AgentParts, changed: Collection[str], pointer: Pointer
    ) -> list[Also]:
        """Check parts that change; answers what their transaction must require.

        Raises:
            Conflict: `too_many_tools`, `too_many_integrations`, `too_many_agents`.
            Unprocessable: Says of each part what is wrong; `agent_cycle` where agents would call each other for ever.
        """
        check_counts(wanted)
        kinds = self.credentials.kinds(tenant, _named(wanted, changed))
        faults = [*faults_of_parts(wanted, changed), *credential_faults(wanted, changed, kinds)]
        if faults:
            raise _refused(faults, pointer)
        if not any(tool_id in changed for tool_id in agent_tools(wanted)):
            return []
        return self.reaching(tenant, agent_id, wanted, changed, pointer)

    def reaching(
        self, tenant: str, agent_id: str, wanted: AgentParts, changed: Collection[str], pointer: Pointer
    ) -> list[Also]:
        """Check that an agent does not reach itself; the agents that it reaches must not change meanwhile."""
        reached = Callees(self.agents, self.parts).reached(tenant, agent_id, agent_tools(wanted))
        if reached.circles:
            raise _refused(reached.circles, pointer, code="agent_cycle")
        missing = [(part_id, fault) for part_id, fault in reached.missing if part_id in changed]
        if missing:
            raise _refused(missing, pointer)
        return [_requiring(self.agents, tenant, agent) for agent in reached.agents.values()]

    def noted(
        self,
        tenant: str,
        agent_id: str,
        before: StoredParts,
        after: StoredParts,
        changed: Collection[str] = (),
    ) -> list[Also]:
        """What tells credentials who names them now. Those that are gone need not know.

        Args:
            changed: Parts that somebody wants so. A credential that such a part names must be there when the
                transaction happens: what was seen of it before may be past.

        Raises:
            Conflict: `too_many_credentials`: more than one transaction can tell.
        """
        old, new = before.uses(), after.uses()
        touched = [one for one in sorted({*old, *new}) if old.get(one) != new.get(one)]
        told = {*self.credentials.kinds(tenant, touched), *_named(after.definitions, changed)}
        noted = [
            (one, new.get(one, ()), len(new.get(one, ())) - len(old.get(one, ()))) for one in touched if one in told
        ]
        if sum(2 if more else 1 for _, _, more in noted) > _MAX_USE_WRITES:
            detail = f"One change can add or drop at most {_MAX_USE_WRITES // 2} credentials; make it in several steps."
            raise Conflict(detail, code="too_many_credentials")
        return [self._noting(tenant, agent_id, *one) for one in noted]

    def _noting(
        self, tenant: str, agent_id: str, credential_id: str, uses: tuple[CredentialUse, ...], more: int
    ) -> Also:
        return lambda write: self.uses.note(write, tenant, agent_id, credential_id, uses, more)


def _named(wanted: AgentParts, changed: Collection[str]) -> set[str]:
    """The credentials that changed parts name."""
    named = (credential_of(definition) for part_id, definition in wanted if part_id in changed)
    return {one for one in named if one is not None}


def _requiring(agents: AgentRepository, tenant: str, agent: Agent) -> Also:
    return lambda write: agents.require(write, tenant, agent)


def _refused(faults: Iterable[PartFault], pointer: Pointer, code: str | None = None) -> Unprocessable:
    told = tuple(Fault(f"{pointer(part_id)}{fault.pointer}", fault.message) for part_id, fault in faults)
    return Unprocessable("This cannot be stored; `errors` says why.", faults=told[:20], code=code)
