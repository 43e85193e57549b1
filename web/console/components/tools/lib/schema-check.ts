// What is wrong with a JSON Schema, as far as it can be said without compiling it: the page may not make code of data
// (its Content-Security-Policy), which is how validators check one. The API checks all of it when it is saved.

import { isObject, type Json, type JsonObject } from "./json";
import { resolved } from "./examples";

export interface SchemaFault {
  /** JSON Pointer. */
  readonly at: string;
  readonly code: "object" | "type" | "keyword" | "reference" | "required" | "pattern";
  readonly word: string;
}

const TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"];
const NUMBERS = "minLength maxLength minItems maxItems minProperties maxProperties minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split(" ");
const TEXTS = "title description $ref format pattern $id $schema $comment".split(" ");
const SCHEMAS = "items not if then else contains propertyNames additionalProperties unevaluatedProperties unevaluatedItems".split(" ");
const LISTS = "allOf anyOf oneOf prefixItems".split(" ");
const MAPS = "properties patternProperties $defs definitions dependentSchemas".split(" ");
const MOST = 20;

/** The faults of the input schema of a tool, the first few. */
export function schemaFaults(schema: JsonObject): SchemaFault[] {
  const found: SchemaFault[] = [];
  if (schema.type !== "object") found.push({ at: "", code: "object", word: "type" });
  visit(schema, "", schema, found);
  return found.slice(0, MOST);
}

function visit(schema: Json | undefined, at: string, root: JsonObject, found: SchemaFault[]): void {
  if (typeof schema === "boolean" || schema === undefined || found.length >= MOST) return;
  if (!isObject(schema)) {
    found.push({ at, code: "keyword", word: at.split("/").at(-1) ?? "" });
    return;
  }
  keywords(schema, at, root, found);
  for (const name of SCHEMAS) if (name in schema) visit(schema[name], `${at}/${name}`, root, found);
  for (const name of LISTS) {
    const list = schema[name];
    if (Array.isArray(list)) list.forEach((one, index) => visit(one, `${at}/${name}/${index}`, root, found));
    else if (list !== undefined) found.push({ at: `${at}/${name}`, code: "keyword", word: name });
  }
  for (const name of MAPS) {
    const map = schema[name];
    if (isObject(map)) for (const [key, one] of Object.entries(map)) visit(one, `${at}/${name}/${key}`, root, found);
    else if (map !== undefined) found.push({ at: `${at}/${name}`, code: "keyword", word: name });
  }
}

function keywords(schema: JsonObject, at: string, root: JsonObject, found: SchemaFault[]): void {
  const wrong = (name: string, code: SchemaFault["code"] = "keyword", word = name) => found.push({ at: `${at}/${name}`, code, word });
  const types = Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type];
  for (const type of types) if (typeof type !== "string" || !TYPES.includes(type)) wrong("type", "type", String(type));
  for (const name of NUMBERS) if (name in schema && typeof schema[name] !== "number") wrong(name);
  for (const name of TEXTS) if (name in schema && typeof schema[name] !== "string") wrong(name);
  if ("enum" in schema && !Array.isArray(schema.enum)) wrong("enum");
  if (typeof schema.pattern === "string" && !isPattern(schema.pattern)) wrong("pattern", "pattern", schema.pattern);
  if (typeof schema.$ref === "string" && !leads(schema.$ref, root)) wrong("$ref", "reference", schema.$ref);
  if ("required" in schema) {
    const names = schema.required;
    if (!Array.isArray(names)) return void wrong("required");
    const known = isObject(schema.properties) ? schema.properties : {};
    if (at === "") for (const name of names) if (typeof name !== "string" || !(name in known)) wrong("required", "required", String(name));
  }
}

function isPattern(pattern: string): boolean {
  try {
    return Boolean(new RegExp(pattern, "u"));
  } catch {
    return false;
  }
}

function leads(reference: string, root: JsonObject): boolean {
  return reference === "#" || (reference.startsWith("#/") && Object.keys(resolved({ $ref: reference }, root)).length > 0);
}
