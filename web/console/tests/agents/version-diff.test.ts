import { describe, expect, it } from "vitest";

import { diffOf, isEmpty, linesOf, summaryOf, type Line } from "@/components/agents/version-diff";

import { AGENT, version } from "./fixtures";

const part = (id: string, name: string, revision = 1) => ({ id, name, revision });
const shown = (lines: readonly Line[]) => lines.map((line) => (line.kind === "gap" ? `… ${line.hidden}` : `${{ same: " ", added: "+", removed: "-" }[line.kind]}${line.pieces.map((piece) => piece.text).join("")}`));

describe("two versions", () => {
  it("that are alike have no difference", () => expect(isEmpty(diffOf(version(1), version(2)))).toBe(true));

  it("show settings before and after", () => {
    const after = version(2, { name: "Other", model_config: { ...AGENT.model_config, temperature: null, reasoning_effort: "high" } });
    expect(diffOf(version(1), after).settings).toEqual([
      { field: "name", before: "Helper", after: "Other" },
      { field: "temperature", before: 0.2, after: null },
      { field: "reasoning_effort", before: null, after: "high" },
    ]);
    expect(summaryOf(version(1), after)).toEqual(["name", "temperature", "reasoning_effort"]);
  });

  it("show tools that came, went, changed, were renamed", () => {
    const before = version(1, { tools: [part("a", "stays"), part("b", "goes"), part("c", "old"), part("d", "edited")] });
    const after = version(2, { tools: [part("a", "stays"), part("c", "new", 2), part("d", "edited", 2), part("e", "comes", 2)] });
    expect(diffOf(before, after).tools).toEqual([
      { id: "c", name: "new", formerly: "old", change: "changed" },
      { id: "d", name: "edited", formerly: null, change: "changed" },
      { id: "e", name: "comes", formerly: null, change: "added" },
      { id: "b", name: "goes", formerly: null, change: "removed" },
    ]);
    expect(summaryOf(before, after)).toEqual(["tools"]);
  });
});

describe("instructions", () => {
  const numbered = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);

  it("fold what is far from a change", () => {
    const changed = numbered.with(5, "line six");
    const diff = diffOf(version(1, { system_prompt: numbered.join("\n") }), version(2, { system_prompt: changed.join("\n") }));
    expect(shown(diff.instructions)).toEqual(["… 2", " line 3", " line 4", " line 5", "-line 6", "+line six", " line 7", " line 8", " line 9", "… 3"]);
  });

  it("mark the words that differ where a line was replaced by one line", () => {
    const [removed, added] = linesOf("Be kind and short.", "Be kind and brief.");
    expect(removed).toMatchObject({ kind: "removed", before: 1, after: null });
    expect(removed?.pieces.filter((piece) => piece.changed).map((piece) => piece.text)).toEqual(["short"]);
    expect(added?.pieces.filter((piece) => piece.changed).map((piece) => piece.text)).toEqual(["brief"]);
  });

  it("count lines on both sides, with no end of line at the end", () => {
    expect(linesOf("a\nb", "a\nnew\nb\n").map((line) => [line.kind, line.before, line.after])).toEqual([
      ["same", 1, 1],
      ["added", null, 2],
      ["same", 2, 3],
    ]);
    expect(shown(linesOf("", "a"))).toEqual(["+a"]);
  });
});
