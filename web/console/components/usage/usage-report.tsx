"use client";

import { useTranslations } from "next-intl";

import { PageHeader } from "@/components/shell/page-header";

export function UsageReport() {
  const t = useTranslations("common.titles");
  return <PageHeader title={t("usage")} />;
}
