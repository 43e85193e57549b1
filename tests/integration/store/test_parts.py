"""Tools and integrations in the real store: versions, checks, races, credentials, restoring."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent_builder.errors import AgentBuilderError, Conflict, NotFound, PreconditionFailed, Unprocessable
from agent_builder.ids import new_id
from agent_builder.models.credentials import CredentialKind
from agent_builder.models.parts import AgentParts
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.credentials import CredentialService
from agent_builder.services.part_changes import PartChanges
from agent_builder.services.parts import PartService
from tests.integration.store.parts import (
    adding,
    adding_integration,
    calling,
    credential,
    http,
    integration,
    llm,
    mcp,
    tool_ids,
    used_by,
    without,
)
from tests.integration.store.product import Product, everything


def names(product: Product, agent_id: str, version: int | None = None) -> list[str]:
    """Names of the tools of an agent, or of a version of it, as its items say."""
    holder: Any = product.agents.get(product.me, agent_id)
    if version is not None:
        holder = product.agents.version(product.me, agent_id, version)
    stored = PartRepository().of(product.tenant, agent_id, holder)
    assert [ref.name for ref in holder.tools] == [tool.definition.name for tool in stored.tools.values()]
    return sorted(tool.definition.name for tool in stored.tools.values())


def test_a_change_makes_one_version_that_names_what_it_brought(product: Product) -> None:
    agent_id, ids = product.agent(), tool_ids(3)
    changed = product.parts.change(product.me, agent_id, adding(http("a"), http("b"), llm("c"), ids=ids))
    agent = product.agents.get(product.me, agent_id)
    assert agent == changed.agent
    assert (agent.version, agent.revision) == (2, 2)
    assert {(ref.id, ref.revision) for ref in agent.tools} == {(one, 2) for one in ids}
    assert names(product, agent_id, 1) == []
    assert names(product, agent_id) == names(product, agent_id, 2) == ["a", "b", "c"]
    assert {PartRepository().owner(product.tenant, one) for one in ids} == {agent_id}


def test_what_does_not_change_makes_nothing(product: Product) -> None:
    agent_id = product.agent()
    first = product.parts.change(product.me, agent_id, adding(http("a")))
    before = everything(product.tenant)
    assert product.parts.change(product.me, agent_id, lambda parts: parts) == first
    (tool_id,) = first.parts.tools
    assert product.parts.change(product.me, agent_id, adding(http("a"), ids=[tool_id])) == first
    assert everything(product.tenant) == before


def test_only_what_changes_gets_a_revision(product: Product) -> None:
    agent_id, (one, other) = product.agent(), tool_ids(2)
    product.parts.change(product.me, agent_id, adding(http("a"), http("b"), ids=[one, other]))
    changed = product.parts.change(product.me, agent_id, adding(http("c"), ids=[one]))
    assert {tool.id: tool.revision for tool in changed.parts.tools.values()} == {one: 3, other: 2}
    assert names(product, agent_id, 2) == ["a", "b"]
    assert names(product, agent_id) == ["b", "c"]


def test_true_is_not_one(product: Product) -> None:
    agent_id, ids = product.agent(), tool_ids(1)

    def fixed(value: Any) -> Any:
        return adding(http(parameters=[{"name": "x", "location": "query", "value": value}]), ids=ids)

    product.parts.change(product.me, agent_id, fixed(1))
    assert product.parts.change(product.me, agent_id, fixed(True)).agent.version == 3  # noqa: FBT003


def test_a_change_of_the_agent_itself_keeps_its_parts(product: Product) -> None:
    agent_id = product.agent()
    product.parts.change(product.me, agent_id, adding(http("a")))
    product.agents.patch(product.me, agent_id, {"name": "New"}, expected_revision=None)
    product.agents.patch(product.me, agent_id, {"status": "active"}, expected_revision=None)
    assert names(product, agent_id) == ["a"]
    assert product.agents.get(product.me, agent_id).version == 3


def test_many_tools_come_at_once(product: Product) -> None:
    agent_id = product.agent()
    product.parts.change(product.me, agent_id, adding(*[http(f"t{n}") for n in range(128)]))
    assert len(names(product, agent_id)) == 128
    with pytest.raises(Conflict) as refused:
        product.parts.change(product.me, agent_id, adding(http("more")))
    assert refused.value.error_code == "too_many_tools"


def test_not_too_many_integrations(product: Product) -> None:
    agent_id = product.agent()
    many = {new_id("int"): integration(str(n)) for n in range(51)}
    with pytest.raises(Conflict) as refused:
        product.parts.change(product.me, agent_id, lambda parts: AgentParts(parts.tools, many))
    assert refused.value.error_code == "too_many_integrations"


LARGE = {"type": "object", "properties": {}, "description": "x" * 60_000}
PARAMETERS = [{"name": "n", "location": "query", "value": "x" * 300_000}]


@pytest.mark.parametrize(
    ("tool", "pointer"),
    [
        (http("calculator"), "/name"),
        (http("taken"), "/name"),
        (http(base_url=None), "/base_url"),
        (http(integration_id="int_1"), "/integration_id"),
        (mcp("int_1"), "/integration_id"),
        (http(credential_id="crd_1"), "/credential_id"),
        (http(response={"select": "a["}), "/response/select"),
        (http(response={"select": "(" * 900}), "/response/select"),
        (llm(input_schema={"type": "object", "required": 7}), "/input_schema"),
        (llm(input_schema={"type": "object", "properties": {"a": {"$ref": "https://x/y"}}}), "/input_schema"),
        (http(parameters=PARAMETERS), ""),
        (calling("agt_1"), "/target_agent_id"),
        (calling("nonsense"), "/target_agent_id"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_said_where_it_is(product: Product, tool: Any, pointer: str) -> None:
    agent_id = product.agent()
    product.parts.change(product.me, agent_id, adding(http("taken")))
    before = everything(product.tenant)
    with pytest.raises(Unprocessable) as refused:
        product.parts.change(product.me, agent_id, adding(tool), pointer=lambda part_id: "/tool")
    assert [fault.pointer for fault in refused.value.faults] == [f"/tool{pointer}"]
    assert everything(product.tenant) == before


def test_faults_say_of_which_part_they_are(product: Product) -> None:
    (one, other) = tool_ids(2)
    with pytest.raises(Unprocessable) as refused:
        product.parts.change(product.me, product.agent(), adding(http("same"), http("same"), ids=[one, other]))
    assert [fault.pointer for fault in refused.value.faults] == [f"/{one}/name", f"/{other}/name"]


def test_a_tool_needs_an_integration_of_its_kind(product: Product) -> None:
    agent_id, integration_id = product.agent(), new_id("int")
    product.parts.change(product.me, agent_id, adding_integration(integration(kind="mcp"), integration_id))
    product.parts.change(product.me, agent_id, adding(mcp(integration_id)))
    with pytest.raises(Unprocessable) as refused:
        product.parts.change(product.me, agent_id, adding(http(integration_id=integration_id)))
    assert refused.value.faults[0].pointer.endswith("/integration_id")
    with pytest.raises(Unprocessable) as refused:
        product.parts.change(product.me, agent_id, without(integration_id))
    assert refused.value.faults[0].pointer.endswith("/integration_id")


def test_a_key_of_a_provider_is_no_credential_of_a_tool(product: Product) -> None:
    key = credential(product, "provider_key")
    with pytest.raises(Unprocessable) as refused:
        product.parts.change(product.me, product.agent(), adding(http(credential_id=key)))
    assert refused.value.faults[0].pointer.endswith("/credential_id")


# ---------------------------------------------------------------- agents that call agents


def refusal(product: Product, agent_id: str, tool: Any) -> str:
    try:
        product.parts.change(product.me, agent_id, adding(tool))
    except AgentBuilderError as error:
        return error.error_code
    return ""


def test_agents_do_not_call_each_other_in_a_circle(product: Product) -> None:
    a, b, c = (product.agent() for _ in range(3))
    assert refusal(product, a, calling(a)) == "agent_cycle"
    assert refusal(product, a, calling(b)) == ""
    assert refusal(product, b, calling(c)) == ""
    assert refusal(product, c, calling(a)) == "agent_cycle"
    assert refusal(product, c, calling(a, version=1)) == "agent_cycle", "whatever the version: it is the same agent"
    assert refusal(product, a, calling(c, "twice")) == "", "two ways to one agent are no circle"


def test_a_pinned_version_is_followed_as_it_was(product: Product) -> None:
    a, b, c = (product.agent() for _ in range(3))
    changed = product.parts.change(product.me, b, adding(calling(c)))
    product.parts.change(product.me, b, without(*changed.parts.tools))
    assert refusal(product, a, calling(b, "later", version=9)) == "validation_failed"
    assert refusal(product, a, calling(b, version=2)) == ""
    assert refusal(product, c, calling(a)) == "agent_cycle"


def test_to_restore_does_not_close_a_circle(product: Product) -> None:
    a, b = product.agent(), product.agent()
    changed = product.parts.change(product.me, a, adding(calling(b)))
    product.parts.change(product.me, a, without(*changed.parts.tools))
    assert refusal(product, b, calling(a)) == ""
    with pytest.raises(Unprocessable) as refused:
        product.agents.restore(product.me, a, 2, expected_revision=None)
    assert refused.value.error_code == "agent_cycle"


def test_two_who_close_a_circle_at_once_do_not_both_succeed(product: Product) -> None:
    for _ in range(5):
        pair = [product.agent(), product.agent()]
        codes = race(2, lambda n, pair=pair: product.parts.change(product.me, pair[n], adding(calling(pair[1 - n]))))
        assert sum(isinstance(code, Exception) for code in codes) == 1


def test_nobody_reaches_too_many(product: Product) -> None:
    agent_id = product.agent()
    many = [calling(product.agent(), f"t{n}") for n in range(25)]
    product.parts.change(product.me, agent_id, adding(*many[:24]))
    assert refusal(product, agent_id, many[24]) == "too_many_agents"


# ---------------------------------------------------------------- races


def race(count: int, act: Any) -> list[Any]:
    def one(number: int) -> Any:
        try:
            return act(number)
        except AgentBuilderError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_changes_that_race_all_happen(product: Product) -> None:
    agent_id = product.agent()
    results = race(6, lambda n: product.parts.change(product.me, agent_id, adding(http(f"t{n}"))))
    assert not [one for one in results if isinstance(one, Exception)]
    assert names(product, agent_id) == [f"t{n}" for n in range(6)]
    assert product.agents.get(product.me, agent_id).version == 7
    for version in range(2, 8):
        assert len(names(product, agent_id, version)) == version - 1


def test_who_loses_a_race_leaves_no_trace_in_what_the_winner_stored(product: Product) -> None:
    """Two who change one tool at the same version write two items; the version names the winner's."""
    agent_id, ids = product.agent(), tool_ids(1)
    product.parts.change(product.me, agent_id, adding(http("start"), ids=ids))
    for attempt in range(4):
        results = race(
            4, lambda n, a=attempt: product.parts.change(product.me, agent_id, adding(http(f"n{a}_{n}"), ids=ids))
        )
        for changed in results:
            version = changed.agent.version
            assert names(product, agent_id, version) == [changed.parts.tools[ids[0]].definition.name]


def test_of_many_who_know_one_revision_one_wins(product: Product) -> None:
    agent_id, ids = product.agent(), tool_ids(1)
    product.parts.change(product.me, agent_id, adding(http("start"), ids=ids))
    results = race(
        5,
        lambda n: product.parts.change(product.me, agent_id, adding(http(f"n{n}"), ids=ids), expected={ids[0]: 2}),
    )
    assert sum(isinstance(one, PreconditionFailed) for one in results) == 4


def test_a_deleted_agent_cannot_be_changed(product: Product) -> None:
    agent_id = product.agent()
    product.agents.delete(product.me, agent_id, expected_revision=None)
    with pytest.raises(NotFound):
        product.parts.change(product.me, agent_id, adding(http()))


# ---------------------------------------------------------------- credentials


def test_a_credential_knows_who_names_it(product: Product) -> None:
    agent_id, other = product.agent(), product.agent()
    mine, ids, integration_id = credential(product), tool_ids(2), new_id("int")
    both = adding(http("a", credential_id=mine), http("b", credential_id=mine), ids=ids)
    product.parts.change(product.me, agent_id, both)
    product.parts.change(product.me, other, adding_integration(integration(credential_id=mine), integration_id))
    assert used_by(product, mine) == {(agent_id, ids[0]), (agent_id, ids[1]), (other, integration_id)}
    product.parts.change(product.me, agent_id, without(ids[0]))
    product.parts.change(product.me, other, adding_integration(integration(), integration_id))
    assert used_by(product, mine) == {(agent_id, ids[1])}
    product.parts.change(product.me, agent_id, adding(http("b"), ids=[ids[1]]))
    assert used_by(product, mine) == set()
    found = CredentialRepository().get(product.tenant, mine)
    assert found is not None
    CredentialRepository().delete(product.tenant, found)


def test_uses_are_counted_right_when_agents_race(product: Product) -> None:
    mine, agents = credential(product), [product.agent() for _ in range(4)]

    def act(number: int) -> Any:
        return product.parts.change(product.me, agents[number % 4], adding(http(f"t{number}", credential_id=mine)))

    assert not [one for one in race(8, act) if isinstance(one, Exception)]
    assert len(used_by(product, mine)) == 8


@dataclass(frozen=True)
class DeletedAfterCheck(CredentialRepository):
    """Credentials of which one is deleted between the first look at it and the second."""

    credential_id: str = ""
    looked: list[int] = field(default_factory=list)

    def kinds(self, tenant: str, ids: Iterable[str]) -> dict[str, CredentialKind]:
        found = super().kinds(tenant, ids)
        self.looked.append(1)
        stored = self.get(tenant, self.credential_id)
        if len(self.looked) == 1 and stored:
            self.delete(tenant, stored)
        return found


@pytest.mark.parametrize("part", ["tool", "integration"])
def test_a_credential_that_goes_after_it_was_seen_is_named_by_nothing(product: Product, part: str) -> None:
    agent_id, mine = product.agent(), credential(product)
    credentials = DeletedAfterCheck(mine)
    parts = PartService(product.agents, PartChanges(credentials=credentials), product.clock)
    naming = adding(http(credential_id=mine))
    if part == "integration":
        naming = adding_integration(integration(credential_id=mine), new_id("int"))
    with pytest.raises(Unprocessable) as refused:
        parts.change(product.me, agent_id, naming)
    assert refused.value.faults[0].pointer.endswith("/credential_id")
    assert credentials.looked
    assert product.agents.get(product.me, agent_id).version == 1


def test_who_names_a_credential_and_who_deletes_it_do_not_both_succeed(product: Product) -> None:
    service = CredentialService(CredentialRepository(), envelopes=lambda: pytest.fail("nothing is sealed here"))
    for _ in range(6):
        agent_id, mine = product.agent(), credential(product)

        def act(number: int, agent_id: str = agent_id, mine: str = mine) -> Any:
            if number == 3:
                return service.delete(product.me, mine, expected_revision=None)
            return product.parts.change(product.me, agent_id, adding(http(f"t{number}", credential_id=mine)))

        results = race(5, act)
        deleted = not isinstance(results.pop(3), Exception)
        kept = [one for one in results if not isinstance(one, Exception)]
        assert len(names(product, agent_id)) == len(kept)
        if deleted:
            assert kept == []
            assert CredentialRepository().get(product.tenant, mine) is None
        else:
            assert len(used_by(product, mine)) == len(kept)
            assert kept


def test_old_versions_come_back_with_their_parts_and_uses(product: Product) -> None:
    agent_id, mine, ids = product.agent(), credential(product), tool_ids(1)
    product.parts.change(product.me, agent_id, adding(http("a", credential_id=mine), ids=ids))
    product.parts.change(product.me, agent_id, without(*ids))
    assert used_by(product, mine) == set()
    restored = product.agents.restore(product.me, agent_id, 2, expected_revision=None)
    assert [(ref.id, ref.revision) for ref in restored.tools] == [(ids[0], 2)]
    assert names(product, agent_id) == ["a"]
    assert used_by(product, mine) == {(agent_id, ids[0])}
    assert product.agents.restore(product.me, agent_id, 1, expected_revision=None).tools == ()
    assert used_by(product, mine) == set()


def test_a_version_comes_back_without_a_credential_that_is_gone(product: Product) -> None:
    """It names the credential still, and says so when it is called; it can be changed and deleted as any other."""
    agent_id, mine, ids = product.agent(), credential(product), tool_ids(1)
    product.parts.change(product.me, agent_id, adding(http("a", credential_id=mine), ids=ids))
    product.parts.change(product.me, agent_id, without(*ids))
    found = CredentialRepository().get(product.tenant, mine)
    assert found is not None
    CredentialRepository().delete(product.tenant, found)
    product.agents.restore(product.me, agent_id, 2, expected_revision=None)
    product.parts.change(product.me, agent_id, adding(http("other")))
    with pytest.raises(Unprocessable):
        product.parts.change(product.me, agent_id, adding(http("renamed", credential_id=mine), ids=ids))
    product.parts.change(product.me, agent_id, without(*ids))
    assert names(product, agent_id) == ["other"]


def test_one_change_touches_no_more_credentials_than_a_transaction_takes(product: Product) -> None:
    agent_id, many = product.agent(), [credential(product) for _ in range(37)]
    tools = [http(f"t{n}", credential_id=one) for n, one in enumerate(many)]
    with pytest.raises(Conflict) as refused:
        product.parts.change(product.me, agent_id, adding(*tools))
    assert refused.value.error_code == "too_many_credentials"
    product.parts.change(product.me, agent_id, adding(*tools[:36]))
    product.parts.change(product.me, agent_id, adding(*tools[36:]))
    assert {len(used_by(product, one)) for one in many} == {1}
