"""Routes of runs: what they did, ending them, and messages without a WebSocket."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from agent_builder.bootstrap import api_services
from agent_builder.errors import Fault, IdempotencyMismatch, NotFound, Unprocessable
from agent_builder.ids import is_id, new_id
from agent_builder.messages import CallOutcome, Cost, Json, Usage
from agent_builder.models.agents import Strict
from agent_builder.models.conversations import StepStatus
from agent_builder.models.identity import Identity
from agent_builder.models.traces import Progress, RunFilter
from agent_builder.observability import log_fields, logger
from agent_builder.services.intake import Accepted, Intake, UserMessage
from functions.api.agents import AGENTS, AgentId, Cursor, IdempotencyKey, Limit
from functions.api.conversations import CONVERSATIONS, ConversationId
from functions.api.paging import page, read_cursor, reply
from functions.api.runs import RUNS, ApprovalOut, RunId
from functions.api.schemas import READ, WRITE, Out, RunErrorOut, Timestamp, answers, page_of

router = APIGatewayHttpRouter()
Status = Annotated[Progress | None, Query(description="Only runs in this state")]
ErrorCode = Annotated[
    str | None, Query(min_length=1, max_length=100, description="Only runs that failed with this code")
]


def _moment(text: object) -> object:
    """Only what RFC 3339 allows: a number would be read as seconds."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", str(text), re.ASCII):
        raise ValueError("Write a time as 2026-11-23T00:00:00Z; in an address a + is written %2B.")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
From = Annotated[Moment | None, Query(alias="from", description="Accepted at this time or later (RFC 3339)")]
To = Annotated[Moment | None, Query(alias="to", description="Accepted before this time (RFC 3339)")]


class PriceOut(Out):
    """Whose price a step was given, and when: `tenant`, `nobody` where nobody bills, or a list with its version."""

    source: str
    at: Timestamp
    model: str
    since: Timestamp | None = None


class TraceStepOut(Out):
    """One model call or one tool call. What belongs to the other kind is left out."""

    id: str
    number: int
    kind: Literal["model", "tool"]
    parent: int | None
    status: StepStatus
    started_at: Timestamp
    duration_ms: int | None
    error_code: str | None
    usage: Usage | None
    cost: Cost | None
    price: PriceOut | None
    retries: int
    provider: str | None = None
    model: str | None = None
    answered_by: str | None = None
    first_token_ms: int | None = None
    stop_reason: str | None = None
    text: str | None = None
    tool_name: str | None = None
    tool_use_id: str | None = None
    effect: Literal["read", "write"] | None = None
    purpose: Literal["before", "call", "after"] | None = None
    agent_id: str | None = None
    agent_version: int | None = None
    input: Json | None = None
    result: Json | None = None
    error: str | None = None
    outcome: CallOutcome | None = None
    whole: str | None = Field(description="Where all of it is, if something was cut")
    steps: list[TraceStepOut]


class RunOut(Out):
    """One user message to its final answer, without its steps."""

    id: str
    agent_id: str
    conversation_id: str
    message_id: str
    version: int
    status: Progress
    created_by: str
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    duration_ms: int | None
    first_token_ms: int | None
    stop_reason: str | None
    usage: Usage | None
    cost: Cost | None
    error: RunErrorOut | None


class TraceOut(RunOut):
    """A run with its steps, and the calls that people were asked to approve."""

    steps: list[TraceStepOut]
    approvals: list[ApprovalOut]


class MessageIn(Strict):
    """What a user says; without a conversation a new one begins."""

    content: Annotated[str, StringConstraints(min_length=1, max_length=32_768)]
    conversation_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    client_message_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None


class AcceptedOut(Out):
    """A message that will be answered."""

    run_id: str
    conversation_id: str
    message_id: str
    queued: bool


class CancellingOut(Out):
    """A run that is to end."""

    run_id: str
    conversation_id: str


RunPage = page_of(RunOut)


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


def _filter(status: Progress | None, error: str | None, since: datetime | None, until: datetime | None) -> RunFilter:
    if since is not None and until is not None and since > until:
        fault = Fault("query/from", "`from` is after `to`; swap them.")
        raise Unprocessable("The request is not valid; `errors` says where.", faults=(fault,))
    return RunFilter(status, error, _milliseconds(since), _milliseconds(until))


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def _run_id(key: str) -> bool:
    return is_id("run", key)


@router.get(
    f"{AGENTS}/<agent_id>/runs", summary="List an agent's runs", tags=["Runs"], responses=answers(200, RunPage, READ)
)
def list_agent_runs(
    agent_id: AgentId,
    limit: Limit = 20,
    cursor: Cursor = None,
    status: Status = None,
    error_code: ErrorCode = None,
    since: From = None,
    until: To = None,
) -> Response[Any]:
    """Runs, newest first. With a filter a page may have fewer than `limit`, even none: go on with `next_cursor`."""
    wanted, after = _filter(status, error_code, since, until), read_cursor(cursor, _run_id)
    return page(*api_services().traces.of_agent(_caller(), agent_id, wanted, limit=limit, after=after))


@router.get(
    f"{CONVERSATIONS}/<conversation_id>/runs",
    summary="List a conversation's runs",
    tags=["Runs"],
    responses=answers(200, RunPage, READ),
)
def list_conversation_runs(
    conversation_id: ConversationId,
    limit: Limit = 20,
    cursor: Cursor = None,
    status: Status = None,
    error_code: ErrorCode = None,
    since: From = None,
    until: To = None,
) -> Response[Any]:
    """Runs, newest first. With a filter a page may have fewer than `limit`, even none: go on with `next_cursor`."""
    wanted, after = _filter(status, error_code, since, until), read_cursor(cursor, _run_id)
    return page(*api_services().traces.of_conversation(_caller(), conversation_id, wanted, limit=limit, after=after))


@router.get(f"{RUNS}/<run_id>", summary="Get a run", tags=["Runs"], responses=answers(200, TraceOut, READ))
def get_run(run_id: RunId) -> Response[Any]:
    """A run with its steps, each with the steps inside of it. Long texts are cut; `whole` says where all of it is."""
    return reply(200, api_services().traces.get(_caller(), run_id))


@router.post(
    f"{RUNS}/<run_id>/cancel",
    summary="Cancel a run",
    tags=["Runs"],
    responses=answers(202, CancellingOut, (*READ, 409)),
)
def cancel_run(run_id: RunId) -> Response[Any]:
    """Have a run end, whether it goes on or waits. It has ended when its status says so, within two seconds or so."""
    return reply(202, api_services().traces.cancel(_caller(), run_id))


@router.post(
    f"{AGENTS}/<agent_id>/messages",
    summary="Say something to an agent",
    tags=["Runs"],
    responses=answers(202, AcceptedOut, (*WRITE, 409)),
)
def post_message(
    agent_id: AgentId, body: Annotated[MessageIn, Body()], idempotency_key: IdempotencyKey = None
) -> Response[Any]:
    """Have an agent answer. Look for the answer at `GET /runs/{run_id}`, then in the conversation's messages."""
    services, identity = api_services(), _caller()
    if not body.content.strip():
        raise Unprocessable("The message is empty; write something.")
    if idempotency_key and body.client_message_id:
        raise Unprocessable("Send an Idempotency-Key or a client_message_id; they are the same.")
    own = f"key {idempotency_key}" if idempotency_key else body.client_message_id
    place = new_id("msg")
    said = UserMessage(body.content, body.conversation_id, own, None, place)
    with services.limits.message(identity, agent_id, place):
        accepted = _accept(services.intake, identity, agent_id, said)
    if accepted.repeated:
        services.limits.end_runs(identity.tenant, [place])
        if body.conversation_id not in (None, accepted.conversation_id):
            raise IdempotencyMismatch("This was said in another conversation before; use a new key.")
    else:
        services.intake.ring(identity, accepted.conversation_id)
    log_fields(conversation_id=accepted.conversation_id, run_id=accepted.run_id)
    logger.info("a message was accepted", extra={"queued": accepted.queued, "repeated": accepted.repeated})
    shown = {"run_id": accepted.run_id, "conversation_id": accepted.conversation_id}
    told = {**shown, "message_id": accepted.message_id, "queued": accepted.queued}
    return reply(202, told, headers={"Location": f"{RUNS}/{accepted.run_id}"})


def _accept(intake: Intake, identity: Identity, agent_id: str, said: UserMessage) -> Accepted:
    try:
        return intake.accept(identity, agent_id, said)
    except NotFound as error:
        if error.error_code == "agent_not_found":  # named by the path, as with every route
            raise NotFound(error.detail) from None
        raise
