"""A conversation as it is known so far: questions and answers in their order. Pure: a transcript and a frame make a
transcript, and what did not change stays the same object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from web.client.python.answer import Answer, Failure, Frame, given_up, settled
from web.client.python.blocks import Json
from web.client.python.frames import apply

QuestionStatus = Literal["sending", "accepted", "refused"]


@dataclass(frozen=True, slots=True)
class Question:
    """A message of the user. `client_message_id` only where this client said it; `run_id` once it is accepted."""

    content: str
    status: QuestionStatus = "sending"
    client_message_id: str | None = None
    run_id: str | None = None
    message_id: str | None = None
    error: Failure | None = None
    created_at: str | None = None


Entry = Question | Answer


@dataclass(frozen=True, slots=True)
class Transcript:
    """Entries in the order of acceptance; what is not accepted comes last."""

    entries: tuple[Entry, ...] = ()

    @property
    def active(self) -> tuple[Answer, ...]:
        """Answers that have not ended: one that runs, others that wait."""
        return tuple(entry for entry in self.entries if isinstance(entry, Answer) and not entry.over)

    @property
    def missing(self) -> bool:
        """Whether text was lost, so that a snapshot is needed."""
        return any(isinstance(entry, Answer) and entry.missing for entry in self.entries)

    @property
    def wanting(self) -> tuple[str, ...]:
        """Runs of which REST knows more: ended ones that are not whole, and those whose question others asked."""
        asked = {entry.run_id for entry in self.entries if isinstance(entry, Question)}
        answers = (entry for entry in self.entries if isinstance(entry, Answer))
        return tuple(a.run_id for a in answers if a.run_id not in asked or (a.over and not a.whole))

    def answer(self, run_id: str) -> Answer | None:
        """The answer of a run."""
        return next((e for e in self.entries if isinstance(e, Answer) and e.run_id == run_id), None)

    def question(self, client_message_id: str) -> Question | None:
        """What was said under this id."""
        found = (e for e in self.entries if isinstance(e, Question) and e.client_message_id == client_message_id)
        return next(found, None)


def reduce(transcript: Transcript, frame: Frame) -> Transcript:
    """The transcript after a frame of its conversation; the same object where nothing changed."""
    run_id = frame.get("run_id")
    if not isinstance(run_id, str):
        return transcript
    if frame["type"] == "message_accepted":
        return _accepted(transcript, frame)
    before = transcript.answer(run_id)
    after = apply(before or Answer(run_id, status=_first_status(frame)), frame)
    return _put(transcript, before, after)


def said(transcript: Transcript, client_message_id: str, content: str) -> Transcript:
    """With a message that the server does not know yet. One that was refused takes its place again."""
    before = transcript.question(client_message_id)
    if before is not None and before.status != "refused":
        return transcript
    return _put(transcript, before, Question(content, client_message_id=client_message_id))


def refused(transcript: Transcript, client_message_id: str, error: Failure) -> Transcript:
    """With a message marked as refused."""
    before = transcript.question(client_message_id)
    if before is None or before.status == "accepted":
        return transcript
    return _put(transcript, before, replace(before, status="refused", error=error))


def forgotten(transcript: Transcript, client_message_id: str) -> Transcript:
    """Without a message that was never accepted."""
    before = transcript.question(client_message_id)
    if before is None or before.status == "accepted":
        return transcript
    return Transcript(tuple(entry for entry in transcript.entries if entry is not before))


def overtaken(transcript: Transcript, shown: str = "") -> dict[str, bool]:
    """Open runs before one that has begun, for they go in their order: True. False: before one that was cancelled, and
    that was `shown` from the store, as the last one is when none is at work."""
    found: dict[str, bool] = {}
    passed: bool | None = None
    for answer in reversed([entry for entry in transcript.entries if isinstance(entry, Answer)]):
        if not answer.over and passed is not None:
            found[answer.run_id] = passed
        if answer.status in ("running", "completed", "failed"):
            passed = True
        elif answer.status == "cancelled" and answer.run_id == shown:
            passed = passed or False
    return found


def closed(transcript: Transcript, run_id: str) -> Transcript:
    """With a run counted as ended, of which nobody says how."""
    answer = transcript.answer(run_id)
    return transcript if answer is None else _put(transcript, answer, given_up(answer))


def loaded(transcript: Transcript, messages: Iterable[Json]) -> Transcript:
    """With stored messages of REST, in any order."""
    for message in messages:
        transcript = _stored(transcript, message)
    return transcript


def _stored(transcript: Transcript, message: Json) -> Transcript:
    run_id = message["run_id"]
    if message["role"] == "assistant":
        before = transcript.answer(run_id)
        after = settled(before or Answer(run_id), message)
        return transcript if after.message_id is None else _put(transcript, before, after)
    found = (e for e in transcript.entries if isinstance(e, Question) and e.run_id == run_id)
    known = next(found, None)
    own = known.client_message_id if known else None
    question = Question(
        message["content"], "accepted", own, run_id, message["id"], created_at=message.get("created_at")
    )
    return _put(transcript, known, question)


def _accepted(transcript: Transcript, frame: Frame) -> Transcript:
    run_id = frame["run_id"]
    own = frame.get("client_message_id")
    question = transcript.question(own) if own else None
    if question is not None and question.status != "accepted":
        after = replace(question, status="accepted", run_id=run_id, message_id=frame["message_id"], error=None)
        others = (e for e in transcript.entries if not (isinstance(e, Question) and e.run_id == run_id))
        transcript = _put(Transcript(tuple(others)), question, after)
    if transcript.answer(run_id) is None:
        transcript = _put(transcript, None, Answer(run_id, status="queued" if frame["queued"] else "running"))
    return transcript


def _first_status(frame: Frame) -> Literal["queued", "running"]:
    return "queued" if frame["type"] == "content_snapshot" and frame["status"] == "queued" else "running"


def _put(transcript: Transcript, old: Entry | None, new: Entry) -> Transcript:
    """Replace an entry, or add one where it belongs; run ids rise in the order of acceptance."""
    if old == new:
        return transcript
    if old is not None and old.run_id == new.run_id:
        return Transcript(tuple(new if entry is old else entry for entry in transcript.entries))
    kept = [entry for entry in transcript.entries if entry is not old]
    return Transcript(tuple(sorted([*kept, new], key=_rank)))


def _rank(entry: Entry) -> tuple[bool, str, bool]:
    return (entry.run_id is None, entry.run_id or "", isinstance(entry, Answer))
