"""Connecting a credential by OAuth: the start, for people who are signed in, and the page to which they come back."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.models.agents import Strict
from agent_builder.models.identity import Identity
from functions.api.credential_schemas import ClientOut, ConsentOut
from functions.api.credentials import CREDENTIALS, CredentialId
from functions.api.paging import reply
from functions.api.schemas import BODY, COMMON, answers

router = APIGatewayHttpRouter()
CALLBACK = "/api/v1/oauth/callback"

# What a person can do about it; other words are shown as they are, since they are ours or RFC 6749's.
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "connected": "Connected",
        "not_connected": "Not connected",
        "close": "You can close this window.",
        "refused": "The authorization server did not accept it ({failure}).",
        "access_denied": "Access was not granted. Start again if that was a mistake.",
        "consent_expired": "This way back is unknown, was used already, or is older than ten minutes. Start again.",
        "credential_changed": "The credential was changed or deleted meanwhile. Start again.",
        "runner_unavailable": "The service could not finish this now. Start again in a moment.",
    },
    "de": {
        "connected": "Verbunden",
        "not_connected": "Nicht verbunden",
        "close": "Dieses Fenster kann geschlossen werden.",
        "refused": "Der Autorisierungsserver hat es nicht angenommen ({failure}).",
        "access_denied": "Der Zugriff wurde nicht erlaubt. War das ein Versehen, bitte noch einmal beginnen.",
        "consent_expired": "Dieser Rückweg ist unbekannt, schon benutzt oder älter als zehn Minuten. Bitte noch einmal "
        "beginnen.",
        "credential_changed": "Die Zugangsdaten wurden inzwischen geändert oder gelöscht. Bitte noch einmal beginnen.",
        "runner_unavailable": "Das konnte gerade nicht beendet werden. Bitte gleich noch einmal beginnen.",
    },
}
_STYLE = """
:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;
color:light-dark(#1c1b1a,#ececee);background:light-dark(#fafaf9,#121316)}
main{box-sizing:border-box;width:min(28rem,100% - 2rem);padding:2rem;border:1px solid light-dark(#e4e3e0,#2b2d33);
border-radius:1rem;background:light-dark(#fff,#1b1c21);text-align:center}
span{display:inline-grid;place-items:center;width:3rem;height:3rem;border-radius:50%;font-size:1.5rem;line-height:1}
.good{color:light-dark(#0b6b4f,#5fd3ac);background:light-dark(#e0f3ec,#12312a)}
.bad{color:light-dark(#b3261e,#ff9b93);background:light-dark(#fbe8e7,#3a1d1d)}
h1{margin:1rem 0 .25rem;font-size:1.25rem}
p{margin:0;color:light-dark(#57554f,#b4b5bb)}
"""
_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>{style}</style></head>
<body><main><span class="{mood}" aria-hidden="true">{sign}</span><h1>{title}</h1><p>{text}</p></main></body>
</html>
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"


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


@router.get(
    "/api/v1/oauth/client",
    summary="What authorization servers must know of this platform",
    tags=["Credentials"],
    responses=answers(200, ClientOut, COMMON),
)
def show_client() -> Response[Any]:
    """`redirect_uri` is what to register where a client id is made: before there is a credential."""
    return reply(200, {"redirect_uri": _callback_address()})


@router.get(CALLBACK, include_in_schema=False, enable_validation=False)
def finish_consent() -> Response[Any]:
    """The page to which an authorization server sends people back."""
    given = router.current_event.query_string_parameters
    state, code, error = (str(given.get(name) or "") for name in ("state", "code", "error"))
    failure = api_services().consents.finish(state, code=code, error=error)
    language = _language()
    words = _WORDS[language]
    if not failure:
        return _page(200, language, words["connected"], words["close"])
    text = words.get(failure) or words["refused"].format(failure=failure)
    return _page(400, language, words["not_connected"], text)


def _language() -> str:
    """The first language of the browser that there are words in."""
    wanted = router.current_event.headers.get("accept-language") or ""
    tags = [part.partition(";")[0].strip().lower().partition("-")[0] for part in wanted.split(",")]
    return next((tag for tag in tags if tag in _WORDS), "en")


def _callback_address() -> str:
    """This API as the caller reached it."""
    event = router.current_event
    scheme = event.headers.get("x-forwarded-proto", "https")
    return f"{scheme}://{event.request_context.domain_name}{CALLBACK}"


def _page(status: int, language: str, title: str, text: str) -> Response[Any]:
    good = status == 200
    body = _PAGE.format(
        language=language,
        style=_STYLE,
        mood="good" if good else "bad",
        sign="✓" if good else "!",
        title=html.escape(title),
        text=html.escape(text),
    )
    headers: dict[str, Any] = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY}
    return Response(status, content_type="text/html; charset=utf-8", body=body, headers=headers)
