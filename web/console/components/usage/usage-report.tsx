"use client";

import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";
import { useState } from "react";

import { PageBody, PageHeader } from "@/components/shell/page-header";
import { useQuery } from "@/lib/address";
import { guarded } from "@/components/ui/guarded";

import { RangePicker } from "./range-picker";
import { dayOf, rangeOf } from "./ranges";
import { TilesSkeleton } from "./tiles";

const Report = guarded(dynamic(() => import("./report").then((module) => module.Report), { ssr: false, loading: () => <TilesSkeleton /> }));
const TenantBudgets = guarded(dynamic(() => import("./budgets").then((module) => module.TenantBudgets), { ssr: false }));

/** What all agents of the workspace used, and may use. */
export function UsageReport() {
  const t = useTranslations("traces.report");
  const titles = useTranslations("common.titles");
  const [search] = useQuery();
  const [now] = useState(() => Date.now());
  const range = rangeOf(search, now);
  return (
    <>
      <PageHeader title={titles("usage")} hint={t("hint")} actions={<RangePicker range={range} today={dayOf(now)} />} />
      <PageBody className="flex flex-col gap-6">
        <h2 className="sr-only">{t("title")}</h2>
        <Report range={range}>
          <TenantBudgets />
        </Report>
      </PageBody>
    </>
  );
}
