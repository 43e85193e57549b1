"use client";

import { useLocale, useTranslations } from "next-intl";
import { useState } from "react";
import { toast } from "@/lib/toast";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Field, Input } from "@/components/ui/field";
import { api, type Schemas } from "@/lib/api";
import { useRefresh } from "@/lib/data";
import { useFormats } from "@/lib/format";

import { useBudgetWords, type Limits, type Scope } from "./budgets";
import { decimalSign, dollarsOf, nanoOf, tokensOf } from "./dollars";

interface Props {
  agentId?: string | undefined;
  scopes: readonly Scope[];
  limits: Limits;
  inForce?: Limits | undefined;
  onClose: () => void;
}

type Texts = Record<Scope, { money: string; tokens: string }>;

function budgetOf({ money, tokens }: Texts[Scope], sign: "." | ","): Schemas["Budget"] | null {
  const amount_nanousd = nanoOf(money, sign) ?? null;
  const count = tokensOf(tokens) ?? null;
  return amount_nanousd === null && count === null ? null : { amount_nanousd, tokens: count };
}

/** Changes budgets: in dollars, in tokens, or both; an empty field is no limit. */
export function BudgetDialog({ agentId, scopes, limits, inForce, onClose }: Props) {
  const t = useTranslations("traces.budgets");
  const common = useTranslations("common.actions");
  const f = useFormats();
  const words = useBudgetWords();
  const refresh = useRefresh();
  const sign = decimalSign(useLocale());
  const [texts, setTexts] = useState<Texts>(() => {
    const of = (scope: Scope) => ({ money: dollarsOf(limits[scope]?.amount_nanousd, sign), tokens: limits[scope]?.tokens?.toString() ?? "" });
    return { run: of("run"), agent_day: of("agent_day"), tenant_month: of("tenant_month") };
  });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wrong = scopes.some((scope) => nanoOf(texts[scope].money, sign) === undefined || tokensOf(texts[scope].tokens) === undefined);
  const set = (scope: Scope, values: Partial<Texts[Scope]>) => setTexts((before) => ({ ...before, [scope]: { ...before[scope], ...values } }));
  const save = async () => {
    setTried(true);
    if (wrong) return;
    setBusy(true);
    setError(null);
    const [run, agent_day] = [budgetOf(texts.run, sign), budgetOf(texts.agent_day, sign)];
    try {
      if (agentId) await api.PUT("/api/v1/agents/{agent_id}/budget", { params: { path: { agent_id: agentId } }, body: { run, agent_day } });
      else await api.PUT("/api/v1/budgets", { body: { run, agent_day, tenant_month: budgetOf(texts.tenant_month, sign) } });
      await refresh("/budgets", agentId ? `/agents/${agentId}/budget` : "/agents");
      toast.success(t("saved"));
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => (open ? undefined : onClose())}
      title={t(agentId ? "editAgent" : "editTenant")}
      description={t("editHint")}
      size="md"
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="primary" busy={busy} type="submit" form="budgets">
            {common("save")}
          </Button>
        </>
      }
    >
      <form
        id="budgets"
        className="flex flex-col gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {scopes.map((scope) => {
          const nano = nanoOf(texts[scope].money, sign);
          const count = tokensOf(texts[scope].tokens);
          const empty = nano === null && count === null;
          return (
            <fieldset key={scope} className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
              <legend className="mb-2 text-sm font-medium text-ink">{t(`scopes.${scope}`)}</legend>
              <Field label={t("dollars")} hint={typeof nano === "number" ? `= ${f.money(nano)}` : undefined} error={nano === undefined && (tried || texts[scope].money.length > 2) ? t("badDollars") : null}>
                <Input inputMode="decimal" placeholder={t("noLimit")} value={texts[scope].money} onChange={(event) => set(scope, { money: event.target.value })} />
              </Field>
              <Field label={t("tokenLimit")} hint={typeof count === "number" ? `= ${f.number(count)}` : undefined} error={count === undefined ? t("badTokens") : null}>
                <Input inputMode="numeric" placeholder={t("noLimit")} value={texts[scope].tokens} onChange={(event) => set(scope, { tokens: event.target.value })} />
              </Field>
              {agentId && empty && !limits[scope] && inForce?.[scope] ? <p className="text-[13px] text-ink-faint sm:col-span-2">{t("asTenant", { limit: words(inForce[scope]) })}</p> : null}
            </fieldset>
          );
        })}
        {error ? <ErrorState error={error} /> : null}
      </form>
    </Dialog>
  );
}
