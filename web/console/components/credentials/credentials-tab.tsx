"use client";

import { KeyRound } from "lucide-react";
import { useTranslations } from "next-intl";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";
import { ButtonLink } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Card, EmptyState, Notice, Section, Skeleton } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useAllPages } from "@/lib/all-pages";

import type { Credential } from "./lib/draft";
import { neededBy } from "./lib/of-agent";
import { ModelAccess } from "./model-access";
import { NeededCredential } from "./needed-credential";

/** The credentials that this agent uses, and what is missing of them. */
export function CredentialsTab({ agent }: AgentTabProps) {
  const t = useTranslations("tools.credentials.tab");
  const tools = useAllPages<Schemas["ToolOut"]>(`/agents/${agent.id}/tools`);
  const integrations = useAllPages<Schemas["IntegrationOut"]>(`/agents/${agent.id}/integrations`);
  const credentials = useAllPages<Credential>("/credentials");
  const lists = [tools, integrations, credentials];
  const failed = lists.find(({ error, items }) => error && !items);
  const ready = lists.every(({ complete }) => complete);
  const needed = ready ? neededBy(tools.items ?? [], integrations.items ?? [], credentials.items ?? []) : null;
  const missing = needed?.filter(({ credential }) => credential?.status !== "ready").length ?? 0;
  return (
    <PageBody className="flex flex-col gap-8">
      <Section
        title={t("title")}
        hint={t("hint")}
        actions={
          <ButtonLink size="sm" href="/credentials/">
            {t("all")}
          </ButtonLink>
        }
      >
        {failed ? <ErrorState error={failed.error} onRetry={() => lists.forEach(({ mutate }) => void mutate())} /> : null}
        {missing ? <Notice tone="warn">{t("missing", { count: missing })}</Notice> : null}
        {!needed && !failed ? <Skeleton className="h-32 w-full rounded-xl" /> : null}
        {needed?.length ? (
          <Card>
            <ul aria-label={t("title")} className="divide-y divide-line">
              {needed.map((one) => (
                <NeededCredential key={one.id} agent={agent.id} needed={one} />
              ))}
            </ul>
          </Card>
        ) : null}
        {needed?.length === 0 ? (
          <EmptyState
            icon={<KeyRound />}
            title={t("empty.title")}
            actions={
              <ButtonLink href={{ pathname: "/agents/detail/", query: { id: agent.id, tab: "tools" } }} kind="primary">
                {t("empty.tools")}
              </ButtonLink>
            }
          >
            {t("empty.text")}
          </EmptyState>
        ) : null}
      </Section>
      <ModelAccess config={agent.model_config} credentials={credentials.items} />
    </PageBody>
  );
}
