import { describe, expect, it } from "vitest";

import { linesOf, portsOf } from "@/components/settings/lines";
import { amountOf, emptyRow, faultsOf, moved, priceOf, rowOf } from "@/components/settings/price-rows";

describe("lists of hosts and ports", () => {
  it("are parted by lines, commas and spaces, each once", () => {
    expect(linesOf(" a.example.com\n*.example.org, 198.41.0.0/24;a.example.com\n")).toEqual(["a.example.com", "*.example.org", "198.41.0.0/24"]);
    expect(linesOf("")).toEqual([]);
  });

  it.each([["80, 443", [80, 443]], ["", []], ["0", undefined], ["65536", undefined], ["http", undefined], ["80-90", undefined]])("%j", (text, ports) =>
    expect(portsOf(text)).toEqual(ports),
  );
});

describe("prices", () => {
  it.each([["0,15", "0.15"], ["$ 3", "3"], [".5", "0.5"], ["2.", "2"], [" 1.000000001 ", "1.000000001"]])("%j is %j", (text, amount) => expect(amountOf(text)).toBe(amount));

  it("are what they were when they are read and written", () => {
    const price = { provider: "openai" as const, model: "gpt-*", input: "0.15", cached_input: null, cache_write: "0.2", output: "0.6" };
    expect(priceOf(rowOf(price))).toEqual(price);
    expect(rowOf(price, ",").input).toBe("0,15");
    expect(priceOf(rowOf(price, ","))).toEqual(price);
  });

  it("say what is missing or wrong", () => {
    expect(faultsOf(emptyRow())).toEqual(["model", "input", "output"]);
    expect(faultsOf({ ...emptyRow(), model: "m", input: "1", output: "1e3", cached_input: "-1" })).toEqual(["cached_input", "output"]);
    expect(faultsOf({ ...emptyRow(), model: "m", input: "1", output: "0" })).toEqual([]);
  });

  it("change places, and stay within the list", () => {
    expect(moved(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
    expect(moved(["a", "b"], 1, 1)).toEqual(["a", "b"]);
  });
});
