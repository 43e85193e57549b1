import { describe, expect, it } from "vitest";

import { fits } from "@/components/shell/palette";

describe("the palette", () => {
  it("finds what has all words, first what begins with them", () => {
    expect(fits("Example assistant agt_1", "example ass")).toBe(1);
    expect(fits("Example assistant agt_1", "ASSIST")).toBe(0.5);
    expect(fits("Dark", "theme", ["Theme"])).toBe(0.5);
  });

  it("does not find letters that are far apart", () => {
    expect(fits("Donaudampfschifffahrtskapitän", "dark")).toBe(0);
  });
});
