import { expect, it } from "vitest";

import { chosen, differences } from "@/components/agents/conflict";
import { patchOf } from "@/components/agents/values";

import { BASE } from "./fixtures";

const mine = { ...BASE, name: "Mine", temperature: 0.9, description: "Same" };
const theirs = { ...BASE, name: "Theirs", system_prompt: "Be brief.", description: "Same" };

it("tells who changed what; what both made alike is no difference", () => {
  expect(differences(BASE, mine, theirs)).toEqual([
    { field: "name", both: true, side: "mine" },
    { field: "system_prompt", both: false, side: "theirs" },
    { field: "temperature", both: false, side: "mine" },
  ]);
});

it("joins what was chosen, as a patch of what they saved", () => {
  const sides = new Map(differences(BASE, mine, theirs).map((one) => [one.field, one.side]));
  expect(patchOf(theirs, chosen(mine, theirs, sides))).toEqual({ name: "Mine", model_config: { temperature: 0.9 } });
  sides.set("name", "theirs").set("temperature", "theirs");
  expect(patchOf(theirs, chosen(mine, theirs, sides))).toEqual({});
});
