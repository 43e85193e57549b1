"use client";

import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";

import { PageBody, PageHeader } from "@/components/shell/page-header";
import { Skeleton } from "@/components/ui/surface";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import { useQuery } from "@/lib/address";
import { guarded } from "@/components/ui/guarded";

const loading = () => <Skeleton className="h-64 w-full rounded-xl" />;
const PANELS = {
  members: guarded(dynamic(() => import("./members-panel").then((module) => module.MembersPanel), { ssr: false, loading })),
  keys: guarded(dynamic(() => import("./keys-panel").then((module) => module.KeysPanel), { ssr: false, loading })),
  limits: guarded(dynamic(() => import("./limits-panel").then((module) => module.LimitsPanel), { ssr: false, loading })),
  network: guarded(dynamic(() => import("./network-panel").then((module) => module.NetworkPanel), { ssr: false, loading })),
  prices: guarded(dynamic(() => import("./prices-panel").then((module) => module.PricesPanel), { ssr: false, loading })),
  tracing: guarded(dynamic(() => import("./tracing-panel").then((module) => module.TracingPanel), { ssr: false, loading })),
  audit: guarded(dynamic(() => import("./audit-panel").then((module) => module.AuditPanel), { ssr: false, loading })),
};

type PanelName = keyof typeof PANELS;

const NAMES = Object.keys(PANELS) as PanelName[];

/** What holds for the whole workspace; the part that is shown stands in `?tab=`. */
export function Settings() {
  const t = useTranslations("settings");
  const titles = useTranslations("common.titles");
  const [search, change] = useQuery();
  const name = NAMES.find((one) => one === search.get("tab")) ?? "members";
  const Panel = PANELS[name];
  return (
    <>
      <PageHeader title={titles("settings")}>
        <Tabs id="settings" label={t("tabs.label")} tabs={NAMES.map((one) => [one, t(`tabs.${one}`)] as const)} value={name} onChange={(next) => change({ tab: next })} />
      </PageHeader>
      <TabPanel id="settings" value={name}>
        <PageBody>
          <Panel />
        </PageBody>
      </TabPanel>
    </>
  );
}
