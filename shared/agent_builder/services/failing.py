"""How runs end that cannot go on: what their users are told, and what of them is kept."""

from __future__ import annotations

import logging
from dataclasses import replace

from agent_builder.errors import AgentBuilderError, ProviderError
from agent_builder.messages import Json, Message, TextPart, ToolResultPart
from agent_builder.models.conversations import Outcome, Step

logger = logging.getLogger(__name__)

_KEPT_CHARACTERS = 20_000
_KEPT_WORD = 200
_NOT_STORED = "What this call answered could not be stored."


def failure_of(error: Exception) -> AgentBuilderError:
    """What a run's user is told of what ended it; what is our fault is logged."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, AgentBuilderError):
        logger.warning("a run failed", extra={"error": error.error_code})
        return ProviderError("unavailable", error.detail)
    logger.error("a run failed unexpectedly", exc_info=error)
    return ProviderError("unavailable", "The run failed because of a fault on our side; try again.")


def unstorable(outcome: Outcome) -> Outcome:
    """The end of a run whose answer the store refuses: the beginning of its text, and why there is no more."""
    kept = Message(role="assistant", parts=(TextPart(text=outcome.message.text[:_KEPT_CHARACTERS]),))
    detail = "The answer could not be stored whole; its beginning was kept."
    return replace(outcome, status="failed", message=kept, error_code="answer_not_stored", error=detail)


def bare(step: Step) -> Step:
    """A step that the store refuses, with what counts: names, times, usage and cost, without what was said and done."""
    words = {name: value[:_KEPT_WORD] for name, value in step.detail.items() if isinstance(value, str)}
    numbers = {name: value for name, value in step.detail.items() if isinstance(value, int)}
    kept: Json = {**words, **numbers}
    if step.kind == "model":
        kept["parts"] = []
    elif result := step.detail.get("result"):
        told = ToolResultPart(tool_use_id=kept["tool_use_id"], name=kept["tool"], result={}, error=_NOT_STORED)
        about = {"duration_ms": result.get("duration_ms"), "outcome": result.get("outcome", "failed")}
        told = told.model_copy(update=about)
        kept["result"] = told.model_dump(mode="json", exclude_none=True)
    return replace(step, detail=kept)
