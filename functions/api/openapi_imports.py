"""Routes of imports: a description becomes a preview, and what is chosen of it becomes tools."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.models.identity import Identity
from agent_builder.models.openapi_imports import ImportApply, ImportCreate
from agent_builder.services.import_views import import_view
from functions.api.agents import Cursor, IdempotencyKey, Limit
from functions.api.import_schemas import ImportDetailOut, ImportOut
from functions.api.paging import read_cursor, reply, write_cursor
from functions.api.schemas import BODY, READ, answers

router = APIGatewayHttpRouter()
IMPORTS = "/api/v1/openapi-imports"
ImportId = Annotated[str, Path(description="Id of an import, imp_…")]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(
    IMPORTS, summary="Import a description", tags=["Tools"], responses=answers(202, ImportOut, (*BODY, 404, 409))
)
def create_import(body: Annotated[ImportCreate, Body()], idempotency_key: IdempotencyKey = None) -> Response[Any]:
    """Begin to read an OpenAPI description. Nothing becomes a tool before somebody has chosen it."""
    view = api_services().openapi_imports.create(_caller(), body, idempotency_key=idempotency_key)
    return reply(202, view, headers={"Location": f"{IMPORTS}/{view['id']}"})


@router.get(
    f"{IMPORTS}/<import_id>", summary="Get an import", tags=["Tools"], responses=answers(200, ImportDetailOut, READ)
)
def get_import(import_id: ImportId, limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """How far it is, and once it is `ready` its operations, page by page in the description's order."""
    first = read_cursor(cursor, lambda key: key.isascii() and key.isdecimal() and len(key) <= 6)
    service, caller = api_services().openapi_imports, _caller()
    found = service.get(caller, import_id)
    operations, following = service.page(caller, found, limit=limit, first=int(first or 0))
    next_cursor = None if following is None else write_cursor(str(following))
    return reply(200, {**import_view(found), "operations": operations, "next_cursor": next_cursor})


@router.post(
    f"{IMPORTS}/<import_id>/apply",
    summary="Make tools of an import",
    tags=["Tools"],
    responses=answers(200, ImportOut, (*BODY, 404, 409)),
)
def apply_import(
    import_id: ImportId, body: Annotated[ImportApply, Body()], idempotency_key: IdempotencyKey = None
) -> Response[Any]:
    """Make tools of the operations that are chosen, in one new version of the agent; what is so already stays."""
    applied = api_services().openapi_imports.apply(_caller(), import_id, body, idempotency_key=idempotency_key)
    return reply(200, import_view(applied))
