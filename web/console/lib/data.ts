"use client";

// Reading REST with SWR. Keys are paths with their query, so that whoever reads the same address shares one answer, and
// `refresh("/api/v1/agents")` makes all that lies below it anew.

import { useCallback, useEffect, useMemo } from "react";
import useSWR, { useSWRConfig, type SWRConfiguration } from "swr";
import useSWRInfinite, { type SWRInfiniteConfiguration } from "swr/infinite";

import { signedInFetch } from "./auth";
import { errorOf } from "./api";
import { ApiError, asApiError } from "./errors";

export interface Answer<T> {
  readonly body: T;
  readonly etag: string | null;
}

interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | null;
}

type Query = Record<string, string | number | boolean | null | undefined>;

const ROOT = "/api/v1";

/** An address below `/api/v1` with its query; empty values are left out. */
export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `${ROOT}${path}${search ? `?${search}` : ""}`;
}

async function read<T>(key: string): Promise<Answer<T>> {
  let response: Response;
  try {
    response = await signedInFetch(key);
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError(0, "network_error", "");
  }
  if (!response.ok) throw await errorOf(response);
  try {
    return { body: (await response.json()) as T, etag: response.headers.get("ETag") };
  } catch (error) {
    throw asApiError(error);
  }
}

/** One resource; null as path reads nothing yet. `data` has the body and its revision. */
export function useResource<T>(path: string | null, query: Query = {}, options: SWRConfiguration<Answer<T>> = {}) {
  const { data, ...rest } = useSWR<Answer<T>, ApiError>(path === null ? null : address(path, query), read, options);
  return { ...rest, data: data?.body, etag: data?.etag ?? null, answer: data };
}

/** A list, page after page. */
export function usePages<T>(path: string | null, query: Query = {}, options: SWRInfiniteConfiguration<Answer<PageOf<T>>, ApiError> = {}) {
  const keyOf = (index: number, before: Answer<PageOf<T>> | null) => {
    if (path === null || (index > 0 && !before?.body.next_cursor)) return null;
    return address(path, { limit: 50, ...query, cursor: index ? before?.body.next_cursor : undefined });
  };
  const { data, size, setSize, ...rest } = useSWRInfinite<Answer<PageOf<T>>, ApiError>(keyOf, read, { revalidateFirstPage: true, ...options });
  const items = useMemo(() => data?.flatMap((page) => page.body.items), [data]);
  const more = Boolean(data?.at(-1)?.body.next_cursor);
  return { ...rest, items, more, loadMore: () => setSize(size + 1), loadingMore: size > (data?.length ?? 0) };
}

/** Reads the rest of a list while it is wanted, since a search finds only what was loaded; whether some is still to come. */
export function useRest({ more, loadMore, loadingMore, isValidating, error }: Pick<ReturnType<typeof usePages>, "more" | "loadMore" | "loadingMore" | "isValidating" | "error">, wanted: boolean): boolean {
  const coming = wanted && more && !error;
  useEffect(() => {
    if (coming && !loadingMore && !isValidating) void loadMore();
  }, [coming, isValidating, loadMore, loadingMore]);
  return coming;
}

/** Reads again whatever begins with one of these paths, lists included. */
export function useRefresh() {
  const { mutate, cache } = useSWRConfig();
  return useCallback(
    async (...starts: string[]) => {
      const wanted = (key: string) => starts.some((path) => key.replace(/^\$inf\$/, "").startsWith(ROOT + path));
      // SWR hides the keys of paged lists from filters.
      const lists = [...cache.keys()].filter((key) => key.startsWith("$inf$") && wanted(key));
      await Promise.all([mutate((key) => typeof key === "string" && wanted(key)), ...lists.map((key) => mutate(key))]);
    },
    [cache, mutate],
  );
}
