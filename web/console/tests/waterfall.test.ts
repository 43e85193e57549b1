import { describe, expect, it } from "vitest";

import { axisOf, flat, kindOf, linesOf, moveOf, type Trace, type TraceStep } from "@/components/traces/waterfall";

const BEGIN = Date.parse("2026-11-23T10:00:00.000Z");
const at = (milliseconds: number) => new Date(BEGIN + milliseconds).toISOString();

function step(number: number, start: number, duration: number, more: Partial<TraceStep> = {}): TraceStep {
  return {
    id: `stp_${number}`,
    number,
    kind: "model",
    parent: null,
    status: "succeeded",
    started_at: at(start),
    duration_ms: duration,
    error_code: null,
    usage: null,
    cost: null,
    price: null,
    retries: 0,
    whole: null,
    steps: [],
    ...more,
  };
}

function trace(steps: TraceStep[], more: Partial<Trace> = {}): Trace {
  const end = Math.max(BEGIN, ...flat(steps).map((one) => Date.parse(one.started_at) + (one.duration_ms ?? 0)));
  return {
    id: "run_1",
    agent_id: "agt_1",
    conversation_id: "cnv_1",
    message_id: "msg_1",
    version: 1,
    status: "completed",
    created_by: "ann",
    created_at: at(-500),
    started_at: at(0),
    finished_at: new Date(end).toISOString(),
    duration_ms: end - BEGIN,
    first_token_ms: null,
    stop_reason: "end_turn",
    usage: null,
    cost: null,
    error: null,
    steps,
    approvals: [],
    ...more,
  };
}

const NESTED = trace([
  step(1, 0, 400),
  step(2, 400, 600, {
    kind: "tool",
    tool_name: "helper",
    steps: [step(3, 450, 200, { agent_id: "agt_2", parent: 2 }), step(4, 660, 40, { kind: "tool", parent: 2 })],
  }),
  step(5, 1_000, 1_000),
]);

describe("lines", () => {
  it("stand in the order of the tree, with their depth, place and times", () => {
    const lines = linesOf(NESTED, new Set(), BEGIN + 9_000);
    expect(lines.map((line) => [line.step.number, line.depth, line.parent, line.start, line.end])).toEqual([
      [1, 0, null, 0, 400],
      [2, 0, null, 400, 1_000],
      [3, 1, 2, 450, 650],
      [4, 1, 2, 660, 700],
      [5, 0, null, 1_000, 2_000],
    ]);
    expect(lines.map((line) => [line.position, line.siblings])).toEqual([[1, 3], [2, 3], [1, 2], [2, 2], [3, 3]]);
  });

  it("of a closed step are left out", () => {
    expect(linesOf(NESTED, new Set([2]), BEGIN).map((line) => line.step.number)).toEqual([1, 2, 5]);
  });

  it("tell what kind of step it is", () => {
    expect(NESTED.steps.map(kindOf)).toEqual(["model", "agent", "model"]);
    expect(kindOf(step(1, 0, 1, { purpose: "after" }))).toBe("helper");
    expect(kindOf(step(1, 0, 1, { parent: 2 }))).toBe("helper");
    expect(kindOf(step(1, 0, 1, { parent: 2, agent_id: "agt_2" }))).toBe("model");
  });

  it("of steps that go on reach to now, and those around them too", () => {
    const inside = step(2, 100, 0, { kind: "tool", status: "running", parent: 1 });
    const running = trace([step(1, 50, 0, { kind: "tool", steps: [inside] })], { status: "running", finished_at: null });
    const lines = linesOf(running, new Set(), BEGIN + 700);
    expect(lines.map((line) => [line.end, line.live])).toEqual([[700, false], [700, true]]);
    expect(axisOf(running, BEGIN + 700).place(700)).toBe(1);
  });
});

describe("the axis", () => {
  it("goes from the run's first step to its end, even where clocks of workers differ", () => {
    const early = trace([step(1, -20, 120), step(2, 100, 900)]);
    const axis = axisOf(early, BEGIN);
    expect(linesOf(early, new Set(), BEGIN)[0]?.start).toBe(0);
    expect(axis.place(0)).toBe(0);
    expect(axis.place(axis.span)).toBe(1);
    expect(axis.place(510)).toBeCloseTo(0.5);
  });

  it("has a handful of round ticks", () => {
    expect(axisOf(NESTED, BEGIN).ticks.map((tick) => tick.time)).toEqual([0, 500, 1_000, 1_500, 2_000]);
  });

  it("is cut where nobody worked, and stays in order", () => {
    const hour = 3_600_000;
    const waited = trace([step(1, 0, 1_000), step(2, hour, 1_000, { kind: "tool" })]);
    const axis = axisOf(waited, BEGIN);
    expect(axis.gaps).toEqual([{ from: 1_000, to: hour }]);
    const places = [0, 500, 1_000, 2_000, hour / 2, hour, hour + 500, hour + 1_000].map(axis.place);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect((places[5] ?? 0) - (places[2] ?? 0)).toBeCloseTo(0.05);
    expect(places.at(-1)).toBeCloseTo(1);
    expect(axis.ticks.every((tick, index, all) => index === 0 || tick.at > (all[index - 1]?.at ?? 0))).toBe(true);
  });

  it("cuts the wait for a person that still goes on", () => {
    const waiting = step(2, 1_000, 0, { kind: "tool", status: "waiting" });
    const open = trace([step(1, 0, 1_000), waiting], { status: "waiting", finished_at: null });
    const axis = axisOf(open, BEGIN + 600_000);
    expect(axis.gaps).toHaveLength(1);
    expect(axis.place(1_000)).toBeCloseTo(0.95);
  });

  it("takes a model that is being asked for work, though it is no step yet", () => {
    const asking = trace([step(1, 0, 100)], { status: "running", finished_at: null });
    expect(axisOf(asking, BEGIN + 30_000).gaps).toEqual([]);
  });

  it("of a run without steps is no division by nothing", () => {
    const none = trace([], { finished_at: at(0), duration_ms: 0 });
    expect(axisOf(none, BEGIN).place(0)).toBe(0);
    expect(linesOf(none, new Set(), BEGIN)).toEqual([]);
  });

  it("of three hundred steps is made at once", () => {
    const many = trace(Array.from({ length: 300 }, (_, index) => step(index + 1, index * 10, 9)));
    expect(linesOf(many, new Set(), BEGIN)).toHaveLength(300);
    expect(axisOf(many, BEGIN).ticks.length).toBeLessThan(12);
  });
});

describe("arrow keys", () => {
  const lines = linesOf(NESTED, new Set(), BEGIN);
  it.each([
    [1, "ArrowDown", { go: 2 }],
    [2, "ArrowRight", { go: 3 }],
    [2, "ArrowLeft", { close: 2 }],
    [3, "ArrowLeft", { go: 2 }],
    [1, "ArrowLeft", null],
    [1, "ArrowRight", null],
    [1, "ArrowUp", null],
    [1, "End", { go: 5 }],
    [5, "Home", { go: 1 }],
    [5, "x", null],
  ])("from step %s by %s", (from, key, wanted) => expect(moveOf(lines, from, key)).toEqual(wanted));

  it("open what is closed", () => {
    expect(moveOf(linesOf(NESTED, new Set([2]), BEGIN), 2, "ArrowRight")).toEqual({ open: 2 });
  });
});
