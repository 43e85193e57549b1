"""Routes of budgets."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.models.budgets import AgentBudgets, Budgets
from agent_builder.models.identity import Identity
from functions.api.agents import AgentId
from functions.api.paging import reply
from functions.api.schemas import BODY, COMMON, READ, Out, Timestamp, answers

router = APIGatewayHttpRouter()
BUDGETS = "/api/v1/budgets"
AGENT_BUDGET = "/api/v1/agents/<agent_id>/budget"


class AmountsOut(Out):
    """Nano-dollars, and input and output tokens."""

    amount_nanousd: int
    tokens: int


class BudgetStateOut(Out):
    """How far a budget is used in its period; `held` is what calls that go on may still use."""

    period: str
    used: AmountsOut
    held: AmountsOut
    warned_at: Timestamp | None
    free_at: Timestamp


class TenantStateOut(Out):
    """Of this month; null where it has no budget."""

    tenant_month: BudgetStateOut | None


class AgentStateOut(Out):
    """Of today; null where it has no budget."""

    agent_day: BudgetStateOut | None


class BudgetsOut(Budgets):
    """The tenant's budgets."""

    state: TenantStateOut
    updated_at: Timestamp | None


class AgentBudgetsOut(AgentBudgets):
    """An agent's own budgets; `in_force` is what applies, with what the tenant says for all of its agents."""

    in_force: AgentBudgets
    state: AgentStateOut
    updated_at: Timestamp | None


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.get(BUDGETS, summary="Read the budgets", tags=["Usage"], responses=answers(200, BudgetsOut, COMMON))
def get_budgets() -> Response[Any]:
    """What the tenant's runs may use, and how far this month's budget is used."""
    return reply(200, api_services().budgets.of_tenant(_caller()))


@router.put(BUDGETS, summary="Set the budgets", tags=["Usage"], responses=answers(200, BudgetsOut, BODY))
def put_budgets(body: Annotated[Budgets, Body()]) -> Response[Any]:
    """Put other budgets in force, for runs that begin from ten seconds later on. What is left out has no limit."""
    return reply(200, api_services().budgets.set_tenant(_caller(), body))


@router.get(
    AGENT_BUDGET, summary="Read an agent's budget", tags=["Usage"], responses=answers(200, AgentBudgetsOut, READ)
)
def get_agent_budget(agent_id: AgentId) -> Response[Any]:
    """What one agent's runs may use, and how far today's budget is used."""
    return reply(200, api_services().budgets.of_agent(_caller(), agent_id))


@router.put(
    AGENT_BUDGET,
    summary="Set an agent's budget",
    tags=["Usage"],
    responses=answers(200, AgentBudgetsOut, (*BODY, 404)),
)
def put_agent_budget(agent_id: AgentId, body: Annotated[AgentBudgets, Body()]) -> Response[Any]:
    """Put other budgets in force for one agent, in place of the tenant's. It makes no new version."""
    return reply(200, api_services().budgets.set_agent(_caller(), agent_id, body))
