"""Routes of usage and of the prices by which it is counted."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BeforeValidator, Field

from agent_builder.bootstrap import api_services
from agent_builder.messages import Cost, Usage
from agent_builder.models.identity import Identity
from agent_builder.models.prices import TenantPrices
from agent_builder.services.usage import GroupBy
from functions.api.paging import reply
from functions.api.schemas import BODY, COMMON, Out, Timestamp, answers

router = APIGatewayHttpRouter()


def _day(text: object) -> object:
    """Only what stands in a calendar: a number would be read as seconds."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(text), re.ASCII):
        raise ValueError("Write a day as 2026-11-23.")
    return text


Day = Annotated[date, BeforeValidator(_day)]
From = Annotated[Day | None, Query(alias="from", description="First day (UTC); without it, 30 days in all")]
To = Annotated[Day | None, Query(alias="to", description="Last day (UTC), today without it; at most 92 days in all")]
AgentFilter = Annotated[str | None, Query(max_length=64, description="Only this agent, deleted or not")]
PerDay = Annotated[bool, Query(description="An item for each day on which it was used")]
Groups = Annotated[GroupBy, Query(description="What an item stands for")]


class PercentilesOut(Out):
    """Milliseconds; at most 5 % off."""

    p50: int
    p90: int
    p99: int


class UsageOut(Out):
    """What runs, or calls, used together. What a group has no such number of is left out."""

    day: date | None = None
    agent_id: str | None = None
    provider: str | None = None
    model: str | None = None
    tool_name: str | None = None
    runs: int
    tests: int | None = None
    completed: int | None = None
    errors: int
    cancelled: int | None = None
    calls: int
    unknown: int | None = None
    success_rate: float | None = None
    tool_calls: int | None = None
    tool_errors: int | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    duration_ms: PercentilesOut | None
    first_token_ms: PercentilesOut | None = None


class UsageReportOut(Out):
    """Usage of ended runs by the day of their acceptance."""

    from_: date = Field(alias="from")
    to: date
    agent_id: str | None
    group_by: GroupBy
    total: UsageOut
    items: list[UsageOut]


class PricesOut(TenantPrices):
    """The tenant's own prices, and when they were set."""

    updated_at: Timestamp | None


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.get(
    "/api/v1/usage", summary="Read usage", tags=["Usage"], responses=answers(200, UsageReportOut, (*COMMON, 422))
)
def get_usage(
    since: From = None,
    until: To = None,
    agent_id: AgentFilter = None,
    group_by: Groups = "day",
    per_day: PerDay = False,
) -> Response[Any]:
    """Runs, tokens, money and times of the tenant or of one agent; a minute late at most."""
    report = api_services().usage.report
    asked = {"since": since, "until": until, "agent_id": agent_id}
    return reply(200, report(_caller(), **asked, group_by=group_by, per_day=per_day))


@router.get("/api/v1/prices", summary="Read the prices", tags=["Usage"], responses=answers(200, PricesOut, COMMON))
def get_prices() -> Response[Any]:
    """The tenant's own prices. What they do not name costs what the price list says."""
    return reply(200, api_services().prices.of(_caller()))


@router.put("/api/v1/prices", summary="Set the prices", tags=["Usage"], responses=answers(200, PricesOut, BODY))
def put_prices(body: Annotated[TenantPrices, Body()]) -> Response[Any]:
    """Put other prices in force, within a minute, for calls from then on; what was counted stays."""
    return reply(200, api_services().prices.replace(_caller(), body))
