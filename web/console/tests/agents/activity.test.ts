import { describe, expect, it } from "vitest";

import { runsByAgent } from "@/components/agents/activity";
import { formats } from "@/lib/format";

const priced = (amount_nanousd: number | null) => ({ amount_nanousd, unpriced_steps: 0 });

describe("what agents did lately", () => {
  it("is the sum of their days, and the newest with a run", () => {
    const found = runsByAgent([
      { agent_id: "a", day: "2026-11-20", runs: 2, cost: priced(5) },
      { agent_id: "b", day: "2026-11-21", runs: 1, cost: priced(null) },
      { agent_id: "a", day: "2026-11-22", runs: 1, cost: priced(null) },
      { agent_id: "a", day: "2026-11-23", runs: 0, cost: priced(7) },
    ]);
    expect(found.get("a")).toEqual({ runs: 3, cost: 12, last: "2026-11-22" });
    expect(found.get("b")).toEqual({ runs: 1, cost: null, last: "2026-11-21" });
    expect(found.get("c")).toBeUndefined();
  });

  it("has no last day where the days are not told", () => {
    expect(runsByAgent([{ agent_id: "a", runs: 3, cost: priced(1) }]).get("a")).toEqual({ runs: 3, cost: 1, last: null });
  });

  it("is said in days", () => {
    const now = new Date("2026-11-23T00:10:00Z");
    expect(["2026-11-23", "2026-11-22", "2026-11-13"].map((day) => formats("en").daysAgo(day, now))).toEqual(["today", "yesterday", "10 days ago"]);
    expect(formats("de").daysAgo("2026-11-22", now)).toBe("gestern");
  });
});
