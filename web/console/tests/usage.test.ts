import { describe, expect, it } from "vitest";

import { dollarsOf, nanoOf, tokensOf } from "@/components/usage/dollars";
import { daysOf, rangeOf } from "@/components/usage/ranges";

describe("dollars", () => {
  it.each([
    ["", null],
    ["  ", null],
    ["0", 0],
    ["5", 5_000_000_000],
    ["0.1", 100_000_000],
    ["0,3", 300_000_000],
    [".07", 70_000_000],
    ["1.", 1_000_000_000],
    ["$ 2.50", 2_500_000_000],
    ["2,50 $", 2_500_000_000],
    ["4.35", 4_350_000_000],
    ["0.000000001", 1],
    ["123456.789012345", 123_456_789_012_345],
    ["1000000", 1_000_000_000_000_000],
    ["1000000.000000001", undefined],
    ["0.0000000001", undefined],
    ["-1", undefined],
    ["1e3", undefined],
    [".", undefined],
    ["1.2.3", undefined],
    ["ten", undefined],
  ])("%j", (text, nano) => expect(nanoOf(text)).toBe(nano));

  it.each([
    [null, ""],
    [0, "0"],
    [1, "0.000000001"],
    [2_500_000_000, "2.50"],
    [5_000_000_000, "5"],
    [4_350_000_000, "4.35"],
    [1_000_000_000_000_000, "1000000"],
  ])("%s nano-dollars are written, and read as the same", (nano, text) => {
    expect(dollarsOf(nano)).toBe(text);
    expect(nanoOf(text)).toBe(nano);
    expect(nanoOf(dollarsOf(nano, ","), ",")).toBe(nano);
  });
});

describe("thousands", () => {
  it.each([
    ["1,000", ".", 1_000_000_000_000],
    ["1,000", ",", 1_000_000_000],
    ["1.000", ",", 1_000_000_000_000],
    ["12.345,5", ",", 12_345_500_000_000],
    ["12,345.5", ".", 12_345_500_000_000],
    ["0,300", ".", 300_000_000],
    ["2.5", ",", 2_500_000_000],
    ["1,00,000", ".", undefined],
  ] as const)("%s with %s before decimals", (text, sign, nano) => expect(nanoOf(text, sign)).toBe(nano));
});

describe("tokens", () => {
  it.each([["", null], ["0", 0], ["1,000,000", 1_000_000], ["1.000 000", 1_000_000], ["-1", undefined], ["x", undefined], ["1000000000001", undefined], [".", undefined]])(
    "%j",
    (text, count) => expect(tokensOf(text)).toBe(count),
  );
});

describe("ranges", () => {
  const now = Date.parse("2026-03-02T23:30:00Z");
  const range = (query: string) => {
    const { from, to } = rangeOf(new URLSearchParams(query), now);
    return [from, to];
  };

  it.each([
    ["", "2026-02-01", "2026-03-02"],
    ["range=7d", "2026-02-24", "2026-03-02"],
    ["range=90d", "2025-12-03", "2026-03-02"],
    ["range=month", "2026-03-01", "2026-03-02"],
    ["range=custom&from=2026-01-05&to=2026-01-09", "2026-01-05", "2026-01-09"],
    ["range=custom&from=2026-02-31", "2026-02-01", "2026-03-02"],
    ["range=custom&from=2026-02-20&to=2026-02-10", "2026-02-10", "2026-02-10"],
    ["range=custom&from=2020-01-01&to=2026-03-31", "2025-12-01", "2026-03-02"],
    ["range=never", "2026-02-01", "2026-03-02"],
  ])("%s", (query, from, to) => expect(range(query)).toEqual([from, to]));

  it("have all their days, over the end of a month", () => {
    expect(daysOf({ from: "2026-02-27", to: "2026-03-02" })).toEqual(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
    expect(daysOf(rangeOf(new URLSearchParams("range=custom&from=2020-01-01"), now))).toHaveLength(92);
  });
});
