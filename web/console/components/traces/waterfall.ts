// Where the steps of a run stand on the time axis, and in which order: no markup, so that tests need no browser.

import type { Schemas } from "@/lib/api";

export type Trace = Schemas["TraceOut"];
export type TraceStep = Schemas["TraceStepOut"];
export type StepKind = "model" | "tool" | "agent" | "helper";

/** Why a step failed, in a word: that of the call, where it says more than the step's own. */
export function reasonOf({ outcome, error_code }: Pick<TraceStep, "outcome" | "error_code">): string | null {
  return outcome && outcome !== "failed" && outcome !== "unknown" ? outcome : error_code;
}

/** One line of the waterfall; times in milliseconds since the run began. */
export interface Line {
  readonly step: TraceStep;
  readonly kind: StepKind;
  readonly depth: number;
  readonly parent: number | null;
  readonly open: boolean;
  readonly position: number;
  readonly siblings: number;
  readonly start: number;
  readonly end: number;
  readonly live: boolean;
}

export interface Tick {
  readonly at: number;
  readonly time: number;
}

/** A stretch in which nothing was done, such as waiting for a person: it is drawn short. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export interface Axis {
  /** The place of a time: 0 is the left edge, 1 the right one. */
  place(time: number): number;
  readonly ticks: readonly Tick[];
  readonly gaps: readonly Gap[];
  readonly span: number;
}

const LIVE = new Set<string>(["reserved", "running", "waiting"]);
const GAP_SHARE = 0.05;
const TICKS = 5;

export function isLive(status: string): boolean {
  return status === "queued" || LIVE.has(status);
}

/** What a step is to the eye: steps of a sub-agent name their agent, other models inside of a call are its own. */
export function kindOf(step: TraceStep): StepKind {
  if (step.kind === "model") return step.purpose || (step.parent !== null && !step.agent_id) ? "helper" : "model";
  return step.steps.some((inner) => inner.agent_id) ? "agent" : "tool";
}

/** All steps with those inside of them, in order. */
export function flat(steps: readonly TraceStep[]): TraceStep[] {
  return steps.flatMap((step) => [step, ...flat(step.steps)]);
}

export function originOf(trace: Trace): number {
  const times = flat(trace.steps).map((step) => Date.parse(step.started_at));
  return Math.min(...times, Date.parse(trace.started_at ?? trace.created_at));
}

function endOf(step: TraceStep, start: number, now: number): number {
  const inner = step.steps.map((one) => endOf(one, Date.parse(one.started_at), now));
  const own = LIVE.has(step.status) ? Math.max(start, now) : start + (step.duration_ms ?? 0);
  return Math.max(own, ...inner);
}

/** The lines that are seen, those inside of `closed` steps left out. `now` is where steps end that go on. */
export function linesOf(trace: Trace, closed: ReadonlySet<number>, now: number): Line[] {
  const origin = originOf(trace);
  const walk = (steps: readonly TraceStep[], depth: number, parent: number | null): Line[] =>
    steps.flatMap((step, index) => {
      const start = Date.parse(step.started_at);
      const open = step.steps.length > 0 && !closed.has(step.number);
      const line: Line = {
        step,
        kind: kindOf(step),
        depth,
        parent,
        open,
        position: index + 1,
        siblings: steps.length,
        start: start - origin,
        end: endOf(step, start, now) - origin,
        live: LIVE.has(step.status),
      };
      return [line, ...(open ? walk(step.steps, depth + 1, step.number) : [])];
    });
  return walk(trace.steps, 0, null);
}

/** When something was at work: steps without others inside, but for those that wait for people. */
function busy(trace: Trace, now: number): Gap[] {
  const origin = originOf(trace);
  const spans = flat(trace.steps)
    .filter((step) => step.steps.length === 0 && step.status !== "waiting")
    .map((step) => {
      const start = Date.parse(step.started_at);
      return { from: start - origin, to: endOf(step, start, now) - origin };
    });
  // A call of a model is a step only when it is over.
  if (trace.status === "running") spans.push({ from: Math.max(0, ...spans.map((span) => span.to)), to: now - origin });
  spans.sort((a, b) => a.from - b.from);
  const joined: Gap[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last && span.from <= last.to) joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else joined.push(span);
  }
  return joined;
}

function unitFor(span: number): number {
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

/** The axis of a run. Long stretches without work are cut to a few per cent, so that what was done stays legible. */
export function axisOf(trace: Trace, now: number): Axis {
  const origin = originOf(trace);
  const spans = busy(trace, now);
  const finished = trace.finished_at ? Date.parse(trace.finished_at) : now;
  const last = Math.max(finished - origin, 1, ...flat(trace.steps).map((step) => endOf(step, Date.parse(step.started_at), now) - origin));
  const work = spans.reduce((sum, span) => sum + span.to - span.from, 0);
  const long = Math.max(2_000, work);
  const gaps: Gap[] = [];
  let before = 0;
  for (const span of [...spans, { from: last, to: last }]) {
    if (span.from - before > long) gaps.push({ from: before, to: span.from });
    before = Math.max(before, span.to);
  }
  const cut = gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const open = Math.max(1, last - cut);
  const width = open / Math.max(0.5, 1 - GAP_SHARE * gaps.length);
  const short = gaps.length ? (width - open) / gaps.length : 0;
  const place = (time: number): number => {
    let at = Math.min(Math.max(time, 0), last);
    let saved = 0;
    for (const gap of gaps) {
      if (at >= gap.to) saved += gap.to - gap.from - short;
      else if (at > gap.from) {
        const inside = ((at - gap.from) / (gap.to - gap.from)) * short;
        at = gap.from + inside;
        break;
      }
    }
    return Math.min(1, (at - saved) / width);
  };
  return { place, gaps, span: last, ticks: ticksOf(open, last, gaps, place) };
}

function ticksOf(open: number, last: number, gaps: readonly Gap[], place: (time: number) => number): Tick[] {
  const unit = unitFor(open);
  const found: Tick[] = [];
  let from = 0;
  for (const to of [...gaps.map((gap) => gap.from), last]) {
    for (let time = Math.ceil(from / unit) * unit; time <= to && found.length < 40; time += unit) {
      const at = place(time);
      if (found.length === 0 || at - (found.at(-1)?.at ?? 0) >= 0.06) found.push({ at, time });
    }
    from = gaps.find((gap) => gap.from === to)?.to ?? last;
  }
  return found;
}

/** The line that an arrow key leads to, or what it opens or closes. */
export type Move = { readonly go: number } | { readonly open: number } | { readonly close: number } | null;

export function moveOf(lines: readonly Line[], at: number, key: string): Move {
  const index = Math.max(0, lines.findIndex((line) => line.step.number === at));
  const line = lines[index];
  const to = (target: Line | undefined): Move => (target ? { go: target.step.number } : null);
  if (!line) return null;
  switch (key) {
    case "ArrowDown":
      return to(lines[index + 1]);
    case "ArrowUp":
      return to(lines[index - 1]);
    case "Home":
      return to(lines[0]);
    case "End":
      return to(lines.at(-1));
    case "ArrowRight":
      if (!line.step.steps.length) return null;
      return line.open ? to(lines[index + 1]) : { open: at };
    case "ArrowLeft":
      if (line.open) return { close: at };
      return line.parent === null ? null : { go: line.parent };
    default:
      return null;
  }
}
