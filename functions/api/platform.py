"""Routes of the platform itself: health, models."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder import __version__
from agent_builder.bootstrap import api_services
from functions.api.paging import reply
from functions.api.schemas import COMMON, HealthOut, ModelsOut, answers

router = APIGatewayHttpRouter()


@router.get("/api/v1/health", summary="Health", tags=["Platform"], responses=answers(200, HealthOut, (405,)))
def health() -> Response[Any]:
    """Answers without touching anything else."""
    return reply(200, {"status": "ok", "version": __version__})


@router.get("/api/v1/models", summary="List models", tags=["Platform"], responses=answers(200, ModelsOut, COMMON))
def models() -> Response[Any]:
    """Providers, the models that are known with prices and capabilities, and whether a key is configured.

    The catalogue informs and never forbids: an agent may name any model.
    """
    return reply(200, api_services().models.models())
