import assert from "node:assert/strict";
import { test } from "node:test";

import { EMPTY } from "../src/index.js";
import { matches, vectors, type Vector } from "./vectors.js";
import { advance, viewOf, type TranscriptStep } from "./view.js";

for (const vector of vectors<Vector<TranscriptStep>>("transcript")) {
  test(`transcript: ${vector.name}`, () => {
    let transcript = EMPTY;
    for (const [number, step] of vector.steps.entries()) {
      if (step.expect) {
        const found = viewOf(transcript);
        if (!matches(found, step.expect)) assert.deepEqual(found, step.expect, `step ${number}`);
      }
      const once = advance(transcript, step);
      assert.equal(advance(once, step), once, "the same again changes nothing");
      transcript = once;
    }
  });
}

test("what did not change stays the same object", () => {
  const ids = { conversation_id: "cnv_1", run_id: "run_1", message_id: "msg_1" } as const;
  const first = { type: "content_delta", ...ids, delta: "a", offset: 0, seq: 1 } as const;
  const tool = { type: "tool_use_start", ...ids, tool_name: "clock", tool_use_id: "t1", input: {}, seq: 2 } as const;
  const other = { type: "content_delta", ...ids, run_id: "run_0", message_id: "msg_0", delta: "z", offset: 0, seq: 1 } as const;
  const before = [other, first, tool].reduce((known, frame) => advance(known, { frame }), EMPTY);
  const after = advance(before, { frame: { ...first, delta: "b", offset: 1, seq: 3 } });
  const [zero, one] = [before.entries[1], after.entries[1]];
  assert.equal(after.entries[0], before.entries[0]);
  assert.ok(zero?.role === "assistant" && one?.role === "assistant");
  assert.deepEqual(one.blocks.slice(0, 2), zero.blocks);
  assert.equal(one.blocks[0], zero.blocks[0]);
  assert.equal(one.blocks[1], zero.blocks[1]);
  assert.notEqual(one, zero);
});
