// What a new agent can begin as. Names, descriptions and instructions are words: `agents.templates.<id>`.

import type { BuiltinTool } from "./values";

interface Template {
  readonly id: "support" | "research" | "analyst" | "translator" | "operator";
  readonly builtin_tools: readonly BuiltinTool[];
  /** Where facts count more than ideas; left out for models that do not take it. */
  readonly temperature: number;
}

export type TemplateId = Template["id"] | "blank";

export const TEMPLATES: readonly Template[] = [
  { id: "support", builtin_tools: ["current_time"], temperature: 0.3 },
  { id: "research", builtin_tools: ["current_time", "calculator"], temperature: 0.4 },
  { id: "analyst", builtin_tools: ["current_time", "calculator"], temperature: 0.1 },
  { id: "translator", builtin_tools: [], temperature: 0.2 },
  { id: "operator", builtin_tools: ["current_time", "calculator"], temperature: 0.1 },
];
