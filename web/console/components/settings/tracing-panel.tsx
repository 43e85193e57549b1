"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Badge, Notice, Section, Skeleton } from "@/components/ui/surface";
import { Ago } from "@/components/ui/time";
import { api, type Schemas } from "@/lib/api";
import { useRefresh, useResource } from "@/lib/data";

import { OwnerOnly } from "./owner-only";
import { TracingForm } from "./tracing-form";
import { useWrite } from "./use-write";

type Tracing = Schemas["TracingOut"];

/** Where traces of runs are sent. */
export function TracingPanel() {
  const t = useTranslations("settings.tracing");
  return (
    <Section title={t("title")} hint={t("hint")}>
      <OwnerOnly>
        <Loaded />
      </OwnerOnly>
    </Section>
  );
}

function Loaded() {
  const t = useTranslations("settings.tracing");
  const { data, error, isLoading, mutate } = useResource<Tracing>("/tracing", {}, { revalidateOnFocus: false });
  // 404 says that nothing is set. It may come while SWR still has what was set before.
  const unset = error?.status === 404;
  const tracing = unset ? undefined : data;
  if (error && !unset && !data) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (isLoading && !tracing && !unset) return <Skeleton className="h-96 w-full rounded-xl" />;
  return (
    <div className="flex flex-col gap-4">
      {tracing ? <Standing tracing={tracing} /> : <Notice>{t("unset")}</Notice>}
      <TracingForm key={tracing?.updated_at ?? "new"} tracing={tracing} />
    </div>
  );
}

function Standing({ tracing }: { tracing: Tracing }) {
  const t = useTranslations("settings.tracing");
  const refresh = useRefresh();
  const { write, busy } = useWrite();
  const [asking, setAsking] = useState(false);
  const failure = tracing.last_failure;
  const stop = async () => {
    await write(async () => {
      await api.DELETE("/api/v1/tracing");
      await refresh("/tracing");
    }, { done: t("stopped") });
    setAsking(false);
  };
  return (
    <>
      <Notice
        tone={failure ? "warn" : "good"}
        actions={
          <Button size="sm" onClick={() => setAsking(true)}>
            {t("stop")}
          </Button>
        }
      >
        {failure ? (
          <>
            {t("failing")} <Badge tone="bad">{failure.code}</Badge> <Ago time={failure.at} />
          </>
        ) : (
          t("sending", { host: tracing.base_url })
        )}
      </Notice>
      <Confirm open={asking} onOpenChange={setAsking} title={t("stopAsk")} action={t("stop")} busy={busy} onConfirm={() => void stop()}>
        {t("stopText")}
      </Confirm>
    </>
  );
}
