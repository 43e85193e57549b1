"use client";

import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

/** What is rarely needed, behind its title. */
export function Disclosure({ title, aside, open = false, className, children }: { title: ReactNode; aside?: ReactNode; open?: boolean; className?: string; children: ReactNode }) {
  return (
    <details open={open} className={cn("group rounded-lg border border-line bg-surface", className)}>
      <summary className="flex cursor-pointer list-none items-center gap-2 rounded-lg px-3 py-2.5 text-[13px] font-medium text-ink select-none hover:bg-hover [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-4 text-ink-faint transition-transform group-open:rotate-90" />
        <span className="flex-1">{title}</span>
        {aside}
      </summary>
      <div className="flex flex-col gap-4 border-t border-line p-4">{children}</div>
    </details>
  );
}
