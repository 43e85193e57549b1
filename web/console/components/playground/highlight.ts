// Colours for code. Comes when the first block of code is shown, each language with the first block of its own.

import hljs from "highlight.js/lib/core";
import type { LanguageFn } from "highlight.js";

type Grammar = () => Promise<{ default: LanguageFn }>;

const css: Grammar = () => import("highlight.js/lib/languages/css");
const javascript: Grammar = () => import("highlight.js/lib/languages/javascript");

/** Those that answers mostly hold, by their names, with those that they hold themselves. */
const GRAMMARS: Readonly<Record<string, Readonly<Record<string, Grammar>>>> = {
  bash: { bash: () => import("highlight.js/lib/languages/bash") },
  css: { css },
  go: { go: () => import("highlight.js/lib/languages/go") },
  java: { java: () => import("highlight.js/lib/languages/java") },
  javascript: { javascript },
  json: { json: () => import("highlight.js/lib/languages/json") },
  python: { python: () => import("highlight.js/lib/languages/python") },
  sql: { sql: () => import("highlight.js/lib/languages/sql") },
  typescript: { typescript: () => import("highlight.js/lib/languages/typescript") },
  xml: { xml: () => import("highlight.js/lib/languages/xml"), css, javascript },
  yaml: { yaml: () => import("highlight.js/lib/languages/yaml") },
};
const ALIASES = new Map(
  Object.entries({
    bash: ["sh", "zsh", "shell"],
    go: ["golang"],
    java: ["jsp"],
    javascript: ["js", "jsx", "mjs", "cjs"],
    json: ["jsonc", "json5"],
    python: ["py", "gyp", "ipython"],
    typescript: ["ts", "tsx", "mts", "cts"],
    xml: ["html", "xhtml", "rss", "atom", "xsl", "plist", "svg"],
    yaml: ["yml"],
  }).flatMap(([name, others]) => others.map((other) => [other, name] as const)),
);

/** The code as HTML, in which the code itself is escaped; null for languages that are not known. */
export async function highlighted(code: string, language: string): Promise<string | null> {
  const name = ALIASES.get(language) ?? language;
  if (!Object.hasOwn(GRAMMARS, name)) return null;
  const missing = Object.entries(GRAMMARS[name] ?? {}).filter(([one]) => !hljs.getLanguage(one));
  for (const [one, grammar] of missing) hljs.registerLanguage(one, (await grammar()).default);
  return hljs.highlight(code, { language: name, ignoreIllegals: true }).value;
}
