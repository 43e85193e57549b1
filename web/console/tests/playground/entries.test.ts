import { EMPTY, loaded, reduce, type Entry, type StoredMessage } from "@melton/client";
import { describe, expect, it } from "vitest";

import { grouped, keyOf, merged, outcomeOf, parsedObject, pretty, saidAlready, underWay } from "@/components/playground/model/entries";
import type { Schemas } from "@/lib/api";

const said = (run: number, role: "user" | "assistant"): StoredMessage => ({
  id: `msg_${run}${role}`, run_id: `run_${run}`, role, content: `${role} ${run}`, parts: role === "user" ? [] : [{ type: "text", text: `answer ${run}` }], status: "completed",
  created_at: "2026-01-01T00:00:00Z",
});
const names = (entries: readonly Entry[]) => entries.map((entry) => `${entry.role} ${entry.runId}`);
const unsent = (name: string): Entry => ({ role: "user", content: name, status: "sending", clientMessageId: name, runId: null, messageId: null, error: null, createdAt: null });

describe("stored and live entries", () => {
  const stored = loaded(EMPTY, [said(1, "user"), said(1, "assistant"), said(2, "user")]).entries;
  const live = reduce(EMPTY, { type: "content_delta", conversation_id: "cnv_1", run_id: "run_2", message_id: "msg_2", delta: "so far", offset: 0, seq: 1 }).entries;

  it("stand in their order, the live ones first of two", () => {
    const all = merged(stored, live);
    expect(names(all)).toEqual(["user run_1", "assistant run_1", "user run_2", "assistant run_2"]);
    expect(all[3]).toBe(live[0]);
    expect(all[0]).toBe(stored[0]);
  });

  it("end with what is not sent, in the order of writing", () => {
    const all = merged(stored, [...live, unsent("z"), unsent("a")]);
    expect(all.slice(-2).map(keyOf)).toEqual(["q z", "q a"]);
  });

  it("are the same lists where one is empty", () => {
    expect(merged(stored, [])).toBe(stored);
    expect(merged([], live)).toBe(live);
  });

  it("tell what is under way", () => {
    const all = merged(stored, live);
    expect(underWay(all)?.runId).toBe("run_2");
    expect(underWay(stored)).toBeUndefined();
  });
});

describe("what became of a call", () => {
  it.each([
    ["running", null, "running"],
    ["done", null, "done"],
    ["failed", "failed", "failed"],
    ["failed", "denied", "denied"],
    ["failed", "invalid_arguments", "invalid_arguments"],
    ["failed", null, "failed"],
    ["stopped", null, "skipped"],
  ] as const)("%s, %s", (status, outcome, shown) => expect(outcomeOf({ status, outcome })).toBe(shown));

  it.each(["expired", undefined] as const)("as stored: %s", (outcome) => {
    const call = { type: "tool_call", tool_use_id: "t1", name: "mail", input: {} } as const;
    const result = { type: "tool_result", tool_use_id: "t1", name: "mail", result: {}, error: "Nobody was there." } as const;
    const parts = [call, outcome ? { ...result, outcome } : result];
    const [answer] = loaded(EMPTY, [{ ...said(1, "assistant"), parts }]).entries;
    expect(answer?.role === "assistant" ? answer.blocks[0] : null).toMatchObject({ status: "failed", outcome: outcome ?? null });
  });
});

describe("conversations by day", () => {
  const at = (created_at: string) => ({ id: created_at, created_at }) as Schemas["ConversationOut"];
  it("are grouped by the calendar, not by hours", () => {
    const now = new Date(2026, 2, 30, 0, 30);
    const times = [new Date(2026, 2, 30, 0, 10), new Date(2026, 2, 29, 23, 50), new Date(2026, 2, 28, 1), new Date(2026, 2, 10), new Date(2026, 0, 1)];
    const groups = grouped(times.map((time) => at(time.toISOString())), now);
    expect(groups.map(([age, items]) => [age, items.length])).toEqual([["today", 1], ["yesterday", 1], ["week", 1], ["month", 1], ["older", 1]]);
  });
});

describe("JSON", () => {
  it("is indented, texts stand as they are", () => expect([pretty({ a: 1 }), pretty("a\nb"), pretty(null)]).toEqual(['{\n  "a": 1\n}', "a\nb", "null"]));
  it("of arguments is an object", () => expect([parsedObject('{"a": 1}'), parsedObject("[1]"), parsedObject("null"), parsedObject("{")]).toEqual([{ a: 1 }, null, null, null]));
});

describe("a result", () => {
  it("is not shown again where it is what was said inside", () => {
    expect(saidAlready({ output: "42. ", result: { text: "42." } })).toBe(true);
    expect(saidAlready({ output: "", result: { text: "" } })).toBe(false);
    expect(saidAlready({ output: "42.", result: { text: "43." } })).toBe(false);
    expect(saidAlready({ output: "42.", result: { text: "42.", sources: [] } })).toBe(false);
    expect(saidAlready({ output: "42.", result: null })).toBe(false);
  });
});
