import { describe, expect, it } from "vitest";

import { formats } from "@/lib/format";

const en = formats("en");

describe("money", () => {
  it.each([
    [null, "–"],
    [0, "$0.00"],
    [1, "$0.000000001"],
    [1_234_567, "$0.00123"],
    [12_345_678_901, "$12.35"],
  ])("%s nano-dollars", (amount, words) => expect(en.money(amount)).toBe(words));

  it("speaks the page's language", () => expect(formats("de").money(1_500_000_000).replace(/\s/g, " ")).toBe("1,50 $"));
});

describe("duration", () => {
  it.each([
    [undefined, "–"],
    [12.4, "12 ms"],
    [2_345, "2.35 s"],
    [23_450, "23.5 s"],
    [72_000, "1 min 12 s"],
  ])("%s ms", (value, words) => expect(en.duration(value)).toBe(words));
});

describe("ago", () => {
  const now = new Date("2026-01-31T12:00:00Z");
  it.each([
    ["2026-01-31T12:00:00Z", "now"],
    ["2026-01-31T11:57:10Z", "2 minutes ago"],
    ["2026-01-30T11:00:00Z", "yesterday"],
    ["2025-12-01T12:00:00Z", "2 months ago"],
  ])("%s", (time, words) => expect(en.ago(time, now)).toBe(words));
});
