import { describe, expect, it } from "vitest";

import { loadMessages, NAMESPACES } from "@/i18n/messages";
import { routing } from "@/i18n/routing";

type Tree = { [name: string]: string | Tree };

function leaves(tree: Tree, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(tree)) {
    const here = path ? `${path}.${name}` : name;
    if (typeof value === "string") found.set(here, value);
    else for (const [deeper, words] of leaves(value, here)) found.set(deeper, words);
  }
  return found;
}

const placeholders = (words: string) => [...words.matchAll(/[{]\s*(\w+)|<(\w+)>/g)].map((match) => match[1] ?? match[2]).sort();

describe.each(routing.locales.filter((locale) => locale !== routing.defaultLocale))("%s", (locale) => {
  it.each(NAMESPACES)("says everything of %s, with the same values in it", async (namespace) => {
    const english = leaves((await loadMessages("en", [namespace])) as unknown as Tree);
    const other = leaves((await loadMessages(locale, [namespace])) as unknown as Tree);
    expect([...other.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [name, words] of english) {
      const said = other.get(name) ?? "";
      expect(said.trim(), name).not.toBe("");
      if (!words.includes(", plural") && !words.includes(", select")) expect(placeholders(said), name).toEqual(placeholders(words));
    }
  });
});
