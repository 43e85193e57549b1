"""Connecting a credential by OAuth: the start, for people who are signed in, and the page to which they come back."""

from __future__ import annotations

import html
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.models.agents import Strict
from agent_builder.models.identity import Identity
from functions.api.credential_schemas import ConsentOut
from functions.api.credentials import CREDENTIALS, CredentialId
from functions.api.paging import reply
from functions.api.schemas import BODY, answers

router = APIGatewayHttpRouter()
CALLBACK = "/api/v1/oauth/callback"

# What a person can do about it; other words are shown as they are, since they are ours or RFC 6749's.
_FAILURES = {
    "access_denied": "Access was not granted. Start again if that was a mistake.",
    "consent_expired": "This way back is unknown, was used already, or is older than ten minutes. Start again.",
    "credential_changed": "The credential was changed or deleted meanwhile. Start again.",
    "runner_unavailable": "The service could not finish this now. Start again in a moment.",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body>
</html>
"""


class ConsentStart(Strict):
    """Nothing has to be said."""


@router.post(
    f"{CREDENTIALS}/<credential_id>/oauth/start",
    summary="Connect a credential",
    tags=["Credentials"],
    responses=answers(200, ConsentOut, (*BODY, 404, 409)),
)
def start_consent(credential_id: CredentialId, body: Annotated[ConsentStart, Body()]) -> Response[Any]:
    """Where a person gives consent, within ten minutes. `redirect_uri` must be known to the authorization server."""
    identity: Identity = router.context["identity"]
    services = api_services()
    credential = services.credentials.get(identity, credential_id)
    return reply(200, services.consents.start(identity, credential, redirect_uri=_callback_address()))


@router.get(CALLBACK, include_in_schema=False, enable_validation=False)
def finish_consent() -> Response[Any]:
    """The page to which an authorization server sends people back."""
    given = router.current_event.query_string_parameters
    state, code, error = (str(given.get(name) or "") for name in ("state", "code", "error"))
    failure = api_services().consents.finish(state, code=code, error=error)
    if not failure:
        return _page(200, "Connected", "You can close this window.")
    text = _FAILURES.get(failure, f"The authorization server did not accept it ({failure}).")
    return _page(400, "Not connected", text)


def _callback_address() -> str:
    """This API as the caller reached it."""
    event = router.current_event
    scheme = event.headers.get("x-forwarded-proto", "https")
    return f"{scheme}://{event.request_context.domain_name}{CALLBACK}"


def _page(status: int, title: str, text: str) -> Response[Any]:
    body = _PAGE.format(title=html.escape(title), text=html.escape(text))
    headers: dict[str, Any] = {"Cache-Control": "no-store"}
    return Response(status, content_type="text/html; charset=utf-8", body=body, headers=headers)
