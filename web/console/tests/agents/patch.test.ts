import { describe, expect, it } from "vitest";

import { draftOf, read, rebased, type Draft } from "@/components/agents/draft";
import { changedFields, fieldOf, mergePatch, patchOf, same } from "@/components/agents/values";

import { BASE } from "./fixtures";

describe("the patch of an agent", () => {
  it("is empty where nothing differs, whatever the order of names", () => {
    expect(patchOf(BASE, { ...BASE, options: { tags: ["x"], metadata: { team: "b", user: "a" } } })).toEqual({});
    expect(changedFields(BASE, read(draftOf(BASE)).values)).toEqual([]);
  });

  it("has what was changed and nothing else", () => {
    expect(patchOf(BASE, { ...BASE, name: "Other", status: "active" })).toEqual({ name: "Other", status: "active" });
    expect(patchOf(BASE, { ...BASE, model: { provider: "anthropic", model: "claude-opus-5" } })).toEqual({ model_config: { model: "claude-opus-5" } });
    expect(patchOf(BASE, { ...BASE, builtin_tools: [] })).toEqual({ builtin_tools: [] });
  });

  it("removes by null", () => {
    expect(patchOf(BASE, { ...BASE, temperature: null, options: null })).toEqual({ model_config: { temperature: null, options: null } });
  });

  it("goes into options, where what is left out is removed and arrays are replaced", () => {
    expect(patchOf(BASE, { ...BASE, options: { metadata: { user: "c" }, tags: ["x", "y"] } })).toEqual({
      model_config: { options: { metadata: { user: "c", team: null }, tags: ["x", "y"] } },
    });
    expect(patchOf({ ...BASE, options: null }, { ...BASE, options: { a: 1 } })).toEqual({ model_config: { options: { a: 1 } } });
    expect(mergePatch({ a: [1] }, { a: { b: 1 } })).toEqual({ a: { b: 1 } });
  });
});

describe("equality", () => {
  it.each([
    [[1], { 0: 1 }, false],
    [{ a: undefined }, { b: undefined }, false],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
    [null, {}, false],
  ])("of %j and %j", (one, other, equal) => expect(same(one, other)).toBe(equal));
});

describe("what is typed", () => {
  const typed = (change: Partial<Draft>) => read({ ...draftOf(BASE), ...change });

  it("takes a decimal comma, and nothing for a default", () => {
    expect(typed({ temperature: " 0,7 " }).values.temperature).toBe(0.7);
    expect(typed({ temperature: " " })).toMatchObject({ values: { temperature: null }, problems: {} });
  });

  it.each<[Partial<Draft>, string]>([
    [{ temperature: "warm" }, "notNumber"],
    [{ temperature: "2.1" }, "range02"],
    [{ top_p: "-1" }, "range01"],
    [{ max_tokens: "1.5" }, "notInteger"],
    [{ max_tokens: "0" }, "rangeTokens"],
    [{ options: "{" }, "notJson"],
    [{ options: "[1]" }, "notObject"],
    [{ options: '{"a": {"b": null}}' }, "nulls"],
    [{ name: "  " }, "nameMissing"],
    [{ model: { provider: "openai_compatible", model: "m" } }, "baseUrlMissing"],
    [{ base_url: "models.example.com" }, "baseUrl"],
    [{ system_prompt: "x".repeat(100_001) }, "tooLong"],
  ])("%j is refused", (change, problem) => expect(Object.values(typed(change).problems)).toEqual([problem]));

  it("stays on another base, and the rest follows", () => {
    const [before, after] = [draftOf(BASE), draftOf({ ...BASE, name: "Theirs", description: "New" })];
    expect(rebased({ ...before, name: "Mine" }, before, after)).toMatchObject({ name: "Mine", description: "New" });
  });
});

describe("the field of an error", () => {
  it.each([
    ["name", "name"],
    ["model_config.temperature", "temperature"],
    ["model_config.provider", "model"],
    ["model_config.options.a.b", "options"],
    ["builtin_tools.0", "builtin_tools"],
    ["elsewhere", null],
  ])("%s", (pointer, field) => expect(fieldOf(pointer)).toBe(field));
});
