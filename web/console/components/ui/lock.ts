"use client";

import { createContext, use } from "react";

const Lock = createContext(false);

/** `value`: nothing in here can be changed. Fields and buttons are closed; tabs and what unfolds still open. */
export const LockProvider = Lock;

export function useLock(): boolean {
  return use(Lock);
}
