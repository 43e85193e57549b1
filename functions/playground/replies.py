"""What the playground answers to each kind of frame."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from agent_builder.bootstrap import PlaygroundServices
from agent_builder.clock import now_ms
from agent_builder.errors import Conflict, NotFound, Unauthenticated
from agent_builder.ids import is_id, new_id
from agent_builder.jsontext import encode
from agent_builder.messages import Cost, Usage
from agent_builder.models.conversations import Lease, Outcome, StoredMessage
from agent_builder.models.identity import Identity
from agent_builder.observability import log_fields, logger
from agent_builder.realtime.connections import watcher
from agent_builder.services.approvals import Wanted
from agent_builder.services.intake import UserMessage
from agent_builder.services.narration import parked_frames, shown_parts, snapshot_frames, terminal_frame
from agent_builder.services.transcript import Transcript
from functions.playground.frames_in import (
    ApprovalFrame,
    CancelFrame,
    ClientFrame,
    PingFrame,
    ResumeFrame,
    UserMessageFrame,
)
from functions.playground.recent import Recent

if TYPE_CHECKING:
    from agent_builder.realtime.frames_out import MessageAcceptedFrame, RunIds, ServerFrame

_GREETED = Recent(4096)
_BELL = ThreadPoolExecutor(
    1, thread_name_prefix="bell"
)  # rings while the client is told; its thread starts at first use


class Replies:
    """Frames to one connection. The first of them is `agent_loaded`, whoever sends it."""

    def __init__(self, services: PlaygroundServices, identity: Identity, connection_id: str) -> None:
        self.services = services
        self.identity = identity
        self.connection_id = connection_id

    @property
    def agent_id(self) -> str:
        """The agent that this connection was opened for."""
        if not self.identity.agent_id:
            raise Unauthenticated("This connection names no agent; connect to /api/v1/playground/{agent_id}.")
        return self.identity.agent_id

    @property
    def watcher(self) -> str:
        """Who watches by this connection: no longer than its sign-in lasts, be it never so silent."""
        return watcher(self.connection_id, self.identity.expires_at)

    def send(self, frame: ServerFrame) -> None:
        """Post a frame, behind the greeting."""
        self.greet()
        self._post(frame)

    def greet(self) -> None:
        """Greet, if the client's frame was quicker than the ring of `$connect`."""
        if self.connection_id in _GREETED:
            return
        self.services.greeter.ensure(self.identity, self.connection_id)
        _GREETED.add(self.connection_id)

    def count(self) -> None:
        """Count a frame that is no message.

        Raises:
            TooManyRequests: It is one too many.
        """
        self.services.limits.frame(self.identity)

    def close(self) -> None:
        """Close the connection."""
        self.services.connections.close(self.connection_id)

    def _post(self, frame: ServerFrame) -> None:
        self.services.connections.post(self.connection_id, encode(frame).encode())


def answer(frame: ClientFrame, replies: Replies) -> None:
    """Do what a frame asks for."""
    replies.greet()  # before the connection is among those to whom a runner may post
    named = getattr(frame, "conversation_id", None)
    log_fields(conversation_id=named if is_id("cnv", named) else None)
    if isinstance(frame, PingFrame):
        replies.send({"type": "pong"})
    elif isinstance(frame, UserMessageFrame):
        _accept(frame, replies)
    elif isinstance(frame, ResumeFrame):
        _resume(frame.conversation_id, replies)
    elif isinstance(frame, CancelFrame):
        _cancel(frame, replies)
    elif isinstance(frame, ApprovalFrame):
        _decide(frame, replies)


def _accept(frame: UserMessageFrame, replies: Replies) -> None:
    intake, identity, limits = replies.services.intake, replies.identity, replies.services.limits
    place = new_id("msg")
    said = UserMessage(frame.content, frame.conversation_id, frame.client_message_id, replies.watcher, place)
    with limits.message(identity, replies.agent_id, place):
        accepted = intake.accept(identity, replies.agent_id, said)
    if accepted.repeated:
        limits.end_runs(identity.tenant, [place])
    ringing = None if accepted.repeated else _BELL.submit(intake.ring, identity, accepted.conversation_id)
    if accepted.conversation_is_new:
        replies.send({"type": "conversation_started", "conversation_id": accepted.conversation_id})
    reply: MessageAcceptedFrame = {
        "type": "message_accepted",
        "conversation_id": accepted.conversation_id,
        "run_id": accepted.run_id,
        "message_id": accepted.message_id,
        "queued": accepted.queued,
    }
    if frame.client_message_id is not None:
        reply["client_message_id"] = frame.client_message_id
    replies.send(reply)
    log_fields(conversation_id=accepted.conversation_id, run_id=accepted.run_id)
    logger.info("a message was accepted", extra={"queued": accepted.queued, "repeated": accepted.repeated})
    if ringing is None:
        _resume(accepted.conversation_id, replies, run_id=accepted.run_id)
    else:
        ringing.result()


def _resume(conversation_id: str, replies: Replies, run_id: str | None = None) -> None:
    """Where nobody is at work: the last answer, and its terminal frame again. Else the runner sends a snapshot."""
    lease = replies.services.intake.subscribe(replies.identity, replies.agent_id, conversation_id, replies.watcher)
    if lease.queue and run_id in (None, lease.queue[0].run_id):
        if lease.fence == 0:  # nobody has begun: there is nothing to show yet
            _show_waiting(conversation_id, lease, replies)
        elif lease.parked(now_ms()):
            _show_parked(conversation_id, lease, replies)
        return
    stored = replies.services.conversations.answer(replies.identity.tenant, conversation_id, run_id)
    if stored:
        _show(conversation_id, stored, replies)


def _show_waiting(conversation_id: str, lease: Lease, replies: Replies) -> None:
    run = lease.queue[0]
    ids: RunIds = {"conversation_id": conversation_id, "run_id": run.run_id, "message_id": run.message_id}
    for frame in snapshot_frames(ids, "", 0, "queued"):
        replies.send(frame)


def _show_parked(conversation_id: str, lease: Lease, replies: Replies) -> None:
    """What a run had come to when it began to wait for people, and what it asks them."""
    run = lease.queue[0]
    ids: RunIds = {"conversation_id": conversation_id, "run_id": run.run_id, "message_id": run.message_id}
    transcript = Transcript()
    transcript.restore(replies.services.runs.steps(replies.identity.tenant, run.run_id))
    for frame in parked_frames(ids, transcript, lease.fence):
        replies.send(frame)


def _show(conversation_id: str, stored: StoredMessage, replies: Replies) -> None:
    ids: RunIds = {"conversation_id": conversation_id, "run_id": stored.run_id, "message_id": stored.id}
    shown = shown_parts(stored.message)
    for frame in snapshot_frames(ids, stored.message.text, 2**53 - 1, stored.status, shown):
        replies.send(frame)
    outcome = Outcome(
        status=stored.status,
        message=stored.message,
        stop_reason=stored.stop_reason,
        usage=stored.usage or Usage(),
        cost=stored.cost or Cost(),
        error_code=stored.error_code,
        error=stored.error,
        retryable=stored.retryable,
    )
    replies.send(terminal_frame(ids, outcome))


def _cancel(frame: CancelFrame, replies: Replies) -> None:
    intake = replies.services.intake
    lease = intake.lease(replies.identity, replies.agent_id, frame.conversation_id)
    intake.cancel(replies.identity, frame.conversation_id, frame.run_id, lease)


def _decide(frame: ApprovalFrame, replies: Replies) -> None:
    wanted = Wanted(frame.decision, frame.input, frame.reason or "")
    try:
        replies.services.approvals.decide(
            replies.identity, frame.run_id, frame.tool_use_id, wanted, agent_id=replies.agent_id
        )
    except NotFound as error:
        raise Conflict("No tool call of this run waits for a decision.", code="nothing_to_decide") from error
