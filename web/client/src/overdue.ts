// Runs whose end was missed: a later run of their conversation shows that they have ended. No I/O.
//
// `resume` tells of the newest run only. Of one before it the server speaks when its message comes again: under its
// `client_message_id` it gets its old ids and the state of its run. Where it is not ours, the run counts as ended.

import { Letter, type Outbox, type Thread, type Trace } from "./outbox.js";
import type { Timing } from "./timing.js";
import { activeAnswers, overtaken } from "./transcript.js";
import { MAX_TRIES } from "./verdicts.js";

/** Says when to ask about which run, and how. */
export class Overdue {
  private readonly outbox: Outbox;
  private readonly timing: Timing;

  constructor(outbox: Outbox, timing: Timing) {
    this.outbox = outbox;
    this.timing = timing;
  }

  /** Look at a conversation after a frame: which runs are overdue, which have ended. */
  notice(now: number, thread: Thread): void {
    const found = overtaken(thread.transcript, thread.shown);
    const active = new Set(activeAnswers(thread.transcript).map((answer) => answer.runId));
    for (const runId of [...thread.traces.keys()]) if (!active.has(runId)) thread.traces.delete(runId);
    for (const runId of active) {
      const trace = thread.trace(runId);
      trace.proven = found.get(runId) ?? false;
      if (!found.has(runId)) trace.overtakenAt = null;
      else trace.overtakenAt ??= now;
    }
  }

  /** When which of its runs is to be asked about, or given up. */
  due(thread: Thread): (readonly [when: number, runId: string])[] {
    const asked = new Set(this.outbox.letters.map((letter) => letter.runId));
    const due: (readonly [number, string])[] = [];
    for (const [runId, trace] of thread.traces) {
      if (trace.overtakenAt === null || asked.has(runId)) continue;
      const when = this.dueAt(thread, trace, trace.overtakenAt);
      if (when !== null) due.push([when, runId]);
    }
    return due;
  }

  /** The message of a run once more; null where it is not ours to send. */
  reminder(now: number, thread: Thread, runId: string): Letter | null {
    const trace = thread.trace(runId);
    if (trace.letter === null || !this.isAskable(trace)) return null;
    trace.askedAt = now;
    return new Letter(thread, trace.letter.clientMessageId, trace.letter.content, runId);
  }

  /** A reminder was refused: that is no fault of its message. `final`: it would be again. */
  putOff(letter: Letter, final: boolean): void {
    const trace = letter.thread.traces.get(letter.runId ?? "");
    if (!trace) return;
    trace.askedAt = letter.sentAt ?? trace.askedAt;
    if (final) trace.letter = null;
  }

  /** At once when the connection was lost since; else its last frames may still be on their way. */
  private dueAt(thread: Thread, trace: Trace, overtakenAt: number): number | null {
    const last = Math.max(overtakenAt, trace.heardAt, trace.askedAt, thread.openedAt);
    const patient = last + this.timing.silenceFirst;
    if (!this.isAskable(trace)) return trace.proven ? patient : null;
    return thread.openedAt > Math.max(trace.heardAt, trace.askedAt) ? overtakenAt : patient;
  }

  /** Whether its message is ours, and not so old that the server may have forgotten it. */
  private isAskable({ letter, overtakenAt, answers, acceptedAt }: Trace): boolean {
    if (letter === null || overtakenAt === null || answers >= MAX_TRIES) return false;
    return overtakenAt - acceptedAt <= this.timing.remindWithin;
  }
}
