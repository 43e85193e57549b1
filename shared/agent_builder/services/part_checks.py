"""What must hold of an agent's tools and integrations, as far as they say it themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import jmespath
from jmespath.exceptions import JMESPathError

from agent_builder.errors import Conflict, Fault, Unprocessable
from agent_builder.jsontext import encode
from agent_builder.models.agents import BUILTIN_TOOLS
from agent_builder.models.credentials import CredentialKind
from agent_builder.models.parts import (
    DEFINITION_LIMIT_BYTES,
    MAX_INTEGRATIONS,
    MAX_TOOLS,
    AgentParts,
    Definition,
    credential_of,
    stored_form,
)
from agent_builder.models.tools import AgentTool, HttpTool, IntegrationInput, McpTool
from agent_builder.tools.schemas import check_schema

PartFault = tuple[str, Fault]
_AFTER_THE_YES = (
    "A call that a person approves is made with the arguments that were approved, so nothing may change them "
    "afterwards: leave `before` out, or do not require approval."
)


def check_counts(wanted: AgentParts) -> None:
    """Refuse more than an agent can have.

    Raises:
        Conflict: `too_many_tools` or `too_many_integrations`.
    """
    if len(wanted.tools) > MAX_TOOLS:
        raise Conflict(f"An agent has at most {MAX_TOOLS} tools; delete some first.", code="too_many_tools")
    if len(wanted.integrations) > MAX_INTEGRATIONS:
        detail = f"An agent has at most {MAX_INTEGRATIONS} integrations; delete some first."
        raise Conflict(detail, code="too_many_integrations")


def faults_of_parts(wanted: AgentParts, changed: Collection[str]) -> Iterator[PartFault]:
    """What is wrong with the parts that changed, and with the others because of them: id, and where in it."""
    names = Counter(tool.name for tool in wanted.tools.values())
    for part_id, definition in wanted.tools.items():
        found = list(_integration_faults(definition, wanted.integrations))
        if part_id in changed:
            found += _name_faults(definition.name, names)
            found += _tool_faults(definition)
        yield from ((part_id, fault) for fault in found)
    for part_id, part in wanted:
        if part_id in changed and len(encode(stored_form(part)).encode("utf-8", "replace")) > DEFINITION_LIMIT_BYTES:
            yield part_id, Fault("", f"A definition has at most {DEFINITION_LIMIT_BYTES:,} bytes of JSON; shorten it.")


def credential_faults(
    wanted: AgentParts, changed: Collection[str], kinds: Mapping[str, CredentialKind]
) -> Iterator[PartFault]:
    """What is wrong with the credentials that changed parts name.

    Args:
        kinds: Those that there are.
    """
    for part_id, definition in wanted:
        credential_id = credential_of(definition)
        if part_id not in changed or credential_id is None:
            continue
        if credential_id not in kinds:
            yield part_id, Fault("/credential_id", "There is no credential with this id; create it first.")
        elif kinds[credential_id] == "provider_key":
            detail = "This is the key of a model provider, which tools cannot use; create a credential for this API."
            yield part_id, Fault("/credential_id", detail)


def _name_faults(name: str, names: Mapping[str, int]) -> Iterator[Fault]:
    if name in BUILTIN_TOOLS:
        yield Fault("/name", f"{name} is the name of a built-in tool; choose another.")
    elif names[name] > 1:
        yield Fault("/name", f"This agent has another tool named {name}; names of tools are unique.")


def _integration_faults(tool: Definition, integrations: Mapping[str, IntegrationInput]) -> Iterator[Fault]:
    if not isinstance(tool, HttpTool | McpTool) or tool.integration_id is None:
        return
    integration = integrations.get(tool.integration_id)
    if integration is None:
        yield Fault("/integration_id", "This agent has no integration with this id.")
    elif integration.kind != tool.kind:
        detail = (
            f"A tool of kind {tool.kind} needs an integration of that kind; this one is of kind {integration.kind}."
        )
        yield Fault("/integration_id", detail)


def _tool_faults(tool: Definition) -> Iterator[Fault]:
    if isinstance(tool, HttpTool) and tool.base_url is None and tool.integration_id is None:
        yield Fault("/base_url", "Give a base_url, or the integration_id of an integration that has one.")
    if isinstance(tool, AgentTool):
        return
    try:
        check_schema(tool.input_schema)
    except Unprocessable as error:
        yield from (Fault(fault.pointer.rstrip("/"), fault.message) for fault in error.faults)
    if isinstance(tool, HttpTool | McpTool):
        if tool.requires_approval and tool.enhancement is not None and tool.enhancement.before.strip():
            yield Fault("/enhancement/before", _AFTER_THE_YES)
        if tool.response.select is not None:
            yield from _select_faults(tool.response.select)


def _select_faults(expression: str) -> Iterator[Fault]:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        place = getattr(error, "lex_position", None)
        where = f", at character {place + 1}" if isinstance(place, int) else ""
        yield Fault("/response/select", f"This is no valid JMESPath expression{where}.")
    except RecursionError:
        yield Fault("/response/select", "This JMESPath expression is nested too deeply.")
