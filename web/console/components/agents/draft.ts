// What is being typed in the form: texts, which may not be values yet.

import { same, type Field, type Values } from "./values";

type Typed = "temperature" | "top_p" | "max_tokens" | "reasoning_effort" | "base_url" | "options";

export type Draft = Omit<Values, Typed> & Record<Exclude<Typed, "reasoning_effort">, string> & Pick<Values, "reasoning_effort">;

/** Why a text is no value; the words are `agents.settings.problems.*`. */
export type Problem = "nameMissing" | "modelMissing" | "notNumber" | "notInteger" | "range01" | "range02" | "rangeTokens" | "baseUrlMissing" | "baseUrl" | "notJson" | "notObject" | "nulls" | "tooLong";

export type Problems = Partial<Record<Field, Problem>>;

const LIMITS = { name: 100, description: 2_000, system_prompt: 100_000 } as const;

export const PROMPT_LIMIT = LIMITS.system_prompt;

export function draftOf(values: Values): Draft {
  const text = (value: number | string | null) => (value === null ? "" : String(value));
  return {
    ...values,
    temperature: text(values.temperature),
    top_p: text(values.top_p),
    max_tokens: text(values.max_tokens),
    base_url: text(values.base_url),
    options: values.options ? JSON.stringify(values.options, null, 2) : "",
  };
}

/** The values that a draft stands for, and what is wrong with it. */
export function read(draft: Draft): { values: Values; problems: Problems } {
  const problems: Problems = {};
  const number = (field: "temperature" | "top_p" | "max_tokens", low: number, high: number, range: Problem) => {
    const text = draft[field].trim().replace(",", ".");
    if (!text) return null;
    const value = Number(text);
    if (!Number.isFinite(value)) problems[field] = "notNumber";
    else if (field === "max_tokens" && !Number.isInteger(value)) problems[field] = "notInteger";
    else if (value < low || value > high) problems[field] = range;
    return value;
  };
  const baseUrl = draft.base_url.trim();
  if (!draft.name.trim()) problems.name = "nameMissing";
  for (const field of ["name", "description", "system_prompt"] as const) if ([...draft[field]].length > LIMITS[field]) problems[field] = "tooLong";
  if (!draft.model.model.trim()) problems.model = "modelMissing";
  if (!baseUrl && draft.model.provider === "openai_compatible") problems.base_url = "baseUrlMissing";
  if (baseUrl && !/^https?:\/\/[^\s/]+/.test(baseUrl)) problems.base_url = "baseUrl";
  const options = readOptions(draft.options);
  if (typeof options === "string") problems.options = options;
  const values: Values = {
    ...draft,
    temperature: number("temperature", 0, 2, "range02"),
    top_p: number("top_p", 0, 1, "range01"),
    max_tokens: number("max_tokens", 1, 1_000_000, "rangeTokens"),
    base_url: baseUrl || null,
    options: typeof options === "string" ? null : options,
  };
  return { values, problems };
}

function readOptions(text: string): Record<string, unknown> | null | Problem {
  if (!text.trim()) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "notJson";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "notObject";
  // A merge patch cannot say null: it removes.
  if (hasNull(value as Record<string, unknown>)) return "nulls";
  return Object.keys(value).length ? (value as Record<string, unknown>) : null;
}

function hasNull(value: Record<string, unknown>): boolean {
  return Object.values(value).some((one) => one === null || (typeof one === "object" && !Array.isArray(one) && hasNull(one as Record<string, unknown>)));
}

/** `draft` on another base: what was typed stays, the rest becomes as `next` is. */
export function rebased(draft: Draft, base: Draft, next: Draft): Draft {
  const kept = Object.entries(draft).filter(([field, value]) => !same(value, base[field as keyof Draft]));
  return { ...next, ...Object.fromEntries(kept) };
}
