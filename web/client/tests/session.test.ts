// The shared vectors of the session: what happens at what time, and what the client does. Chance is 0.5 in them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ClientError, Session, type Timing } from "../src/index.js";
import type { Thread } from "../src/outbox.js";
import type { ApprovalFrame, ServerFrame } from "../src/wire.js";
import { matches, vectors, type Vector } from "./vectors.js";
import { viewOf } from "./view.js";

interface Step {
  readonly at: number;
  readonly do: string;
  readonly thread: string;
  readonly conversation?: string;
  readonly id: string;
  readonly content: string;
  readonly run?: string;
  readonly code: number & string;
  readonly status?: number;
  readonly final: boolean;
  readonly frame: ServerFrame & ApprovalFrame;
}

interface SessionVector extends Vector<Step> {
  readonly renewable?: boolean;
  readonly timing?: Readonly<Record<string, number>>;
}

const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

class Play {
  readonly session: Session;
  readonly threads = new Map<string, Thread>();

  constructor({ renewable, timing = {} }: SessionVector) {
    const times = Object.fromEntries(Object.entries(timing).map(([name, value]) => [camel(name), value]));
    this.session = new Session({ random: () => 0.5, renewable, timing: times as Partial<Timing> });
  }

  do(step: Step): void {
    const { session } = this;
    const now = step.at;
    const moves: Readonly<Record<string, () => void>> = {
      connect: () => session.connect(now),
      opened: () => session.opened(now),
      wake: () => session.wake(now),
      tick: () => session.tick(now),
      heard: () => session.heard(now, step.frame),
      lost: () => session.lost(now, step.code ?? null, step.status ?? null),
      failed: () => session.failed(now, new ClientError("No.", { code: step.code, final: step.final })),
      say: () => session.say(now, this.thread(step), step.id, step.content),
      watch: () => session.watch(now, this.thread(step)),
      unwatch: () => session.unwatch(this.thread(step)),
      cancel: () => session.cancel(now, this.thread(step), step.run ?? null),
      takeBack: () => session.takeBack(this.thread(step), step.id),
      decide: () => session.decide(now, this.thread(step), step.frame),
      close: () => session.close(),
    };
    const move = moves[step.do];
    assert.ok(move, step.do);
    move();
  }

  /** Everything that a step may expect something about. */
  seen(): Readonly<Record<string, unknown>> {
    const { session } = this;
    const threads = [...this.threads];
    return {
      actions: session.takeActions().map((action) => (action.do === "send" ? { send: action.frame } : action.do)),
      state: session.state,
      error: session.error?.code ?? null,
      deadline: session.deadline,
      reports: session.takeReports().map((report) => report.code),
      ids: Object.fromEntries(threads.map(([name, thread]) => [name, thread.id])),
      gone: threads.filter(([, thread]) => thread.gone).map(([name]) => name),
      transcripts: Object.fromEntries(threads.map(([name, thread]) => [name, viewOf(thread.transcript)])),
    };
  }

  private thread({ thread: name, conversation }: Step): Thread {
    let known = this.threads.get(name);
    if (!known) this.threads.set(name, (known = this.session.thread(conversation ?? null)));
    return known;
  }
}

for (const vector of vectors<SessionVector>("session")) {
  test(`session: ${vector.name}`, () => {
    const play = new Play(vector);
    for (const [number, step] of vector.steps.entries()) {
      play.do(step);
      const expected: Readonly<Record<string, unknown>> = { ...step };
      for (const [name, value] of Object.entries(play.seen())) {
        if (!(name in expected) || matches(value, expected[name])) continue;
        assert.deepEqual(value, expected[name], `step ${number} at ${step.at}, ${name}`);
      }
    }
  });
}
