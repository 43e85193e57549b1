"""What the documents say of the code is so: names, codes, numbers, links."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from agent_builder import errors
from agent_builder.config import Settings
from agent_builder.messages import CallOutcome
from agent_builder.models.agents import (
    BUILTIN_TOOLS,
    OPTIONS_LIMIT_BYTES,
    SYSTEM_PROMPT_LIMIT,
    AgentStatus,
    LlmConfig,
    ProviderName,
    ReasoningEffort,
)
from agent_builder.models.identity import PERMISSIONS, ROLES
from agent_builder.models.parts import DEFINITION_LIMIT_BYTES, MAX_INTEGRATIONS, MAX_TOOLS
from agent_builder.models.tools import DESCRIPTION_LIMIT, SCHEMA_LIMIT_BYTES
from agent_builder.realtime.frames import FRAME_LIMIT
from agent_builder.repositories.audit import KEPT_SECONDS
from agent_builder.repositories.egress import KEPT_SECONDS as REFUSALS_KEPT
from agent_builder.repositories.intake import MAX_QUEUED
from agent_builder.repositories.keys import DUE_SHARDS
from agent_builder.services.authorization import LEASE_MS
from agent_builder.services.budget import Limits
from agent_builder.services.callees import MAX_REACHED
from agent_builder.services.consents import CONSENT_SECONDS
from agent_builder.services.context import HISTORY_PAGE
from agent_builder.services.invitations import INVITATION_SECONDS
from agent_builder.services.limits import DEFAULTS, MAX_API_KEYS, OVERRIDES_FRESH_MS
from agent_builder.services.part_changes import MAX_CREDENTIALS
from agent_builder.services.tickets import TICKET_SECONDS
from agent_builder.tools.auth.oauth import LIMITS, PAUSE_SECONDS, TRIES
from agent_builder.tools.egress import EgressLimits
from functions.api.access_schemas import LimitsPatch
from functions.api.app import BODY_LIMIT
from functions.playground.frames_in import FRAMES
from scripts.openapi import ROOT, openapi
from tests import template
from tests.frames import described

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
CODE = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
# Told to nobody outside: the caller turns them into something else, or the operator reads them in a log.
INNER = {
    "bad_request",
    "provider_error",
    "tool_error",
    "tool_outcome_unknown",
    "race_lost",
    "fence_lost",
    "outbound_refused",
    "outbound_failed",
}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def code() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in CODE)


@pytest.fixture(scope="module")
def codes(code: str) -> set[str]:
    """Every stable code of an error."""
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    named = {kind.code for kind in classes if issubclass(kind, errors.AgentBuilderError)}
    raised = set(re.findall(r'code="([a-z_]+)"', code))
    return named | raised | {f"provider_{kind}" for kind in get_args(errors.ProviderErrorKind)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_readme_is_short_and_begins_with_the_two_commands() -> None:
    lines = read("README.md").splitlines()
    assert len(lines) <= 150
    assert {"make run", "make test"} <= {" ".join(line.split()[:2]) for line in lines[:15]}


def test_readme_names_folders_and_targets_that_exist() -> None:
    text = read("README.md")
    for folder in re.findall(r"`([a-z_./]+/)`", text):
        assert (ROOT / folder).is_dir() or folder.startswith("."), folder
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", re.sub(r"#.*", "", text))) <= targets


def test_every_decision_is_short_and_numbered_once() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [record.name[:4] for record in records]
    assert len(set(numbers)) == len(numbers)
    for record in records:
        lines = record.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 20, record.name
        assert lines[0].startswith(f"# {record.name[:4]} "), record.name


def test_api_page_has_every_route() -> None:
    text = read("docs/api.md")
    for path in openapi()["paths"]:
        last = [part for part in path.split("/") if not part.startswith("{")][-1]
        assert f"/{last}" in text, path


def test_api_page_has_every_frame() -> None:
    documented = set(re.findall(r'\{"type": "([a-z_]+)"', read("docs/api.md")))
    assert documented == set(FRAMES) | set(described())


def test_api_page_has_every_outcome_of_a_call() -> None:
    page = read("docs/api.md")
    assert not [name for name in get_args(CallOutcome) if f"`{name}`" not in page]


def test_api_page_has_every_error_code(codes: set[str]) -> None:
    text = read("docs/api.md")
    assert {name for name in codes - INNER if f"`{name}`" not in text} == set()


def test_console_has_words_for_every_error_code(codes: set[str]) -> None:
    words = json.loads(read("web/console/messages/en/common.json"))["codes"]
    assert codes - set(words) == {"race_lost", "fence_lost", "unknown_type"}, "what no person is told"
    assert set(words) - codes == {"conversation_deleted", "runner_lost", "token_expired"}, "what frames and steps say"


def test_api_page_has_every_field_and_value_of_an_agent() -> None:
    text = read("docs/api.md")
    fields = {name for name in LlmConfig.model_fields if name not in ("provider", "model")}
    values = {*get_args(AgentStatus), *get_args(ProviderName), *get_args(ReasoningEffort), *BUILTIN_TOOLS}
    missing = {name for name in values | fields if f"`{name}`" not in text and f"model_config.{name}`" not in text}
    assert missing == set()


def test_api_page_has_every_permission() -> None:
    text = read("docs/api.md")
    for permission in PERMISSIONS:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{permission}` |"))
        cells = [cell.strip() for cell in row.split("|")[2:6]]
        assert cells == ["yes" if permission in ROLES[role] else "" for role in ROLES], permission


def test_api_page_has_the_limits_of_a_tenant() -> None:
    text = read("docs/api.md")
    requests = f"{DEFAULTS.tenant_requests_per_minute:,} a minute in a tenant, {DEFAULTS.requests_per_minute:,} of one"
    assert f"| requests | {requests} person or key" in text
    messages = f"{DEFAULTS.messages_per_minute} in a tenant, {DEFAULTS.messages_per_minute_per_subject} of one person"
    assert f"a minute {messages} or key, {DEFAULTS.messages_per_minute_per_agent} to one agent" in text
    assert f"| runs at once | {DEFAULTS.runs_at_once} " in text
    open_at_once = f"{DEFAULTS.tenant_connections_at_once} in a tenant, {DEFAULTS.connections_at_once} of one person"
    assert f"| connections at once | {open_at_once} or key" in text
    assert f"| API keys | {MAX_API_KEYS} in a tenant" in text
    assert f"`expires_in_days` is 1 to {3650:,}" in text
    assert f"within {OVERRIDES_FRESH_MS // 1000} seconds" in text
    assert f"within {TICKET_SECONDS} seconds" in text
    assert f"within {INVITATION_SECONDS // 86400} days" in text
    assert f"kept for {KEPT_SECONDS // 86400} days" in text


def test_api_page_has_the_bounds_of_what_a_tenant_may_set() -> None:
    text = " ".join(read("docs/api.md").split())
    bounds: dict[str, set[str]] = {}
    for name, schema in LimitsPatch.model_json_schema()["properties"].items():
        number = next(one for one in schema["anyOf"] if one["type"] == "integer")
        kind = next(kind for kind in ("requests", "messages", "runs", "connections") if kind in name)
        bounds.setdefault(kind, set()).add(f"{number['minimum']} to {number['maximum']:,}")
    assert f"{', '.join(f'{kind} {found.pop()}' for kind, found in bounds.items())}." in text
    assert not any(bounds.values())


def test_no_tenant_may_have_all_that_the_stack_lets_through() -> None:
    a_minute = template.read()["Parameters"]["ThrottleRate"]["Default"] * 60
    assert f"default {a_minute:,} requests a minute of everybody" in read("docs/api.md").replace("\n", " ")
    assert DEFAULTS.tenant_requests_per_minute * 4 == a_minute
    LimitsPatch(tenant_requests_per_minute=a_minute // 2, messages_per_minute=a_minute // 4)
    for name, most in (("tenant_requests_per_minute", a_minute // 2), ("messages_per_minute", a_minute // 4)):
        with pytest.raises(ValidationError):
            LimitsPatch.model_validate({name: most + 1})


def test_api_page_has_the_limits() -> None:
    text = " ".join(read("docs/api.md").split())
    limits = Limits()
    assert BODY_LIMIT == 2**20 and FRAME_LIMIT == 32 * 1024 and "1 MiB, 32 KB" in text
    assert f"up to {SYSTEM_PROMPT_LIMIT:,} characters" in text
    assert f"at most {OPTIONS_LIMIT_BYTES // 1024} KiB of JSON" in text
    assert (
        f"{limits.model_steps} model calls, {limits.tool_calls} tool calls, {limits.tool_seconds:g} s a tool call"
        in text
    )
    assert f"agents {limits.depth} deep" in text
    assert f"{limits.same_calls} times the same call" in text
    assert f"{limits.tokens:,} tokens, {limits.run_seconds / 60:g} minutes" in text
    assert f"| {MAX_QUEUED} messages |" in text
    assert f"newest {HISTORY_PAGE} messages" in text
    assert f"DUE#<0..{DUE_SHARDS - 1}>" in read("docs/architecture.md")


def test_security_page_has_the_limits_of_calls_to_the_outside() -> None:
    text, limits = " ".join(read("docs/security.md").split()), EgressLimits()
    bounds = f"{limits.seconds:g} s in all, look-up and redirects too; {limits.wire_bytes // 2**20} MB as sent"
    assert f"{bounds} and {limits.body_bytes // 2**20} MB unpacked" in text
    assert f"for {REFUSALS_KEPT // 86400} days" in text
    assert f"for {CONSENT_SECONDS // 60:g} minutes".replace("10", "ten") in text
    assert f"{LEASE_MS // 1000} s, longer than" in read(
        "docs/decisions/0071-renew-tokens-under-a-lease-that-is-no-lock.md"
    )
    assert LIMITS.seconds * TRIES + PAUSE_SECONDS < LEASE_MS / 1000


class _Template(yaml.SafeLoader):
    """Reads the template; what its short tags mean does not matter here."""


_Template.add_multi_constructor("!", lambda loader, suffix, node: None)


def test_operations_page_has_parameters_outputs_and_variables() -> None:
    template = yaml.load(read("template.yaml"), _Template)
    text = read("docs/operations.md")
    for name, parameter in template["Parameters"].items():
        assert f"`{name}`" in text, name
        default = str(parameter["Default"])
        assert not default or default in text, name
    assert [name for name in template["Outputs"] if f"`{name}`" not in text] == []
    for key, url in Settings.LAPTOP_VARIABLES.values():
        assert f"`{key}`" in text
        assert f"`{url}`" in text
    assert set(re.findall(r'"([a-z]+)": "…"', text)) == set(Settings.LAPTOP_VARIABLES)


def test_limits_of_tools_are_those_of_the_code() -> None:
    text = " ".join(read("docs/api.md").split())
    assert f"at most {MAX_TOOLS} tools (`too_many_tools`) and {MAX_INTEGRATIONS} integrations" in text
    assert f"| {MAX_TOOLS} and {MAX_INTEGRATIONS} of an agent, {DEFINITION_LIMIT_BYTES // 1024} KiB each |" in text
    assert f"a definition at most {DEFINITION_LIMIT_BYTES // 1024} KiB of JSON" in text
    assert f"adds or drops at most {MAX_CREDENTIALS} credentials (`too_many_credentials`)" in text
    assert f"reach at most {MAX_REACHED} others (`too_many_agents`)" in text
    assert f"(up to {DESCRIPTION_LIMIT:,} characters, for the model)" in text
    assert f"of type object, up to {SCHEMA_LIMIT_BYTES // 1024} KiB" in text
