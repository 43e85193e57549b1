"""One run's answer as it is known so far.

Frames may come twice, late, or after a hole; applying one again changes nothing. `offset` says where text belongs,
`seq` what is newer: it is `fence * 2^24 + n`, and a higher fence is another runner, whose word counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from web.client.python import utf16
from web.client.python.blocks import (
    Blocks,
    Json,
    built,
    cut,
    shared,
    stopped,
    with_text,
)

Frame = dict[str, Any]
Status = Literal["queued", "running", "completed", "failed", "cancelled"]
FENCE = 2**24
STORED = 2**53 - 1  # the `seq` of what comes from the store, behind which nothing can come
OVER = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer failed, or a message was refused."""

    code: str
    detail: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run has said and done.

    `missing` says that text was lost and `resume` has to be sent. `whole` is false when the stored message may hold
    more than is here (REST has it). `length` is that of `text` in UTF-16 code units; up to `sure` it is known to be
    what the server has: beyond it stands what was shown before the last snapshot, until deltas confirm or replace it.
    """

    run_id: str
    message_id: str | None = None
    status: Status = "running"
    phase: str | None = None
    text: str = ""
    length: int = 0
    sure: int = 0
    blocks: Blocks = ()
    seq: int = -1
    floor: int = -1
    missing: bool = False
    whole: bool = True
    stop_reason: str | None = None
    usage: Json | None = None
    cost: Json | None = None
    error: Failure | None = None
    created_at: str | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status in OVER


def settled(answer: Answer, message: Json) -> Answer:
    """The answer as REST has it stored; taken when its run is over."""
    status: Status = message.get("status") or "completed"
    if status not in OVER:
        return answer
    blocks, text = built(message["parts"])
    length = utf16.length(text)
    return replace(
        answer,
        message_id=message["id"],
        created_at=message.get("created_at"),
        status=status,
        phase=None,
        text=text,
        length=length,
        sure=length,
        blocks=shared(stopped(blocks), answer.blocks),
        missing=False,
        whole=True,
        stop_reason=message.get("stop_reason"),
        usage=message.get("usage"),
        cost=message.get("cost"),
        error=answer.error or _stored_failure(message),
    )


def _stored_failure(message: Json) -> Failure | None:
    error = message.get("error")
    return Failure(error["code"], error["detail"] or "") if error else None


def given_up(answer: Answer) -> Answer:
    """The answer of a run that has ended nobody knows how; REST may."""
    if answer.over:
        return answer
    answer = cut_back(answer, answer.sure)
    return replace(answer, status="completed", phase=None, missing=False, whole=False, blocks=stopped(answer.blocks))


def fence_of(seq: int) -> int:
    """Which runner said it."""
    return seq // FENCE


def verdict_of(answer: Answer, frame: Frame) -> Literal["take", "stale", "gap"]:
    """Whether a frame is of now, of what was withdrawn, or of a runner whose beginning was not heard."""
    seq = frame.get("seq")
    if not isinstance(seq, int):
        return "take"
    if seq < answer.floor or fence_of(seq) < fence_of(answer.seq):
        return "stale"
    return "gap" if 0 < fence_of(answer.seq) < fence_of(seq) else "take"


def with_gap(answer: Answer) -> Answer:
    """Something was lost: only a snapshot can tell what."""
    return answer if answer.missing or answer.over else replace(answer, missing=True, whole=False)


def begun(answer: Answer, frame: Frame) -> Answer:
    """Its run is at work, and has said this."""
    seq = max(answer.seq, frame.get("seq", -1))
    status: Status = "running" if answer.status == "queued" else answer.status
    if seq == answer.seq and status == answer.status and answer.phase is None:
        return answer
    return replace(answer, seq=seq, status=status, phase=None)


def extended(answer: Answer, fresh: str) -> Answer:
    """Text that belongs at `sure`: new, or a confirmation of what is shown there, or other words in its place."""
    if not fresh:
        return answer
    ahead = utf16.tail(answer.text, answer.sure) if answer.sure < answer.length else ""
    if ahead.startswith(fresh):
        return replace(answer, sure=answer.sure + utf16.length(fresh))
    if fresh.startswith(ahead):
        return appended(replace(answer, sure=answer.length), fresh[len(ahead) :])
    return appended(cut_back(answer, answer.sure), fresh)


def appended(answer: Answer, text: str) -> Answer:
    """More text at the end of what is shown."""
    if not text:
        return answer
    length = answer.length + utf16.length(text)
    blocks = with_text(answer.blocks, text, answer.length)
    return replace(answer, text=answer.text + text, length=length, sure=length, blocks=blocks)


def cut_back(answer: Answer, offset: int) -> Answer:
    """Only the first `offset` units of the text, and what was shown until then."""
    if answer.length <= offset:
        return answer
    text, blocks = utf16.head(answer.text, offset), cut(answer.blocks, offset)
    return replace(answer, text=text, length=offset, sure=min(answer.sure, offset), blocks=blocks)
