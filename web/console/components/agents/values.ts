// What can be set of an agent, as values to compare and as texts to edit; what was changed becomes a merge patch.

import type { Schemas } from "@/lib/api";

export type AgentOut = Schemas["AgentOut"];
export type Provider = Schemas["LlmConfig"]["provider"];
export type Effort = NonNullable<Schemas["LlmConfig"]["reasoning_effort"]>;
export type BuiltinTool = AgentOut["builtin_tools"][number];
export type Status = AgentOut["status"];

export interface ModelRef {
  readonly provider: Provider;
  readonly model: string;
}

/** What a version keeps; provider and model are one thing, since a half of each is none. */
export interface Content {
  readonly name: string;
  readonly description: string;
  readonly system_prompt: string;
  readonly model: ModelRef;
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly max_tokens: number | null;
  readonly reasoning_effort: Effort | null;
  readonly base_url: string | null;
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly builtin_tools: readonly BuiltinTool[];
}

export interface Values extends Content {
  readonly status: Status;
}

export type Field = keyof Values;

export const FIELDS: readonly Field[] = [
  "name",
  "description",
  "status",
  "system_prompt",
  "model",
  "base_url",
  "temperature",
  "top_p",
  "max_tokens",
  "reasoning_effort",
  "options",
  "builtin_tools",
];

export const EFFORTS: readonly Effort[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
export const BUILTIN_TOOLS: readonly BuiltinTool[] = ["current_time", "calculator"];
export const STATUSES: readonly Status[] = ["draft", "active", "inactive"];

/** The content of an agent or of one of its versions. */
export function contentOf(agent: Omit<Schemas["AgentCreate"], "status"> & Pick<AgentOut, "builtin_tools">): Content {
  const { provider, model, ...config } = agent.model_config;
  return {
    name: agent.name,
    description: agent.description ?? "",
    system_prompt: agent.system_prompt ?? "",
    model: { provider, model },
    temperature: config.temperature ?? null,
    top_p: config.top_p ?? null,
    max_tokens: config.max_tokens ?? null,
    reasoning_effort: config.reasoning_effort ?? null,
    base_url: config.base_url ?? null,
    options: config.options && Object.keys(config.options).length ? config.options : null,
    builtin_tools: BUILTIN_TOOLS.filter((name) => agent.builtin_tools.includes(name)),
  };
}

export function valuesOf(agent: AgentOut): Values {
  return { ...contentOf(agent), status: agent.status };
}

/** Equality of JSON: the order of an object's members says nothing. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [mine, theirs] = [Object.entries(one), other as Record<string, unknown>];
  return mine.length === Object.keys(theirs).length && mine.every(([name, value]) => name in theirs && same(value, theirs[name]));
}

/** The fields in which `values` differ from `base`. */
export function changedFields(base: Values, values: Values): Field[] {
  return FIELDS.filter((field) => !same(base[field], values[field]));
}

type Json = Record<string, unknown>;

/** The merge patch (RFC 7396) that makes `to` of `from`. */
export function mergePatch(from: Readonly<Json>, to: Readonly<Json>): Json {
  const patch: Json = {};
  for (const name of Object.keys(from)) if (!(name in to)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const before = from[name];
    if (same(before, value)) continue;
    patch[name] = isObject(before) && isObject(value) ? mergePatch(before, value) : value;
  }
  return patch;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What to send so that `base` becomes `values`: nothing but what differs. */
export function patchOf(base: Values, values: Values): Schemas["AgentPatch"] {
  const patch: Schemas["AgentPatch"] = {};
  const config: Schemas["LlmConfigPatch"] = {};
  const set = <T extends object, K extends keyof T>(target: T, key: K, value: T[K]) => {
    target[key] = value;
  };
  for (const field of changedFields(base, values)) {
    if (field === "model") {
      if (base.model.provider !== values.model.provider) config.provider = values.model.provider;
      if (base.model.model !== values.model.model) config.model = values.model.model;
    } else if (field === "options") {
      config.options = base.options && values.options ? mergePatch(base.options, values.options) : (values.options as Json | null);
    } else if (field === "builtin_tools") patch.builtin_tools = [...values.builtin_tools];
    else if (field === "name" || field === "description" || field === "status" || field === "system_prompt") set(patch, field, values[field]);
    else set(config, field, values[field]);
  }
  if (Object.keys(config).length) patch.model_config = config;
  return patch;
}

/** The field of the form that an error of the API speaks of. */
export function fieldOf(pointer: string): Field | null {
  const [first = "", second = ""] = pointer.split(".");
  const name = first === "model_config" ? (second === "provider" || second === "" ? "model" : second) : first;
  return FIELDS.find((field) => field === name) ?? null;
}
