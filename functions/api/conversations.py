"""Routes of conversations."""

from __future__ import annotations

import re
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.identity import Identity
from agent_builder.models.views import conversation_view, message_view
from functions.api.agents import AGENTS, AgentId, Cursor, IfMatch, Limit
from functions.api.paging import page, read_cursor, reply, revision_of
from functions.api.schemas import (
    READ,
    WRITE,
    ConversationOut,
    ConversationPage,
    ConversationPatch,
    MessagePage,
    answers,
)

router = APIGatewayHttpRouter()
CONVERSATIONS = "/api/v1/conversations"
ConversationId = Annotated[str, Path(description="Id of a conversation, cnv_…")]
_MESSAGE_KEY = re.compile(r"M#run_[0-9A-Z]{26}#[01]")


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.get(
    f"{AGENTS}/<agent_id>/conversations",
    summary="List an agent's conversations",
    tags=["Conversations"],
    responses=answers(200, ConversationPage, READ),
)
def list_conversations(agent_id: AgentId, limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Conversations, newest first."""
    after = read_cursor(cursor, lambda key: is_id("cnv", key))
    found, following = api_services().conversations.page(_caller(), agent_id, limit=limit, after=after)
    return page([conversation_view(conversation) for conversation in found], following)


@router.get(
    f"{CONVERSATIONS}/<conversation_id>",
    summary="Get a conversation",
    tags=["Conversations"],
    responses=answers(200, ConversationOut, READ, etag=True),
)
def get_conversation(conversation_id: ConversationId) -> Response[Any]:
    """One conversation."""
    conversation = api_services().conversations.get(_caller(), conversation_id)
    return reply(200, conversation_view(conversation), revision=conversation.revision)


@router.get(
    f"{CONVERSATIONS}/<conversation_id>/messages",
    summary="List a conversation's messages",
    tags=["Conversations"],
    responses=answers(200, MessagePage, READ),
)
def list_messages(conversation_id: ConversationId, limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Messages with their parts, newest first."""
    after = read_cursor(cursor, lambda key: _MESSAGE_KEY.fullmatch(key) is not None)
    found, following = api_services().conversations.messages(_caller(), conversation_id, limit=limit, after=after)
    return page([message_view(message) for message in found], following)


@router.patch(
    f"{CONVERSATIONS}/<conversation_id>",
    summary="Rename a conversation",
    tags=["Conversations"],
    responses=answers(200, ConversationOut, WRITE, etag=True),
)
def rename_conversation(
    conversation_id: ConversationId, body: Annotated[ConversationPatch, Body()], if_match: IfMatch = None
) -> Response[Any]:
    """Change the title."""
    expected = revision_of(if_match)
    conversation = api_services().conversations.rename(
        _caller(), conversation_id, body.title, expected_revision=expected
    )
    return reply(200, conversation_view(conversation), revision=conversation.revision)


@router.delete(
    f"{CONVERSATIONS}/<conversation_id>",
    summary="Delete a conversation",
    tags=["Conversations"],
    responses=answers(204, None, (*READ, 412)),
)
def delete_conversation(conversation_id: ConversationId, if_match: IfMatch = None) -> Response[Any]:
    """Gone for every reader at once; its messages are purged by a job."""
    api_services().conversations.delete(_caller(), conversation_id, expected_revision=revision_of(if_match))
    return reply(204)
