// REST of the Agent Builder, typed by its OpenAPI description. Everything that is not a success throws an ApiError.

import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "@/generated/api";

import { signedInFetch } from "./auth";
import { ApiError } from "./errors";
import { newId } from "./ids";

export type Schemas = components["schemas"];

type Problem = Partial<Schemas["Problem"]> & { message?: string };

const throwing: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw await errorOf(response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    return new ApiError(0, "network_error", "");
  },
};

/** `api.GET("/api/v1/agents/{agent_id}", { params: { path: { agent_id } } })` and the like. */
export const api = createClient<paths>({ baseUrl: "/", fetch: signedInFetch });
api.use(throwing);

/** The body of an answer; for calls whose errors were thrown already. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  return (await answer).data as NonNullable<T>;
}

/** The body and its revision, to be given back as `If-Match`. */
export async function revised<T>(answer: Promise<{ data?: T; response: Response }>): Promise<{ body: NonNullable<T>; etag: string | null }> {
  const { data: body, response } = await answer;
  return { body: body as NonNullable<T>, etag: response.headers.get("ETag") };
}

/** Headers of a POST that must not happen twice; keep them for the repetition of the same request. */
export function once(): { "idempotency-key": string } {
  return { "idempotency-key": newId() };
}

/** The error that a response tells of. */
export async function errorOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Problem;
  const fields = (problem.errors ?? []).map((one) => ({
    field: one.pointer.replace(/^\//, "").replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~"),
    message: one.message,
  }));
  const id = problem.request_id ?? response.headers.get("X-Request-Id");
  return new ApiError(response.status, problem.code ?? `http_${response.status}`, problem.detail ?? problem.message ?? "", id, fields);
}
