"""Runs whose end was missed: a later run of their conversation shows that they have ended. No I/O.

`resume` tells of the newest run only. Of one before it the server speaks when its message comes again: under its
`client_message_id` it gets its old ids and the state of its run. Where it is not ours, the run counts as ended.
"""

from __future__ import annotations

from collections.abc import Iterator

from web.client.python.outbox import Letter, Outbox, Thread, Trace
from web.client.python.timing import Timing
from web.client.python.transcript import overtaken
from web.client.python.verdicts import MAX_TRIES


class Overdue:
    """Says when to ask about which run, and how."""

    def __init__(self, outbox: Outbox, timing: Timing) -> None:
        self._outbox = outbox
        self._timing = timing

    def notice(self, now: float, thread: Thread) -> None:
        """Look at a conversation after a frame: which runs are overdue, which have ended."""
        found = overtaken(thread.transcript, thread.shown)
        active = [answer.run_id for answer in thread.transcript.active]
        thread.traces = {run_id: trace for run_id, trace in thread.traces.items() if run_id in active}
        for run_id in active:
            trace = thread.trace(run_id)
            trace.proven = found.get(run_id, False)
            if run_id not in found:
                trace.overtaken_at = None
            elif trace.overtaken_at is None:
                trace.overtaken_at = now

    def due(self, thread: Thread) -> Iterator[tuple[float, str]]:
        """When which of its runs is to be asked about, or given up."""
        asked = {letter.run_id for letter in self._outbox}
        for run_id, trace in thread.traces.items():
            if trace.overtaken_at is not None and run_id not in asked:
                when = self._due(thread, trace, trace.overtaken_at)
                if when is not None:
                    yield when, run_id

    def reminder(self, now: float, thread: Thread, run_id: str) -> Letter | None:
        """The message of a run once more; None where it is not ours to send."""
        trace = thread.trace(run_id)
        if trace.letter is None or not self._askable(trace):
            return None
        trace.asked_at = now
        return Letter(thread, trace.letter.client_message_id, trace.letter.content, run_id=run_id)

    def put_off(self, letter: Letter, *, final: bool) -> None:
        """A reminder was refused: that is no fault of its message. `final`: it would be again."""
        trace = letter.thread.traces.get(letter.run_id or "")
        if trace is None:
            return
        trace.asked_at = trace.asked_at if letter.sent_at is None else letter.sent_at
        trace.letter = None if final else trace.letter

    def _due(self, thread: Thread, trace: Trace, overtaken_at: float) -> float | None:
        """At once when the connection was lost since; else its last frames may still be on their way."""
        patient = max(overtaken_at, trace.heard_at, trace.asked_at, thread.opened_at) + self._timing.silence_first
        if not self._askable(trace):
            return patient if trace.proven else None
        return overtaken_at if thread.opened_at > max(trace.heard_at, trace.asked_at) else patient

    def _askable(self, trace: Trace) -> bool:
        """Whether its message is ours, and not so old that the server may have forgotten it."""
        if trace.letter is None or trace.overtaken_at is None or trace.answers >= MAX_TRIES:
            return False
        return trace.overtaken_at - trace.accepted_at <= self._timing.remind_within
