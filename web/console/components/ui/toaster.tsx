"use client";

import { useTheme } from "next-themes";
import { useEffect } from "react";
import { Toaster } from "sonner";

import { toasterIsThere } from "@/lib/toast";

export function ThemedToaster() {
  const { resolvedTheme } = useTheme();
  useEffect(toasterIsThere, []);
  return (
    <Toaster
      theme={resolvedTheme === "dark" ? "dark" : "light"}
      position="top-center"
      closeButton
      toastOptions={{ className: "!border-line !bg-surface !text-ink !shadow-high !rounded-xl !font-sans" }}
    />
  );
}
