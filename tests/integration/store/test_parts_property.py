"""Whatever happens to agents' tools and integrations: refs, parts, uses and versions agree with a plain model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from agent_builder.errors import AgentBuilderError, NotFound
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.part_resources import INTEGRATIONS, TOOLS, PartResources
from tests.integration.store.parts import credential, http, integration, used_by
from tests.integration.store.product import Product

Part = tuple[str, str | None, str | None, int]  # name, credential, integration, revision


@dataclass
class Modelled:
    """An agent as it must be; `versions` holds the parts of each, by id, from the first version on."""

    versions: list[dict[str, Part]] = field(default_factory=lambda: [{}])

    @property
    def parts(self) -> dict[str, Part]:
        return self.versions[-1]

    @property
    def following(self) -> int:
        return len(self.versions) + 1

    def become(self, parts: dict[str, Part]) -> None:
        if parts != self.parts:
            self.versions.append(parts)


class Machine(RuleBasedStateMachine):
    parts: Bundle[tuple[str, str]] = Bundle("parts")
    pick = st.integers(0, 1_000)
    names = st.sampled_from(["a", "b", "c"])

    def __init__(self) -> None:
        super().__init__()
        self.product = Product()
        self.tools = PartResources(self.product.parts, TOOLS)
        self.integrations = PartResources(self.product.parts, INTEGRATIONS)
        self.agents = {self.product.agent(): Modelled() for _ in range(2)}
        self.credentials = [credential(self.product) for _ in range(3)]
        self.gone: set[str] = set()
        self.steps = 0

    def credential(self, pick: int) -> str | None:
        return [*self.credentials, None][pick % 4]

    def attempt(self, agent_id: str, act: Any, after: dict[str, Part] | None) -> bool:
        """`after` is None where it must be refused."""
        try:
            act()
        except AgentBuilderError:
            assert after is None
            return False
        assert after is not None
        self.agents[agent_id].become(after)
        return True

    @rule(target=parts, pick=pick, name=names)
    def create_tool(self, pick: int, name: str) -> Any:
        agent_id, model = list(self.agents.items())[pick % 2]
        servers = [part_id for part_id in model.parts if part_id.startswith("int")]
        server = [*servers, None][pick % (len(servers) + 1)]
        named = self.credential(pick)
        taken = name in {part[0] for one, part in model.parts.items() if one.startswith("tol")}
        refused = taken or named in self.gone
        made: list[str] = []

        def act() -> None:
            wanted = http(name, credential_id=named, integration_id=server)
            made.append(self.tools.create(self.product.me, agent_id, wanted, key=None)["id"])

        try:
            act()
        except AgentBuilderError:
            assert refused
            return multiple()
        assert not refused
        model.become({**model.parts, made[0]: (name, named, server, model.following)})
        return agent_id, made[0]

    @rule(target=parts, pick=pick, name=names)
    def create_integration(self, pick: int, name: str) -> Any:
        agent_id, model = list(self.agents.items())[pick % 2]
        named = self.credential(pick)
        named = None if named in self.gone else named
        view = self.integrations.create(self.product.me, agent_id, integration(name, credential_id=named), key=None)
        model.become({**model.parts, view["id"]: (name, named, None, model.following)})
        return agent_id, view["id"]

    @rule(part=parts, pick=pick)
    def change_credential(self, part: tuple[str, str], pick: int) -> None:
        agent_id, part_id = part
        model, named = self.agents[agent_id], self.credential(pick)
        old = model.parts.get(part_id)
        resources = self.tools if part_id.startswith("tol") else self.integrations
        after: dict[str, Part] | None = None
        if old is not None and (named not in self.gone or named == old[1]):
            changed = old if named == old[1] else (old[0], named, old[2], model.following)
            after = {**model.parts, part_id: changed}
        patch = {"credential_id": named}
        self.attempt(agent_id, lambda: resources.patch(self.product.me, part_id, patch, expected_revision=None), after)

    @rule(part=parts)
    def delete_part(self, part: tuple[str, str]) -> None:
        agent_id, part_id = part
        model = self.agents[agent_id]
        resources = self.tools if part_id.startswith("tol") else self.integrations
        named = {one[2] for one in model.parts.values()}
        after = {one: kept for one, kept in model.parts.items() if one != part_id}
        possible = part_id in model.parts and part_id not in named
        self.attempt(
            agent_id,
            lambda: resources.delete(self.product.me, part_id, expected_revision=None),
            after if possible else None,
        )

    @rule(pick=pick)
    def restore(self, pick: int) -> None:
        agent_id, model = list(self.agents.items())[pick % 2]
        number = pick % len(model.versions)
        self.product.agents.restore(self.product.me, agent_id, number + 1, expected_revision=None)
        model.become(model.versions[number])

    @rule(pick=pick)
    def delete_credential(self, pick: int) -> None:
        one = self.credentials[pick % 3]
        found = CredentialRepository().get(self.product.tenant, one)
        if found is None:
            return
        named = any(one == part[1] for model in self.agents.values() for part in model.parts.values())
        assert bool(found.uses) == named
        if not named:
            CredentialRepository().delete(self.product.tenant, found)
            self.gone.add(one)

    @invariant()
    def one_agrees(self) -> None:
        """An agent and a credential, by turns: what disagrees stays so, and each read takes its time."""
        self.steps += 1
        self.agent_agrees(list(self.agents)[self.steps % 2])
        self.uses_agree(self.credentials[self.steps % 3])

    def agent_agrees(self, agent_id: str) -> None:
        agent, model = self.product.agents.get(self.product.me, agent_id), self.agents[agent_id]
        assert agent.version == len(model.versions)
        assert stored(self.product, agent_id, agent) == model.parts

    def uses_agree(self, one: str) -> None:
        if one not in self.gone:
            named = [part for model in self.agents.values() for part in model.parts.values() if part[1] == one]
            assert len(used_by(self.product, one)) == len(named)

    def teardown(self) -> None:
        """All agrees, and no version has changed since it was made."""
        for one in self.credentials:
            self.uses_agree(one)
        for agent_id, model in self.agents.items():
            self.agent_agrees(agent_id)
            for number, parts in enumerate(model.versions, 1):
                assert stored(self.product, agent_id, self.version(agent_id, number)) == parts

    @rule(part=parts)
    def read(self, part: tuple[str, str]) -> None:
        agent_id, part_id = part
        resources = self.tools if part_id.startswith("tol") else self.integrations
        try:
            found = resources.get(self.product.me, part_id)
        except NotFound:
            assert part_id not in self.agents[agent_id].parts
        else:
            assert found.revision == self.agents[agent_id].parts[part_id][3]

    def version(self, agent_id: str, number: int) -> Any:
        return self.product.agents.version(self.product.me, agent_id, number)


def stored(product: Product, agent_id: str, holder: Any) -> dict[str, Part]:
    found = PartRepository().of(product.tenant, agent_id, holder)
    assert [ref.id for ref in holder.tools] == list(found.tools)
    assert [ref.id for ref in holder.integrations] == list(found.integrations)
    definitions = {part.id: part.definition for part in found}
    return {
        part.id: (
            definitions[part.id].name,
            definitions[part.id].credential_id,  # type: ignore[union-attr]
            getattr(definitions[part.id], "integration_id", None),
            part.revision,
        )
        for part in found
    }


@pytest.mark.timeout(300)
def test_refs_parts_uses_and_versions_agree(store: Any) -> None:
    few = settings(
        max_examples=6,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],  # to shrink a failure takes the store many minutes
    )
    run_state_machine_as_test(Machine, settings=few)
