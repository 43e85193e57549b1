import { describe, expect, it } from "vitest";

import { exampleOf } from "@/components/tools/lib/examples";
import { mergePatch, type JsonObject } from "@/components/tools/lib/json";
import { freeName, nameFault, pathNames, pathPieces, plainName } from "@/components/tools/lib/names";
import { bodyOfKind, disagreement, newRow, parametersOf, renamed, schemaOf, shapeOf, withPath, withSchema } from "@/components/tools/lib/rows";
import { schemaFaults } from "@/components/tools/lib/schema-check";

describe("names", () => {
  it.each([
    ["", "empty"],
    ["1st", "start"],
    ["two words", "characters"],
    ["x".repeat(65), "long"],
    ["calculator", "builtin"],
    ["find", "taken"],
    ["find_order-2", null],
  ])("%s", (name, fault) => expect(nameFault(name, ["find"])).toBe(fault));

  it("are made of any words", () => {
    expect(plainName("filter[länge]")).toBe("filter_lange");
    expect(plainName("X-Api-Key")).toBe("X_Api_Key");
    expect(plainName("2nd")).toBe("_2nd");
    expect(freeName("id", ["id", "id_2"])).toBe("id_3");
  });
});

describe("a path", () => {
  it("has names in braces, each once", () => {
    expect(pathNames("/a/{one}/{two}.{one}/{}/{x{y}")).toEqual(["one", "two", "y"]);
    expect(pathPieces("/a/{b}/c")).toEqual([
      { text: "/a/", name: false },
      { text: "b", name: true },
      { text: "/c", name: false },
    ]);
  });

  it("brings rows and takes them away, and keeps one whose name is being typed", () => {
    const query = newRow("query", "q");
    const first = withPath([query], "/a/{id}");
    expect(first.map((row) => [row.place, row.name, row.required])).toEqual([
      ["path", "id", true],
      ["query", "q", false],
    ]);
    const typed = withPath(first, "/a/{ids}");
    expect(typed[0]).toMatchObject({ key: first[0]?.key, name: "ids", argument: "ids" });
    expect(withPath(typed, "/a")).toEqual([query]);
  });
});

const tool = {
  parameters: [
    { name: "city", location: "path" as const, argument: "city" },
    { name: "filter[day]", location: "query" as const, argument: "filter_day", style: "form" as const },
    { name: "units", location: "query" as const, value: "metric" },
  ],
  body: { kind: "json" as const, argument: "body", content_type: "application/json" },
  input_schema: {
    type: "object",
    properties: {
      city: { type: "string", minLength: 1, description: "Which city" },
      filter_day: { type: "integer", enum: [1, 2] },
      body: { type: "object", properties: { note: { $ref: "#/$defs/Note" }, count: { type: "integer" } }, required: ["note"], additionalProperties: false },
    },
    required: ["city", "body"],
    additionalProperties: false,
    $defs: { Note: { type: "string" } },
  },
};

describe("schema and rows", () => {
  it("say the same, both ways, and lose nothing of an import", () => {
    const shape = shapeOf(tool);
    expect(schemaOf(shape, tool.input_schema)).toEqual(tool.input_schema);
    expect(parametersOf(shape.rows)).toEqual(tool.parameters);
    expect(disagreement(shape, tool.input_schema)).toEqual({ unused: [], missing: [] });
  });

  it("is made from parameters", () => {
    const rows = [newRow("path", "id"), newRow("query", "per page"), { ...newRow("header", "X-Fixed"), fixed: true, value: "1" }, { ...newRow("body", "title"), required: true }];
    expect(schemaOf({ rows, body: bodyOfKind("json", null) })).toEqual({
      type: "object",
      properties: {
        id: { type: "string" },
        per_page: { type: "string" },
        body: { type: "object", additionalProperties: false, properties: { title: { type: "string" } }, required: ["title"] },
      },
      required: ["id", "body"],
      additionalProperties: false,
    });
  });

  it("follow a schema that is written by hand", () => {
    const shape = shapeOf(tool);
    const next = structuredClone(tool.input_schema) as unknown as { properties: Record<string, JsonObject>; required: string[] };
    next.required = ["body"];
    next.properties.city = { type: "number" };
    next.properties.extra = { type: "string" };
    const schema = next as unknown as JsonObject;
    const changed = withSchema(shape, schema);
    expect(changed.rows.find((row) => row.name === "city")).toMatchObject({ schema: { type: "number" }, required: false });
    expect(disagreement(changed, schema)).toEqual({ unused: ["extra"], missing: [] });
    expect(Object.keys(schemaOf(changed, schema, ["extra"]).properties as JsonObject)).toContain("extra");
  });

  it("gives arguments names of their own", () => {
    const path = newRow("path", "id");
    const query = newRow("query", "id", [path]);
    expect(query.argument).toBe("id_2");
    expect(renamed(query, "other", [path]).argument).toBe("other");
    expect(renamed({ ...query, argument: "mine" }, "other", [path]).argument).toBe("mine");
  });
});

describe("example arguments", () => {
  it("has what is required and what tells its value", () => {
    const schema: JsonObject = {
      type: "object",
      required: ["day", "tags", "kind", "inner", "level"],
      properties: {
        day: { type: "string", format: "date" },
        tags: { type: "array", minItems: 1, items: { type: "string", examples: ["new"] } },
        kind: { enum: ["a", "b"] },
        inner: { $ref: "#/$defs/Inner" },
        level: { anyOf: [{ type: "integer", minimum: 3 }, { type: "null" }] },
        limit: { type: "integer", default: 20 },
        left: { type: "string" },
      },
      $defs: { Inner: { type: "object", required: ["again"], properties: { again: { type: "boolean" } } } },
    };
    expect(exampleOf(schema)).toEqual({ day: "2026-01-31", tags: ["new"], kind: "a", inner: { again: false }, level: 3, limit: 20 });
  });

  it("ends where a schema contains itself", () => {
    const schema: JsonObject = { type: "object", required: ["next"], properties: { next: { $ref: "#" } } };
    expect(JSON.stringify(exampleOf(schema)).length).toBeLessThan(200);
  });
});

describe("a merge patch", () => {
  it("removes, replaces and goes deep", () => {
    const before = { a: 1, b: { c: 1, d: [1] }, e: null, f: { g: 1 } };
    expect(mergePatch(before, { a: 1, b: { c: 2, d: [1, 2] }, e: null, h: null })).toEqual({ b: { c: 2, d: [1, 2] }, f: null });
    expect(mergePatch({ a: { one: 1, two: 2 } }, { a: { two: 2 } })).toEqual({ a: { one: null } });
    expect(mergePatch({ a: null }, { a: { x: 1 } })).toEqual({ a: { x: 1 } });
  });
});

describe("a schema's faults", () => {
  it("are found with their places", () => {
    const schema: JsonObject = {
      type: "object",
      required: ["gone"],
      properties: { a: { type: "text" }, b: { $ref: "#/$defs/No" }, c: { type: "string", pattern: "(" }, d: { minLength: "1" }, e: 3 },
    };
    expect(schemaFaults(schema).map(({ at, code }) => `${code} ${at}`)).toEqual([
      "required /required",
      "type /properties/a/type",
      "reference /properties/b/$ref",
      "pattern /properties/c/pattern",
      "keyword /properties/d/minLength",
      "keyword /properties/e",
    ]);
    expect(schemaFaults(tool.input_schema as unknown as JsonObject)).toEqual([]);
    expect(schemaFaults({ type: "array" })[0]?.code).toBe("object");
  });
});
