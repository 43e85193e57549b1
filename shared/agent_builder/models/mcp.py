"""What a person chooses of an MCP server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from agent_builder.messages import Effect
from agent_builder.models.agents import Strict
from agent_builder.models.forms import TOOL_NAME


class McpChoice(Strict):
    """One tool of a server, as it was shown."""

    remote_name: str = Field(min_length=1, max_length=200, description="As the server calls it.")
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Of the list: what was looked at is what is chosen."
    )
    name: Annotated[str, StringConstraints(pattern=TOOL_NAME)] | None = Field(
        None, description="What the model calls it; made of the server's name where it is left out."
    )
    effect: Effect | None = Field(None, description="`write` where it is left out; the list only suggests.")
    requires_approval: bool | None = None


class McpChoices(Strict):
    """What is chosen of a server. What was chosen before and is not named stays as it is."""

    tools: list[McpChoice] = Field(min_length=1, max_length=128)
