import { describe, expect, it } from "vitest";

import { matches } from "@/components/agents/agent-list";
import { recipeOf } from "@/components/agents/duplicate";
import { findModel, firstModel, nanoPrice, type Model, type ProviderOffer } from "@/components/agents/use-models";

const model = (id: string, output: string | null): Model => ({
  id,
  name: id,
  context_window: 1_000,
  max_output_tokens: null,
  prices: output === null ? null : { input: "1", output, cached_input: null, cache_write: null },
  capabilities: { tools: true, thinking: false, vision: false, temperature: true },
});

const offers = (usable: Partial<Record<ProviderOffer["id"], boolean>>): ProviderOffer[] => [
  { id: "anthropic", models: [model("dear", "75"), model("fair", "15")], usable: usable.anthropic ?? false },
  { id: "openai_compatible", models: [], usable: true },
  { id: "local", models: [model("small", "0")], usable: usable.local ?? false },
  { id: "scripted", models: [model("scripted", "0")], usable: true },
];

describe("the model to begin with", () => {
  it("is of who has a key, and not the dearest", () => expect(firstModel(offers({ anthropic: true }))).toEqual({ provider: "anthropic", model: "fair" }));
  it("is the embedded one where nobody has a key", () => expect(firstModel(offers({ local: true }))).toEqual({ provider: "local", model: "small" }));
  it("is a vendor's, whose key is asked for, rather than none", () => expect(firstModel(offers({}))?.provider).toBe("anthropic"));
  it("is none without a catalogue", () => expect(firstModel([])).toBeNull());
});

it("finds what the catalogue knows", () => {
  expect(findModel(offers({}), { provider: "anthropic", model: "fair" })?.id).toBe("fair");
  expect(findModel(offers({}), { provider: "openai", model: "fair" })).toBeNull();
});

it("counts prices in nano-dollars", () => expect([nanoPrice("0.075"), nanoPrice("3")]).toEqual([75_000_000, 3_000_000_000]));

it("copies a part without what is its own", () => {
  expect(recipeOf({ id: "tol_1", agent_id: "agt_1", revision: 3, created_at: "", updated_at: "", name: "x", credential_id: null, enabled: false })).toEqual({ name: "x", enabled: false });
});

it.each([
  ["help", true],
  ["HELP desk", true],
  ["help sales", false],
])("searches %s", (words, found) => expect(matches({ name: "Helper", description: "For the desk" }, words)).toBe(found));
