"use client";

import { ShieldCheck } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Badge, EmptyState, Skeleton } from "@/components/ui/surface";
import { Ago } from "@/components/ui/time";
import type { Schemas } from "@/lib/api";
import { usePages } from "@/lib/data";

import { Row, Rows } from "./rows";

/** Calls that were not made because they were not allowed. */
export function Refusals() {
  const t = useTranslations("settings.refusals");
  const common = useTranslations("common.actions");
  const { items, error, more, loadMore, loadingMore, mutate } = usePages<Schemas["RefusalOut"]>("/egress/refusals", { limit: 20 });
  if (error && !items) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!items) return <Skeleton className="h-32 w-full rounded-xl" />;
  if (!items.length) {
    return (
      <EmptyState icon={<ShieldCheck />} title={t("empty")}>
        {t("emptyHint")}
      </EmptyState>
    );
  }
  return (
    <>
      <Rows label={t("label")}>
        {items.map((refusal) => (
          <Row
            key={refusal.id}
            title={
              <>
                <code className="font-mono text-[13px] break-all">{refusal.host ? `${refusal.host}${refusal.port ? `:${refusal.port}` : ""}` : t("noHost")}</code>
                <Badge tone="warn">{t(`reasons.${refusal.reason}`)}</Badge>
              </>
            }
            more={
              <>
                {refusal.purpose} · <Ago time={refusal.at} />
              </>
            }
          />
        ))}
      </Rows>
      {more ? (
        <Button className="self-center" busy={loadingMore} onClick={() => void loadMore()}>
          {common("loadMore")}
        </Button>
      ) : null}
    </>
  );
}
