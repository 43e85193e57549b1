// The parameters of an HTTP tool as rows of a table, and the JSON Schema of its input, which say the same in two ways.

import type { Schemas } from "@/lib/api";
import { newId } from "@/lib/ids";

import { isObject, without, type JsonObject } from "./json";
import { freeName, pathNames, plainName } from "./names";

type Parameter = Schemas["Parameter"];

export const PLACES = ["path", "query", "header", "cookie", "body"] as const;
export type Place = (typeof PLACES)[number];
export const TYPES = ["string", "integer", "number", "boolean", "array", "object"] as const;
export type RowType = (typeof TYPES)[number] | "other";

export interface Row {
  readonly key: string;
  readonly place: Place;
  /** As the API names it. */
  readonly name: string;
  /** Property of the input that fills it; of a part of the body its name. */
  readonly argument: string;
  /** Always the same value, which no model sees. */
  readonly fixed: boolean;
  readonly value: string;
  readonly required: boolean;
  /** What the schema says of the property. */
  readonly schema: JsonObject;
  /** How it is written, where an import said so. */
  readonly rest: Partial<Parameter>;
}

export interface BodyDraft {
  readonly kind: Schemas["Body"]["kind"];
  readonly argument: string;
  readonly contentType: string;
  /** What the schema says of the body, without its rows. */
  readonly schema: JsonObject;
  readonly required: boolean;
  readonly rest: Partial<Schemas["Body"]>;
}

export interface Shape {
  readonly rows: readonly Row[];
  readonly body: BodyDraft | null;
}

export function newRow(place: Place, name = "", taken: readonly Row[] = []): Row {
  const argument = name ? freeArgument(name, place, taken) : "";
  return { key: newId(), place, name, argument, fixed: false, value: "", required: place === "path", schema: { type: "string" }, rest: {} };
}

function freeArgument(name: string, place: Place, rows: readonly Row[]): string {
  if (place === "body") return name;
  return freeName(plainName(name) || "value", rows.filter((row) => row.place !== "body").map((row) => row.argument));
}

/** The row under another name: its argument follows, unless it had one of its own. */
export function renamed(row: Row, name: string, others: readonly Row[]): Row {
  const own = row.argument && row.place !== "body" && !row.argument.startsWith(plainName(row.name) || "value");
  return { ...row, name, argument: own ? row.argument : name ? freeArgument(name, row.place, others) : "" };
}

/** The rows with those that the path's braces name, and none that it does not. */
export function withPath(rows: readonly Row[], path: string): Row[] {
  const names = pathNames(path);
  const there = rows.filter((row) => row.place === "path" && names.includes(row.name));
  const others = rows.filter((row) => row.place !== "path");
  const free = rows.filter((row) => row.place === "path" && !names.includes(row.name));
  const made = names.map((name) => {
    const known = there.find((row) => row.name === name);
    if (known) return known;
    // While a name is typed its row stays the same one.
    const before = free.shift();
    return before ? renamed(before, name, others) : newRow("path", name, others);
  });
  return [...made, ...others];
}

export function typeOf(schema: JsonObject): RowType {
  const type = schema.type;
  return TYPES.find((one) => one === type) ?? "other";
}

const DETAILS = ["description", "title", "default", "examples"];

/** The schema with another type: what belonged to the old one goes. */
export function retyped(schema: JsonObject, type: Exclude<RowType, "other">): JsonObject {
  const kept = Object.fromEntries(Object.entries(schema).filter(([name]) => DETAILS.slice(0, 2).includes(name)));
  return { type, ...kept, ...(type === "array" ? { items: { type: "string" } } : {}) };
}

export function described(schema: JsonObject, description: string): JsonObject {
  return { ...without(schema, "description"), ...(description ? { description } : {}) };
}

/** Whether the parts of the body can be rows: it is a plain object. */
export function hasParts(body: BodyDraft | null): boolean {
  return body !== null && body.kind !== "raw" && body.schema.type === "object" && !("$ref" in body.schema);
}

/**
 * The schema that says what the rows and the body say. Of `before` stays what they say nothing of: its definitions, and
 * with `foreign` the properties that no row fills.
 */
export function schemaOf({ rows, body }: Shape, before: JsonObject = {}, foreign: readonly string[] = []): JsonObject {
  const { properties: old, required: wanted, ...rest } = before;
  const properties: JsonObject = {};
  const required: string[] = [];
  for (const row of rows) {
    if (row.fixed || row.place === "body" || !row.argument) continue;
    properties[row.argument] = row.schema;
    if (row.required) required.push(row.argument);
  }
  if (body) {
    const parts = rows.filter((row) => row.place === "body" && row.name);
    properties[body.argument] = hasParts(body) ? bodySchema(body, parts) : body.schema;
    if (body.required || parts.some((row) => row.required)) required.push(body.argument);
  }
  for (const name of foreign) {
    const property = isObject(old) ? old[name] : undefined;
    if (property === undefined || name in properties) continue;
    properties[name] = property;
    if (Array.isArray(wanted) && wanted.includes(name)) required.push(name);
  }
  const made: JsonObject = { type: "object", properties };
  if (required.length) made.required = required;
  return { ...made, additionalProperties: false, ...without(rest, "type") };
}

function bodySchema(body: BodyDraft, parts: readonly Row[]): JsonObject {
  const required = parts.filter((row) => row.required).map((row) => row.name);
  return {
    ...without(body.schema, "properties", "required"),
    properties: Object.fromEntries(parts.map((row) => [row.name, row.schema])),
    ...(required.length ? { required } : {}),
  };
}

function requiredOf(schema: JsonObject): readonly unknown[] {
  return Array.isArray(schema.required) ? schema.required : [];
}

/** Rows and body as a schema that was written by hand says. */
export function withSchema({ rows, body }: Shape, schema: JsonObject): Shape {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = requiredOf(schema);
  const own = rows
    .filter((row) => row.place !== "body")
    .map((row) => {
      const property = properties[row.argument];
      if (row.fixed || !isObject(property)) return row;
      return { ...row, schema: property, required: required.includes(row.argument) };
    });
  if (!body) return { rows: own, body };
  const property = properties[body.argument];
  if (!isObject(property)) return { rows: [...own, ...rows.filter((row) => row.place === "body")], body };
  const next = { ...body, schema: property, required: required.includes(body.argument) };
  return { rows: [...own, ...partsOf(next, rows)], body: next };
}

function partsOf(body: BodyDraft, before: readonly Row[]): Row[] {
  if (!hasParts(body)) return [];
  const properties = isObject(body.schema.properties) ? body.schema.properties : {};
  const required = requiredOf(body.schema);
  return Object.entries(properties).map(([name, property]) => {
    const known = before.find((row) => row.place === "body" && row.name === name) ?? newRow("body", name);
    return { ...known, required: required.includes(name), schema: isObject(property) ? property : {} };
  });
}

export interface Disagreement {
  /** Properties of the schema that fill nothing. */
  readonly unused: string[];
  /** Arguments that the schema has not. */
  readonly missing: string[];
}

/** Where the schema and the parameters differ: the API takes a tool only where they do not. */
export function disagreement({ rows, body }: Shape, schema: JsonObject): Disagreement {
  const properties = Object.keys(isObject(schema.properties) ? schema.properties : {});
  const used = rows.filter((row) => row.place !== "body" && !row.fixed && row.argument).map((row) => row.argument);
  if (body) used.push(body.argument);
  return { unused: properties.filter((name) => !used.includes(name)), missing: used.filter((name) => !properties.includes(name)) };
}

export function shapeOf(tool: Pick<Schemas["HttpTool"], "parameters" | "body" | "input_schema">): Shape {
  const rows = (tool.parameters ?? []).map(({ name, location, argument, value, ...rest }): Row => ({
    ...newRow(location, name),
    argument: argument ?? "",
    fixed: !argument,
    value: argument ? "" : textOf(value),
    rest: argument ? rest : { ...rest, value },
  }));
  const body: BodyDraft | null = tool.body ? bodyDraft(tool.body) : null;
  return withSchema({ rows, body }, tool.input_schema as JsonObject);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

function bodyDraft({ kind, argument = "body", content_type, ...rest }: Schemas["Body"]): BodyDraft {
  return { kind, argument, contentType: content_type, schema: {}, required: false, rest };
}

const CONTENT_TYPES = { json: "application/json", form: "application/x-www-form-urlencoded", multipart: "multipart/form-data", raw: "text/plain" };

/** The body as another kind; null for none. */
export function bodyOfKind(kind: BodyDraft["kind"], before: BodyDraft | null): BodyDraft {
  const schema: JsonObject = kind === "raw" ? { type: "string" } : before && before.kind !== "raw" ? before.schema : { type: "object", additionalProperties: false };
  return { kind, argument: before?.argument ?? "body", contentType: CONTENT_TYPES[kind], schema, required: before?.required ?? true, rest: {} };
}

export function parametersOf(rows: readonly Row[]): Parameter[] {
  return rows.flatMap((row): Parameter[] => {
    if (row.place === "body") return [];
    const { name, place: location } = row;
    const { value, ...rest } = row.rest;
    if (!row.fixed) return [{ ...rest, name, location, argument: row.argument }];
    return [{ ...rest, name, location, value: value !== undefined && textOf(value) === row.value ? value : row.value }];
  });
}

export function bodyOf(body: BodyDraft | null): Schemas["Body"] | null {
  return body ? { ...body.rest, kind: body.kind, argument: body.argument, content_type: body.contentType } : null;
}
