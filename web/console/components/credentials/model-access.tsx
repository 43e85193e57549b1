"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Badge, Card, Section, Skeleton } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useRefresh, useResource } from "@/lib/data";
import { useMay } from "@/lib/me";

import { CredentialDialog } from "./credential-dialog";
import { PROVIDERS, type Credential } from "./lib/draft";

interface Props {
  config: Schemas["LlmConfig"];
  credentials: readonly Credential[] | undefined;
}

/** Which key the agent's model is asked with: the workspace's own, or the platform's. */
export function ModelAccess({ config, credentials }: Props) {
  const t = useTranslations("tools.credentials.access");
  const refresh = useRefresh();
  const may = useMay("edit");
  const [adding, setAdding] = useState(false);
  const { data: models } = useResource<Schemas["ModelsOut"]>("/models");
  const vendor = PROVIDERS.find((one) => one === config.provider);
  if (!vendor) return null;
  const own = credentials?.find(({ kind, settings }) => kind === "provider_key" && settings.provider === vendor);
  const configured = models?.providers.find(({ id }) => id === vendor)?.configured;
  const state = own ? "own" : configured === null ? "unknown" : configured ? "platform" : "missing";
  const tones = { own: "good", platform: "good", unknown: "neutral", missing: "bad" } as const;
  return (
    <Section title={t("title")} hint={t("hint")}>
      <Card className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
        {credentials && models ? (
          <>
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                {t(`providers.${vendor}`)}
                <Badge tone={tones[state]} dot>
                  {t(`states.${state}`)}
                </Badge>
              </p>
              <p className="mt-0.5 text-[13px] text-ink-soft">{state === "own" ? own?.name : t(`hints.${state}`)}</p>
            </div>
            {own || !may ? null : (
              <Button size="sm" kind={state === "missing" ? "primary" : "secondary"} onClick={() => setAdding(true)}>
                {t("add")}
              </Button>
            )}
          </>
        ) : (
          <Skeleton className="h-9 w-64" />
        )}
      </Card>
      {adding ? (
        <CredentialDialog kinds={["provider_key"]} preset={{ kind: "provider_key", name: t(`providers.${vendor}`), settings: { provider: vendor } }} onClose={() => setAdding(false)} onSaved={() => void refresh("/models")} />
      ) : null}
    </Section>
  );
}
