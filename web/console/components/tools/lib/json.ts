// JSON values, and what is done with them everywhere in the tools.

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** The object of a text, or null where it is none. */
export function objectOf(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function same(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

export function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1))) : inner,
  );
}

/** The merge patch (RFC 7396) that makes `after` of `before`. A null within an object cannot be said by one and is left out. */
export function mergePatch(before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of Object.keys(before)) if (!(name in after) && before[name] !== null) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (same(old, value) || (value === null && old === undefined)) continue;
    patch[name] = isObject(value) && isObject(old) ? mergePatch(old, value) : value;
  }
  return patch;
}
