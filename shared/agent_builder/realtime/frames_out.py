"""Frames that clients are sent: the only description of them, from which the schema and the clients' types are made.

Senders build plain dictionaries, which the type checker holds against these types. Nothing imports them at run time: to
make the types alone takes milliseconds of a cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NotRequired, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict  # with Python 3.11 pydantic reads no other

from agent_builder.messages import CallOutcome, Cost, Json, Usage
from agent_builder.models.message_out import PartOut

if TYPE_CHECKING:
    Tokens: TypeAlias = Json
    Money: TypeAlias = Json
else:  # what the dictionaries hold
    Tokens, Money = Usage, Cost

Offset = Annotated[int, Field(ge=0, description="A place in the text, in UTF-16 code units.")]
Seq = Annotated[int, Field(ge=0, description="Rises within a run, over several runners too.")]
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
ShownStatus = Literal["queued", "running", "completed", "failed", "cancelled"]


class _OfRun(TypedDict):
    conversation_id: str
    run_id: str
    message_id: str


class _Numbered(_OfRun):
    seq: Seq


class RunIds(_OfRun, closed=True):
    """Which run a frame tells of; `message_id` is the assistant's message."""


class Numbered(_Numbered, closed=True):
    """Which run a frame tells of, and where it stands among the run's frames."""


class AgentLoadedFrame(TypedDict):
    """The connection is open and its agent is there: the first frame, once."""

    type: Literal["agent_loaded"]
    agent_id: str


class ConversationStartedFrame(TypedDict):
    """A message began a new conversation."""

    type: Literal["conversation_started"]
    conversation_id: str


class MessageAcceptedFrame(_OfRun):
    """A message is stored and its run will come; `message_id` is the user's, `queued`: others are before it."""

    type: Literal["message_accepted"]
    client_message_id: NotRequired[str]
    queued: bool


class ContentDeltaFrame(_Numbered):
    """More text of the answer."""

    type: Literal["content_delta"]
    delta: str
    offset: Offset


class ThinkingDeltaFrame(_Numbered):
    """More of what the model thinks."""

    type: Literal["thinking_delta"]
    delta: str
    step_id: str


class ToolUseStartFrame(_Numbered):
    """A tool is called; one that is called inside of another call names that as `parent_tool_use_id`."""

    type: Literal["tool_use_start"]
    tool_name: str
    tool_use_id: str
    input: Json
    step_id: NotRequired[str]
    parent_tool_use_id: NotRequired[str]


class ToolUseCompleteFrame(_Numbered):
    """A call is over; `result` is empty where it failed, `error` says why and `outcome` what became of the call."""

    type: Literal["tool_use_complete"]
    tool_name: str
    tool_use_id: str
    result: Json
    duration_ms: int | None
    error: NotRequired[str]
    outcome: NotRequired[CallOutcome]
    needs_reconnect: NotRequired[str]
    parent_tool_use_id: NotRequired[str]


class ToolOutputDeltaFrame(_Numbered):
    """More text of an agent or a model that is asked inside of a call; `offset` is a place in that call's text."""

    type: Literal["tool_output_delta"]
    tool_use_id: str
    delta: str
    offset: Offset


class NeedsReconnectFrame(_Numbered):
    """Beside the end of a call: a person must connect this credential before the tool works."""

    type: Literal["needs_reconnect"]
    tool_name: str
    tool_use_id: str
    credential_id: str


class ApprovalRequiredFrame(_Numbered):
    """A call waits until `expires_at` for a person to decide."""

    type: Literal["approval_required"]
    tool_name: str
    tool_use_id: str
    input: Json
    expires_at: Timestamp
    step_id: str


class RunProgressFrame(_OfRun):
    """A run is at work and has nothing else to say."""

    type: Literal["run_progress"]
    phase: str


class StepResetFrame(_Numbered):
    """Forget the text from `offset` on, and what the step thought and called."""

    type: Literal["step_reset"]
    step_id: str
    offset: Offset


class ContentSnapshotFrame(_Numbered):
    """What a run has said and done so far, or its first piece; `parts` is empty where they would not fit."""

    type: Literal["content_snapshot"]
    content: str
    offset: Offset
    parts: list[PartOut]
    status: ShownStatus


class _Ending(_OfRun):
    """What a run came to; `content` is left out, and `truncated` there instead, where it would not fit."""

    content: NotRequired[str]
    truncated: NotRequired[Literal[True]]
    usage: Tokens
    cost: Money


class MessageCompleteFrame(_Ending):
    """A run is over and its answer whole."""

    type: Literal["message_complete"]
    stop_reason: str | None


class RunCancelledFrame(_Ending):
    """A run was cancelled, with what there was."""

    type: Literal["run_cancelled"]


class RunFailedFrame(_OfRun):
    """A run failed."""

    type: Literal["error"]
    error: str
    code: str
    retryable: bool


class ObjectionFrame(TypedDict):
    """Something is wrong with one frame, or with the connection; it ends no run."""

    type: Literal["error"]
    error: str
    code: str
    retryable: bool
    client_message_id: NotRequired[str]


class PongFrame(TypedDict):
    """The answer to `ping`."""

    type: Literal["pong"]


NumberedFrame = (
    ContentDeltaFrame
    | ThinkingDeltaFrame
    | ToolUseStartFrame
    | ToolUseCompleteFrame
    | ToolOutputDeltaFrame
    | NeedsReconnectFrame
    | ApprovalRequiredFrame
    | StepResetFrame
    | ContentSnapshotFrame
)
TerminalFrame = MessageCompleteFrame | RunCancelledFrame | RunFailedFrame
RunFrame = NumberedFrame | RunProgressFrame | TerminalFrame
ServerFrame = AgentLoadedFrame | ConversationStartedFrame | MessageAcceptedFrame | RunFrame | ObjectionFrame | PongFrame
