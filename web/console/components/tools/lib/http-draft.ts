// What a person enters of an HTTP tool, and the tool that is made of it.

import type { Schemas } from "@/lib/api";
import type { CommonDraft } from "@/components/tools/editor/common-fields";

import { objectOf, pretty } from "./json";
import { bodyOf, disagreement, parametersOf, schemaOf, shapeOf, withSchema, type BodyDraft, type Row, type Shape } from "./rows";

export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;
export type Method = (typeof METHODS)[number];

export interface HttpDraft extends CommonDraft {
  readonly method: Method;
  readonly integration_id: string | null;
  readonly base_url: string;
  readonly path: string;
  readonly credential_id: string | null;
  readonly rows: readonly Row[];
  readonly body: BodyDraft | null;
  readonly schema: string;
  readonly effect: "read" | "write";
  readonly retries: number;
  readonly cache_seconds: number;
  readonly idempotency_header: string;
  readonly select: string;
  readonly max_bytes: number;
  readonly enhancement: Schemas["Enhancement"] | null;
}

const DEFAULTS = { timeout_seconds: 30, approval_seconds: 3_600, retries: 2, cache_seconds: 0, max_bytes: 32_768, idempotency_header: "Idempotency-Key" };

export function httpDraft(tool: Schemas["HttpToolOut"] | null, integration: string | null = null): HttpDraft {
  const shape: Shape = tool ? shapeOf(tool) : { rows: [], body: null };
  return {
    ...DEFAULTS,
    name: tool?.name ?? "",
    description: tool?.description ?? "",
    enabled: tool?.enabled ?? true,
    requires_approval: tool?.requires_approval ?? false,
    approval_seconds: tool?.approval_seconds ?? DEFAULTS.approval_seconds,
    timeout_seconds: tool?.timeout_seconds ?? DEFAULTS.timeout_seconds,
    method: tool?.method ?? "GET",
    integration_id: tool ? (tool.integration_id ?? null) : integration,
    base_url: tool?.base_url ?? "",
    path: tool?.path ?? "/",
    credential_id: tool?.credential_id ?? null,
    ...shape,
    schema: pretty(tool ? tool.input_schema : schemaOf(shape)),
    effect: tool?.effect ?? "read",
    retries: tool?.retries ?? DEFAULTS.retries,
    cache_seconds: tool?.cache_seconds ?? DEFAULTS.cache_seconds,
    idempotency_header: tool?.idempotency_header ?? DEFAULTS.idempotency_header,
    select: tool?.response?.select ?? "",
    max_bytes: tool?.response?.max_bytes ?? DEFAULTS.max_bytes,
    enhancement: tool?.enhancement ?? null,
  };
}

/** The draft with other parameters: its schema follows, and keeps what was written by hand. */
export function reshaped(draft: HttpDraft, shape: Partial<Shape>): HttpDraft {
  const next = { ...draft, ...shape };
  const schema = objectOf(draft.schema);
  if (!schema) return next;
  return { ...next, schema: pretty(schemaOf(next, schema, disagreement(draft, schema).unused)) };
}

/** The draft with a schema written by hand: its parameters follow. */
export function schemed(draft: HttpDraft, text: string): HttpDraft {
  const schema = objectOf(text);
  return { ...draft, ...(schema ? withSchema(draft, schema) : {}), schema: text };
}

/** The draft with the schema that its parameters say. */
export function rebuilt(draft: HttpDraft): HttpDraft {
  return { ...draft, schema: pretty(schemaOf(draft, objectOf(draft.schema) ?? {})) };
}

/** The tool, or null while the schema is no JSON object. */
export function httpTool(draft: HttpDraft): Schemas["HttpTool"] | null {
  const input_schema = objectOf(draft.schema);
  if (!input_schema) return null;
  const number = (name: keyof typeof DEFAULTS & keyof HttpDraft) => (Number.isFinite(draft[name]) ? (draft[name] as number) : (DEFAULTS[name] as number));
  return {
    kind: "http",
    name: draft.name,
    description: draft.description,
    enabled: draft.enabled,
    requires_approval: draft.requires_approval,
    approval_seconds: number("approval_seconds"),
    method: draft.method,
    integration_id: draft.integration_id,
    base_url: draft.base_url.trim() || null,
    path: draft.path.trim(),
    credential_id: draft.credential_id,
    parameters: parametersOf(draft.rows),
    body: bodyOf(draft.body),
    input_schema,
    effect: draft.effect,
    timeout_seconds: number("timeout_seconds"),
    retries: number("retries"),
    cache_seconds: draft.effect === "read" ? number("cache_seconds") : 0,
    idempotency_header: draft.idempotency_header.trim() || DEFAULTS.idempotency_header,
    response: { ...(draft.select.trim() ? { select: draft.select.trim() } : {}), max_bytes: number("max_bytes") },
    enhancement: draft.enhancement,
  };
}
