"use client";

import { useTheme } from "next-themes";
import { Toaster } from "sonner";

/** Where toasts appear. Say something with `toast` of sonner. */
export function Toasts() {
  const { resolvedTheme } = useTheme();
  return (
    <Toaster
      theme={resolvedTheme === "dark" ? "dark" : "light"}
      position="bottom-right"
      closeButton
      toastOptions={{ className: "!border-line !bg-surface !text-ink !shadow-high !rounded-xl !font-sans" }}
    />
  );
}
