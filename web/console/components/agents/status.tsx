"use client";

import { useTranslations } from "next-intl";

import { Badge, type Tone } from "@/components/ui/surface";

import type { Status } from "./values";

export const STATUS_TONES: Record<Status, Tone> = { draft: "warn", active: "good", inactive: "neutral" };

export function StatusBadge({ status }: { status: Status }) {
  const t = useTranslations("agents.status");
  return (
    <Badge tone={STATUS_TONES[status]} dot>
      {t(status)}
    </Badge>
  );
}
