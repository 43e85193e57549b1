"use client";

import { ThemeProvider } from "next-themes";
import { useEffect, type ReactNode } from "react";
import { SWRConfig } from "swr";

import { Toasts } from "@/components/ui/toasts";
import { isLasting } from "@/lib/errors";

/** What all pages share: the theme, the cache of answers, toasts. */
export function Providers({ children }: { children: ReactNode }) {
  // Tells tests and tools that the page answers.
  useEffect(() => {
    document.documentElement.dataset.ready = "true";
  }, []);
  return (
    <ThemeProvider attribute="class" defaultTheme="system" enableSystem disableTransitionOnChange>
      <SWRConfig
        value={{
          revalidateOnFocus: true,
          focusThrottleInterval: 15_000,
          dedupingInterval: 1_500,
          keepPreviousData: true,
          shouldRetryOnError: (error: unknown) => !isLasting(error),
          errorRetryCount: 4,
          errorRetryInterval: 2_000,
        }}
      >
        {children}
        <Toasts />
      </SWRConfig>
    </ThemeProvider>
  );
}
