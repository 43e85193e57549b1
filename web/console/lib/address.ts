"use client";

import { useSearchParams } from "next/navigation";
import { useCallback } from "react";

import { leave } from "@/lib/leaving";

/** Parameters of the address's query, and how to change them: null removes; `replace` makes no entry in the history. */
export function useQuery() {
  const search = useSearchParams();
  const change = useCallback((values: Record<string, string | null>, { replace = false } = {}) => {
    const next = new URLSearchParams(window.location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value === null) next.delete(name);
      else next.set(name, value);
    }
    const query = next.toString();
    const url = query ? `${window.location.pathname}?${query}` : window.location.pathname;
    if (replace) window.history.replaceState(null, "", url);
    else leave(() => window.history.pushState(null, "", url));
  }, []);
  return [search, change] as const;
}
