"use client";

import useSWR from "swr";

import { api, data, type Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import type { Operation } from "../lib/operations";

export type Import = Schemas["ImportDetailOut"];

const UNDER_WAY = ["queued", "running"];

async function allOperations(id: string): Promise<Operation[]> {
  const found: Operation[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Import = await data(
      api.GET("/api/v1/openapi-imports/{import_id}", { params: { path: { import_id: id }, query: { limit: 100, ...(cursor ? { cursor } : {}) } } }),
    );
    found.push(...page.operations);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

/** An import, asked for until it is read, and then all of its operations. */
export function useImport(id: string | null) {
  const job = useResource<Import>(id ? `/openapi-imports/${encodeURIComponent(id)}` : null, { limit: 1 }, { refreshInterval: (latest) => (latest && !UNDER_WAY.includes(latest.body.status) ? 0 : 700), dedupingInterval: 300 });
  const own = job.data?.id === id ? job.data : undefined; // not the one that was looked at before
  const readable = own?.status === "ready" || own?.status === "applied";
  const list = useSWR(readable && id ? ["operations", id, own.updated_at] : null, () => allOperations(id ?? ""), { revalidateOnFocus: false, keepPreviousData: false });
  return { job: own, error: job.error ?? (list.error as unknown), operations: list.data, retry: () => void Promise.all([job.mutate(), list.mutate()]) };
}
