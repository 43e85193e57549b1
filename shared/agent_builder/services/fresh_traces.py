"""The trace of a run as whoever ended it knows it: to send it, nothing has to be read again."""

from __future__ import annotations

from collections.abc import Sequence

from agent_builder.messages import TextPart
from agent_builder.models.agents import AgentVersion
from agent_builder.models.conversations import StoredMessage
from agent_builder.models.traces import RunHead
from agent_builder.models.tracing import FreshTrace, RunTrace, Target
from agent_builder.services.ledger import Ended


def fresh_trace(
    tenant: str,
    conversation_id: str,
    ended: Ended,
    targets: tuple[Target, ...],
    version: AgentVersion | None,
    history: Sequence[StoredMessage],
) -> FreshTrace:
    """What is to be sent of a run that ended; without the trace itself where not all of it is known here."""
    run, outcome = ended.run, ended.outcome
    asked = [message for message in history if message.id == run.user_message_id]
    if version is None or not asked:
        return FreshTrace(run.run_id, targets)
    head = RunHead(
        id=run.run_id,
        agent_id=run.agent_id,
        conversation_id=conversation_id,
        version=run.version,
        message_id=run.message_id,
        status=outcome.status,
        created_by=run.subject,
        created_at=run.accepted_at,
        finished_at=ended.now,
        stop_reason=outcome.stop_reason or None,
        timing=ended.timing,
        usage=outcome.usage,
        cost=outcome.cost,
        error_code=outcome.error_code or None,
        error=outcome.error if outcome.error_code else None,
    )
    question = "".join(part.text for part in asked[0].message.parts if isinstance(part, TextPart))
    steps = sorted(ended.steps, key=lambda step: step.number)
    trace = RunTrace(tenant, head, steps, version.name, version.llm_config, question)
    return FreshTrace(run.run_id, targets, trace)
