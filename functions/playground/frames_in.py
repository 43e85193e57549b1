"""Frames that clients send, checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from agent_builder.errors import MalformedRequest, Unprocessable
from agent_builder.jsontext import decode_object
from agent_builder.models.approvals import REASON_LENGTH
from agent_builder.models.faults import faults_of
from agent_builder.models.identity import Permission
from agent_builder.realtime.frames import FRAME_LIMIT

CLIENT_MESSAGE_ID_LENGTH = 128
ClientMessageId = Annotated[str, StringConstraints(min_length=1, max_length=CLIENT_MESSAGE_ID_LENGTH)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class UserMessageFrame(_Frame):
    """Say something; without a conversation a new one begins."""

    type: Literal["user_message"]
    content: Annotated[str, StringConstraints(min_length=1)]
    conversation_id: Id | None = None
    client_message_id: ClientMessageId | None = None


class ResumeFrame(_Frame):
    """Watch a conversation, from a snapshot on."""

    type: Literal["resume"]
    conversation_id: Id


class CancelFrame(_Frame):
    """End a run; without `run_id` the running one and all that wait."""

    type: Literal["cancel"]
    conversation_id: Id
    run_id: Id | None = None


class ApprovalFrame(_Frame):
    """Decide on a tool call that waits for a person."""

    type: Literal["approval"]
    run_id: Id
    tool_use_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    decision: Literal["approve", "deny"]
    input: dict[str, Any] | None = None
    reason: Annotated[str, StringConstraints(max_length=REASON_LENGTH)] | None = None


class PingFrame(_Frame):
    """Keep the connection open."""

    type: Literal["ping"]


ClientFrame = UserMessageFrame | ResumeFrame | CancelFrame | ApprovalFrame | PingFrame
FRAMES: dict[str, type[ClientFrame]] = {
    "user_message": UserMessageFrame,
    "resume": ResumeFrame,
    "cancel": CancelFrame,
    "approval": ApprovalFrame,
    "ping": PingFrame,
}
PERMISSIONS: dict[str, Permission] = {
    "user_message": "run",
    "resume": "read",
    "cancel": "run",
    "approval": "run",
    "ping": "read",
}
CLIENT_FRAMES: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])


def read_frame(body: str | None, *, binary: bool) -> ClientFrame:
    """Decode and check one frame.

    Raises:
        MalformedRequest, PayloadTooLarge, Unprocessable: What is wrong and what would be right. The last carries the
            client's own id of the frame, where it has a usable one.
    """
    if binary:
        raise MalformedRequest("Binary frames are not understood; send JSON text.")
    value = decode_object(body or "", limit=FRAME_LIMIT)
    try:
        return _checked(value)
    except Unprocessable as error:
        own = value.get("client_message_id")
        if isinstance(own, str) and 0 < len(own) <= CLIENT_MESSAGE_ID_LENGTH:
            error.client_message_id = own
        raise


def _checked(value: dict[str, Any]) -> ClientFrame:
    name = value.get("type")
    kind = FRAMES.get(name) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(FRAMES)
        raise Unprocessable(f"The frame's `type` must be one of: {known}.", code="unknown_type")
    try:
        frame = kind.model_validate(value)
    except ValidationError as error:
        faults = faults_of(error.errors())
        told = "; ".join(f"{fault.pointer.removeprefix('/') or name}: {fault.message}" for fault in faults)
        raise Unprocessable(f"The {name} frame is not valid. {told}", faults=faults) from None
    if isinstance(frame, UserMessageFrame) and not frame.content.strip():
        raise Unprocessable("The message is empty; write something.")
    return frame
