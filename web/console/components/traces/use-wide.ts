"use client";

import { useSyncExternalStore } from "react";

const WIDE = "(min-width: 1024px)";

function subscribe(told: () => void): () => void {
  const query = window.matchMedia(WIDE);
  query.addEventListener("change", told);
  return () => query.removeEventListener("change", told);
}

/** Whether there is room for two things side by side. */
export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(WIDE).matches, () => true);
}
