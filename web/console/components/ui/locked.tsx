"use client";

import { Lock } from "lucide-react";
import { useTranslations } from "next-intl";

import { cn } from "@/lib/cn";
import type { Permission } from "@/lib/me";

/** Says why nothing can be changed here. */
export function Locked({ need, className }: { need: Extract<Permission, "run" | "edit">; className?: string }) {
  const t = useTranslations("common.locked");
  return (
    <p role="note" className={cn("flex items-start gap-2.5 rounded-lg border border-line bg-sunken px-4 py-3 text-sm text-ink-soft", className)}>
      <Lock aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span>{t(need)}</span>
    </p>
  );
}
