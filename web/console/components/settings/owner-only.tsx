"use client";

import { Lock } from "lucide-react";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";

import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Skeleton } from "@/components/ui/surface";

import { useMe } from "@/lib/me";

/** What only owners may see; everybody else is told so, in place of an error. */
export function OwnerOnly({ children }: { children: ReactNode }) {
  const t = useTranslations("settings.ownerOnly");
  const { me, may, error, mutate } = useMe();
  if (error && !me) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!me) return <Skeleton className="h-64 w-full rounded-xl" />;
  if (may("admin")) return children;
  return (
    <EmptyState icon={<Lock />} title={t("title")}>
      {t("text")}
    </EmptyState>
  );
}
