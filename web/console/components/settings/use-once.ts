"use client";

import { useCallback, useRef } from "react";

import { once } from "@/lib/api";

/** The Idempotency-Key of a body: the same for the same body, so that a repetition after a lost answer makes nothing twice. */
export function useOnce(): (body: unknown) => ReturnType<typeof once> {
  const last = useRef<{ body: string; headers: ReturnType<typeof once> } | null>(null);
  return useCallback((body) => {
    const text = JSON.stringify(body);
    if (last.current?.body !== text) last.current = { body: text, headers: once() };
    return last.current.headers;
  }, []);
}
