"""Two tenants do what they like with ids of both: no request to the store ever names the other's partition."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test

from agent_builder.repositories.table import Item
from tests.integration.access.test_matrix import NEW_AGENT, NEW_CREDENTIAL, PRICE
from tests.integration.access.world import DESCRIPTION, HTTP_TOOL, INTEGRATION, LANGFUSE_KEYS, Caller, Calls, Rest
from tests.integration.store.product import Product, park

_TENANT = re.compile(rb'"T#([^#"\\]+)#')


class Watch:
    """Tenants named by the requests to the store."""

    def __init__(self) -> None:
        self.tenants: set[str] = set()

    def __call__(self, params: dict[str, Any], **_: Any) -> None:
        body = params["body"]
        found = _TENANT.findall(body if isinstance(body, bytes) else body.encode())
        assert found, "a request that names no tenant"
        self.tenants |= {one.decode() for one in found}


@pytest.fixture
def watch(calls: Calls) -> Iterator[Watch]:
    seen = Watch()
    events = Item._get_connection().connection.client.meta.events
    events.register("before-call.dynamodb", seen)
    yield seen
    events.unregister("before-call.dynamodb", seen)


class TwoTenants(RuleBasedStateMachine):
    agents: Bundle[tuple[int, str]] = Bundle("agents")
    api_keys: Bundle[tuple[int, str]] = Bundle("api_keys")
    invitations: Bundle[tuple[int, str]] = Bundle("invitations")
    credentials: Bundle[tuple[int, str]] = Bundle("credentials")
    parts: Bundle[tuple[int, str, str, str]] = Bundle("parts")
    imports: Bundle[tuple[int, str, tuple[int, str]]] = Bundle("imports")
    runs: Bundle[tuple[int, str]] = Bundle("runs")
    said: Bundle[tuple[int, str, str]] = Bundle("said")
    who = st.sampled_from([0, 1])
    watch: Watch
    rest = Rest()

    def __init__(self) -> None:
        super().__init__()
        name = uuid.uuid4().hex[:12]
        self.tenants = (f"t-{name}", f"t-{name}-2")
        self.gone: set[str] = set()

    def ask(self, who: int, method: str, path: str, body: Any = None) -> Any:
        self.watch.tenants.clear()
        answer = self.rest(Caller(self.tenants[who], "owner", "sub|same"), method, path, body)
        assert self.watch.tenants == {self.tenants[who]}
        assert answer.status < 500, answer.body
        assert self.tenants[1 - who] + '"' not in answer.body
        return answer

    def reach(self, who: int, owner: int, name: str, method: str, path: str, body: Any = None) -> None:
        """Only the owner's tenant reaches it, and only as long as it is there."""
        answer = self.ask(who, method, path, body)
        there = who == owner and name not in self.gone
        assert (answer.status < 300) == there, answer.body
        assert there or answer.code == "not_found"
        if method == "DELETE" and there:
            self.gone.add(name)

    @rule(target=agents, who=who)
    def create_agent(self, who: int) -> tuple[int, str]:
        return who, self.ask(who, "POST", "/agents", NEW_AGENT).json["id"]

    @rule(who=who, agent=agents, method=st.sampled_from(["GET", "PATCH", "DELETE"]))
    def use_agent(self, who: int, agent: tuple[int, str], method: str) -> None:
        body = {"name": "Changed"} if method == "PATCH" else None
        self.reach(who, *agent, method, f"/agents/{agent[1]}", body)

    @rule(who=who, agent=agents)
    def read_below_agent(self, who: int, agent: tuple[int, str]) -> None:
        self.reach(who, *agent, "GET", f"/agents/{agent[1]}/versions")
        self.reach(who, *agent, "GET", f"/agents/{agent[1]}/conversations")
        self.reach(who, *agent, "GET", f"/agents/{agent[1]}/runs")
        assert self.ask(who, "GET", f"/usage?agent_id={agent[1]}&group_by=model").json["items"] == []

    @rule(target=said, who=who, agent=agents)
    def say(self, who: int, agent: tuple[int, str]) -> tuple[int, str, str]:
        answer = self.ask(who, "POST", f"/agents/{agent[1]}/messages", {"content": "Hello"})
        there = who == agent[0] and agent[1] not in self.gone
        assert answer.status == (202 if there else 404)
        told = answer.json if there else {}
        return who, told.get("run_id", "run_0"), agent[1]

    @rule(who=who, run=said)
    def use_said(self, who: int, run: tuple[int, str, str]) -> None:
        """Gone with its agent."""
        there = who == run[0] and run[1] != "run_0" and run[2] not in self.gone
        assert self.ask(who, "GET", f"/runs/{run[1]}").status == (200 if there else 404)
        assert self.ask(who, "POST", f"/runs/{run[1]}/cancel").status == (202 if there else 404)

    @rule(who=who)
    def set_prices(self, who: int) -> None:
        self.ask(who, "PUT", "/prices", {"prices": [PRICE]})
        assert self.ask(who, "GET", "/prices").json["prices"] != []

    @rule(who=who, other=who)
    def set_tracing(self, who: int, other: int) -> None:
        """Nobody's traces go out with another one's keys."""
        keys = self.ask(who, "POST", "/credentials", LANGFUSE_KEYS).json["id"]
        tracing = {"base_url": f"https://{who}.example.com", "credential_id": keys}
        assert self.ask(other, "PUT", "/tracing", tracing).status == (200 if who == other else 422)
        answer = self.ask(other, "GET", "/tracing")
        assert answer.status == 404 or answer.json["base_url"] == f"https://{other}.example.com"
        assert len(self.ask(who, "GET", f"/credentials/{keys}").json["used_by"]) == (who == other)

    @rule(who=who, agent=agents)
    def set_budgets(self, who: int, agent: tuple[int, str]) -> None:
        self.ask(who, "PUT", "/budgets", {"tenant_month": {"tokens": who + 1}})
        assert self.ask(who, "GET", "/budgets").json["tenant_month"]["tokens"] == who + 1
        answer = self.ask(who, "PUT", f"/agents/{agent[1]}/budget", {"run": {"tokens": 5}})
        assert answer.status == (200 if who == agent[0] and agent[1] not in self.gone else 404)

    @rule(target=parts, agent=agents, place=st.sampled_from(["tools", "integrations"]))
    def create_part(self, agent: tuple[int, str], place: str) -> tuple[int, str, str, str]:
        owner, agent_id = agent
        body = {**HTTP_TOOL, "name": f"t{uuid.uuid4().hex}"} if place == "tools" else INTEGRATION
        answer = self.ask(owner, "POST", f"/agents/{agent_id}/{place}", body)
        assert answer.status == (404 if agent_id in self.gone else 201)
        return owner, agent_id, place, answer.json.get("id", "tol_none")

    @rule(who=who, part=parts, method=st.sampled_from(["GET", "PATCH", "DELETE"]))
    def use_part(self, who: int, part: tuple[int, str, str, str], method: str) -> None:
        owner, agent_id, place, part_id = part
        if agent_id in self.gone or part_id == "tol_none":
            self.gone.add(part_id)
        body = {"description": "Changed"} if method == "PATCH" else None
        self.reach(who, owner, part_id, method, f"/{place}/{part_id}", body)
        if place == "integrations":
            self.reach(who, owner, part_id, "POST", f"/{place}/{part_id}/mcp/list", {})

    @rule(who=who, agent=agents, place=st.sampled_from(["tools", "integrations"]))
    def list_parts(self, who: int, agent: tuple[int, str], place: str) -> None:
        self.reach(who, *agent, "GET", f"/agents/{agent[1]}/{place}")

    @rule(target=runs, agent=agents)
    def ask_for_approval(self, agent: tuple[int, str]) -> tuple[int, str]:
        owner, agent_id = agent
        if agent_id in self.gone:
            return owner, "run_" + "0" * 26
        product = Product(tenant=self.tenants[owner])
        accepted = product.say(agent_id)
        park(product.tenant, accepted.conversation_id)
        return owner, accepted.run_id

    @rule(who=who, run=runs)
    def use_run(self, who: int, run: tuple[int, str]) -> None:
        owner, run_id = run
        for method, path in (("GET", ""), ("POST", "/approvals/toolu_1")):
            body = {"decision": "approve"} if method == "POST" else None
            answer = self.ask(who, method, f"/runs/{run_id}{path}", body)
            if who != owner or answer.status == 404:
                assert answer.code == "not_found"
            else:
                assert answer.status == 200 or answer.code == "already_decided"

    @rule(target=api_keys, who=who)
    def create_key(self, who: int) -> tuple[int, str]:
        return who, self.ask(who, "POST", "/api-keys", {"name": "k", "scopes": ["read"]}).json["id"]

    @rule(who=who, key=api_keys)
    def revoke_key(self, who: int, key: tuple[int, str]) -> None:
        self.reach(who, *key, "DELETE", f"/api-keys/{key[1]}")

    @rule(target=invitations, who=who, role=st.sampled_from(["viewer", "owner"]))
    def invite(self, who: int, role: str) -> tuple[int, str]:
        return who, self.ask(who, "POST", "/members", {"email": "a@b", "role": role}).json["id"]

    @rule(who=who, invitation=invitations)
    def withdraw(self, who: int, invitation: tuple[int, str]) -> None:
        self.reach(who, *invitation, "DELETE", f"/invitations/{invitation[1]}")

    @rule(target=credentials, who=who)
    def create_credential(self, who: int) -> tuple[int, str]:
        return who, self.ask(who, "POST", "/credentials", NEW_CREDENTIAL).json["id"]

    @rule(who=who, credential=credentials, method=st.sampled_from(["GET", "PUT", "DELETE"]))
    def use_credential(self, who: int, credential: tuple[int, str], method: str) -> None:
        body = NEW_CREDENTIAL if method == "PUT" else None
        self.reach(who, *credential, method, f"/credentials/{credential[1]}", body)

    @rule(target=imports, who=who, agent=agents)
    def begin_import(self, who: int, agent: tuple[int, str]) -> Any:
        wanted = {"agent_id": agent[1], "document": DESCRIPTION}
        answer = self.ask(who, "POST", "/openapi-imports", wanted)
        there = who == agent[0] and agent[1] not in self.gone
        assert answer.status in ((202, 429) if there else (404,)), answer.body
        return (who, answer.json["id"], agent) if answer.status == 202 else multiple()

    @rule(who=who, one=imports)
    def look_at_import(self, who: int, one: tuple[int, str, tuple[int, str]]) -> None:
        owner, import_id, agent = one
        there = who == owner and agent[1] not in self.gone
        assert self.ask(who, "GET", f"/openapi-imports/{import_id}").status == (200 if there else 404)
        applied = self.ask(who, "POST", f"/openapi-imports/{import_id}/apply", {"operations": "all"})
        assert (applied.status, applied.code) == ((409, "import_not_ready") if there else (404, "not_found"))

    @rule(who=who, subject=st.sampled_from(["sub|same", "sub|other"]))
    def remove_member(self, who: int, subject: str) -> None:
        assert self.ask(who, "DELETE", f"/members/{quote(subject)}").status == 404

    @rule(
        who=who,
        place=st.sampled_from(
            ["agents", "api-keys", "credentials", "egress/refusals", "members", "invitations", "audit"]
        ),
    )
    def list_all(self, who: int, place: str) -> None:
        items = self.ask(who, "GET", f"/{place}").json["items"]
        assert not {str(one.get("id")) for one in items} & self.gone


def test_no_request_names_the_other_tenant(watch: Watch) -> None:
    few = settings(
        max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    run_state_machine_as_test(type("Watched", (TwoTenants,), {"watch": watch}), settings=few)
