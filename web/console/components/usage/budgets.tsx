"use client";

import { Pencil } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { useMe } from "@/lib/me";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Card, Section, Skeleton } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";
import { useFormats } from "@/lib/format";

import { BudgetBar } from "./budget-bar";
import { BudgetDialog } from "./budget-dialog";

type Budget = Schemas["Budget"];
type State = Schemas["BudgetStateOut"];
export type Scope = "run" | "agent_day" | "tenant_month";
export type Limits = Partial<Record<Scope, Budget | null>>;

/** What all runs of the workspace may use. */
export function TenantBudgets() {
  const t = useTranslations("traces.budgets");
  const { may } = useMe();
  const { data, error, mutate } = useResource<Schemas["BudgetsOut"]>(may("admin") ? "/budgets" : null, {}, { refreshInterval: 60_000 });
  if (!may("admin")) return null;
  return (
    <Part hint={t("tenantHint")} limits={data} scopes={["run", "agent_day", "tenant_month"]} states={{ tenant_month: data?.state.tenant_month }} error={error} onRetry={mutate} />
  );
}

/** What the runs of one agent may use; where it says nothing, what the workspace says for all. */
export function AgentBudgets({ agentId }: { agentId: string }) {
  const t = useTranslations("traces.budgets");
  const { data, error, mutate } = useResource<Schemas["AgentBudgetsOut"]>(`/agents/${agentId}/budget`, {}, { refreshInterval: 60_000 });
  return (
    <Part hint={t("agentHint")} agentId={agentId} limits={data} inForce={data?.in_force} scopes={["run", "agent_day"]} states={{ agent_day: data?.state.agent_day }} error={error} onRetry={mutate} />
  );
}

interface PartProps {
  hint: string;
  agentId?: string;
  scopes: readonly Scope[];
  limits: Limits | undefined;
  inForce?: Limits | undefined;
  states: Partial<Record<Scope, State | null | undefined>>;
  error: unknown;
  onRetry: () => unknown;
}

function Part({ hint, agentId, scopes, limits, inForce, states, error, onRetry }: PartProps) {
  const t = useTranslations("traces.budgets");
  const { may } = useMe();
  const [editing, setEditing] = useState(false);
  const edit = may("admin") && limits ? (
    <Button size="sm" icon={<Pencil aria-hidden />} onClick={() => setEditing(true)}>
      {t("edit")}
    </Button>
  ) : null;
  return (
    <Section title={t("title")} hint={hint} actions={edit}>
      {error && !limits ? <ErrorState error={error} onRetry={() => void onRetry()} /> : null}
      {limits ? (
        <Card className="divide-y divide-line">
          {scopes.map((scope) => (
            <Line key={scope} scope={scope} own={limits[scope] ?? null} inForce={inForce ? (inForce[scope] ?? null) : (limits[scope] ?? null)} state={states[scope]} />
          ))}
        </Card>
      ) : error ? null : (
        <Skeleton className="h-36 w-full rounded-xl" />
      )}
      {editing && limits ? <BudgetDialog agentId={agentId} scopes={scopes} limits={limits} inForce={inForce} onClose={() => setEditing(false)} /> : null}
    </Section>
  );
}

/** A budget in words. */
export function useBudgetWords(): (budget: Budget | null | undefined) => string {
  const t = useTranslations("traces.budgets");
  const f = useFormats();
  return (budget) => {
    if (!budget) return t("noLimit");
    const parts = [
      typeof budget.amount_nanousd === "number" ? f.money(budget.amount_nanousd) : null,
      typeof budget.tokens === "number" ? t("tokens", { count: budget.tokens }) : null,
    ].filter((part) => part !== null);
    return parts.join(" · ");
  };
}

function Line({ scope, own, inForce, state }: { scope: Scope; own: Budget | null; inForce: Budget | null; state: State | null | undefined }) {
  const t = useTranslations("traces.budgets");
  const f = useFormats();
  const words = useBudgetWords();
  const amount = inForce?.amount_nanousd;
  const tokens = inForce?.tokens;
  const name = t(`scopes.${scope}`);
  return (
    <div className="grid gap-x-6 gap-y-3 px-4 py-3.5 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
      <div>
        <p className="text-sm text-ink">{name}</p>
        {own === null && inForce ? <p className="text-xs text-ink-faint">{t("fromTenant")}</p> : null}
      </div>
      {state && inForce ? (
        <div className="flex flex-col gap-3">
          {typeof amount === "number" ? <BudgetBar label={t("money", { name })} used={state.used.amount_nanousd} held={state.held.amount_nanousd} limit={amount} format={(value) => f.money(value)} /> : null}
          {typeof tokens === "number" ? <BudgetBar label={t("inTokens", { name })} used={state.used.tokens} held={state.held.tokens} limit={tokens} format={(value) => t("tokens", { count: value })} /> : null}
          <p className="text-xs text-ink-faint">{t("free", { time: f.dateTime(state.free_at) })}</p>
        </div>
      ) : (
        <p className={inForce ? "text-sm text-ink tabular-nums" : "text-sm text-ink-faint"}>{words(inForce)}</p>
      )}
    </div>
  );
}
