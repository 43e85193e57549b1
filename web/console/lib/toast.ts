"use client";

// Toasts of sonner, which is loaded with the first one.

import type { ExternalToast } from "sonner";
import { useSyncExternalStore, type ReactNode } from "react";

type Kind = "message" | "success" | "error" | "info" | "warning";

let wanted = false;
const listeners = new Set<() => void>();
let there: () => void = () => undefined;
const mounted = new Promise<void>((resolve) => (there = resolve));

/** Told by what shows toasts that it is there. */
export function toasterIsThere(): void {
  there();
}

async function say(kind: Kind, words: ReactNode, options?: ExternalToast): Promise<void> {
  wanted = true;
  for (const listener of listeners) listener();
  const [{ toast }] = await Promise.all([import("sonner"), mounted]);
  toast[kind](words, options);
}

const saying = (kind: Kind) => (words: ReactNode, options?: ExternalToast) => void say(kind, words, options).catch(() => undefined); // without a connection nothing can be loaded that would show it

export const toast = Object.assign(saying("message"), {
  success: saying("success"),
  error: saying("error"),
  info: saying("info"),
  warning: saying("warning"),
});

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** Whether a toast was ever asked for. */
export function useToasting(): boolean {
  return useSyncExternalStore(subscribe, () => wanted, () => false);
}
