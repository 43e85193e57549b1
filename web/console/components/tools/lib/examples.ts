// Example arguments of a JSON Schema: something to begin a test with.

import { isObject, without, type Json, type JsonObject } from "./json";

const FORMATS: Record<string, string> = {
  date: "2026-01-31",
  "date-time": "2026-01-31T12:00:00Z",
  time: "12:00:00Z",
  email: "ann@example.com",
  uri: "https://example.com",
  url: "https://example.com",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
  ipv4: "192.0.2.1",
  hostname: "example.com",
};
const DEPTH = 8;

/** The schema that a `$ref` into the schema's own definitions leads to. */
export function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  let here = schema;
  for (let step = 0; step < DEPTH && typeof here.$ref === "string"; step += 1) {
    const { $ref, ...rest } = here;
    const found = String($ref)
      .replace(/^#\/?/, "")
      .split("/")
      .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<Json | undefined>((at, part) => (isObject(at) ? at[part] : undefined), root);
    if (!isObject(found)) return rest;
    here = { ...found, ...rest };
  }
  return here;
}

/** A value that the schema is likely to take. Of an object: what is required, and what says an example or a default. */
export function exampleOf(schema: Json | undefined, root: JsonObject = isObject(schema) ? schema : {}, depth = 0): Json {
  if (!isObject(schema)) return null;
  const given = toldBy(schema);
  if (given !== undefined) return given;
  const whole = resolved(schema, root);
  const told = toldBy(whole);
  if (told !== undefined) return told;
  for (const name of ["oneOf", "anyOf", "allOf"]) {
    const [first] = Array.isArray(whole[name]) ? whole[name] : [];
    if (isObject(first) && !("properties" in whole)) return depth < DEPTH ? exampleOf({ ...without(whole, name), ...first }, root, depth + 1) : null;
  }
  const type = Array.isArray(whole.type) ? whole.type.find((one) => one !== "null") : whole.type;
  if (type === "object" || (type === undefined && isObject(whole.properties))) return exampleObject(whole, root, depth);
  if (type === "array") {
    const count = typeof whole.minItems === "number" ? Math.min(whole.minItems, 3) : 0;
    return depth < DEPTH ? Array.from({ length: count }, () => exampleOf(whole.items, root, depth + 1)) : [];
  }
  if (type === "boolean") return false;
  if (type === "integer" || type === "number") return exampleNumber(whole);
  if (type === "null") return null;
  return exampleText(whole);
}

function toldBy(schema: JsonObject): Json | undefined {
  if (Array.isArray(schema.examples) && schema.examples.length) return schema.examples[0];
  for (const name of ["example", "default", "const"]) if (schema[name] !== undefined) return schema[name];
  return Array.isArray(schema.enum) && schema.enum.length ? schema.enum[0] : undefined;
}

function exampleObject(schema: JsonObject, root: JsonObject, depth: number): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  const made: JsonObject = {};
  if (depth >= DEPTH) return made;
  for (const [name, property] of Object.entries(properties)) {
    const told = isObject(property) && toldBy(property) !== undefined;
    if (required.includes(name) || told) made[name] = exampleOf(property, root, depth + 1);
  }
  return made;
}

function exampleNumber(schema: JsonObject): number {
  const { minimum, exclusiveMinimum, maximum } = schema;
  if (typeof minimum === "number") return minimum;
  if (typeof exclusiveMinimum === "number") return exclusiveMinimum + 1;
  return typeof maximum === "number" ? Math.min(maximum, 1) : 1;
}

function exampleText(schema: JsonObject): string {
  const known = typeof schema.format === "string" ? FORMATS[schema.format] : undefined;
  if (known) return known;
  const shortest = typeof schema.minLength === "number" ? schema.minLength : 0;
  return "x".repeat(Math.min(shortest, 100));
}
