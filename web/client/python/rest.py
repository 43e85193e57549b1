"""The two things that a client needs from REST: tickets, and stored messages."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from web.client.python.blocks import Json
from web.client.python.errors import TicketFailed

_SECONDS = 30.0


def ticket_source(base_url: str, agent_id: str, headers: Mapping[str, str]) -> Callable[[], Awaitable[str | None]]:
    """What fetches a ticket for an agent, with the caller's headers (such as `Authorization`)."""

    def fetch() -> str:
        body = json.dumps({"agent_id": agent_id}).encode()
        try:
            return str(_request(f"{base_url}/api/v1/playground/tickets", headers, body)["ticket"])
        except urllib.error.HTTPError as error:
            error.close()
            final = 400 <= error.code < 500 and error.code not in (408, 429)
            code = {401: "unauthenticated", 403: "forbidden", 404: "agent_not_found"}.get(error.code)
            detail = f"The ticket was refused with status {error.code}."
            raise TicketFailed(detail, code=code, retryable=not final, final=final) from error
        except (OSError, ValueError, KeyError) as error:
            raise TicketFailed(f"The ticket could not be had: {error}", retryable=True) from error

    async def ticket() -> str | None:
        return await asyncio.to_thread(fetch)

    return ticket


def message_source(base_url: str, headers: Mapping[str, str] | None = None) -> Callable[[str], Awaitable[list[Json]]]:
    """What fetches the newest 100 messages of a conversation."""

    def fetch(conversation_id: str) -> list[Json]:
        path = f"/api/v1/conversations/{quote(conversation_id, safe='')}/messages?limit=100"
        try:
            items: list[Json] = _request(base_url + path, headers or {})["items"]
        except urllib.error.HTTPError as error:
            error.close()
            raise
        return items

    async def messages(conversation_id: str) -> list[Json]:
        return await asyncio.to_thread(fetch, conversation_id)

    return messages


def _request(url: str, headers: Mapping[str, str], body: bytes | None = None) -> Json:
    sent = {**headers, **({"Content-Type": "application/json"} if body else {})}
    request = urllib.request.Request(url, body, sent)  # noqa: S310 - the address is the user's own
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
        found: Json = json.load(answer)
    return found
