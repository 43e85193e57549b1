"use client";

import { CircleDollarSign, Plus } from "lucide-react";
import { useLocale, useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Card, EmptyState, Section, Skeleton } from "@/components/ui/surface";
import { decimalSign } from "@/components/usage/dollars";
import { api, type Schemas } from "@/lib/api";
import { useRefresh, useResource } from "@/lib/data";

import { OwnerOnly } from "./owner-only";
import { PriceLine } from "./price-line";
import { emptyRow, faultsOf, MOST_PRICES, moved, priceOf, rowOf, type PriceRow } from "./price-rows";
import { useWrite } from "./use-write";

type Prices = Schemas["PricesOut"];

/** What models cost in this workspace, before any public list. */
export function PricesPanel() {
  const t = useTranslations("settings.prices");
  return (
    <Section title={t("title")} hint={t("hint")}>
      <OwnerOnly>
        <Loaded />
      </OwnerOnly>
    </Section>
  );
}

function Loaded() {
  const { data, error, mutate } = useResource<Prices>("/prices", {}, { revalidateOnFocus: false });
  if (error && !data) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!data) return <Skeleton className="h-48 w-full rounded-xl" />;
  return <PriceForm key={data.updated_at} prices={data.prices ?? []} />;
}

function PriceForm({ prices }: { prices: NonNullable<Prices["prices"]> }) {
  const t = useTranslations("settings.prices");
  const common = useTranslations("common.actions");
  const refresh = useRefresh();
  const { write, busy, error } = useWrite();
  const sign = decimalSign(useLocale());
  const saved = () => prices.map((price) => rowOf(price, sign));
  const [rows, setRows] = useState<readonly PriceRow[]>(saved);
  const [tried, setTried] = useState(false);
  const changed = JSON.stringify(rows.map(priceOf)) !== JSON.stringify(saved().map(priceOf));
  const save = async () => {
    setTried(true);
    if (rows.some((row) => faultsOf(row).length)) return;
    await write(async () => {
      await api.PUT("/api/v1/prices", { body: { prices: rows.map(priceOf) } });
      await refresh("/prices");
    }, { done: t("saved"), quiet: true });
  };
  const add = (
    <Button icon={<Plus aria-hidden />} disabled={rows.length >= MOST_PRICES} onClick={() => setRows([...rows, emptyRow()])}>
      {t("add")}
    </Button>
  );
  if (!rows.length && !changed) {
    return (
      <EmptyState icon={<CircleDollarSign />} title={t("empty")} actions={add}>
        {t("emptyHint")}
      </EmptyState>
    );
  }
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Card>
        <ol aria-label={t("title")} className="divide-y divide-line">
          {rows.map((row, index) => (
            <PriceLine
              key={row.key}
              row={row}
              number={index + 1}
              sign={sign}
              faults={tried ? faultsOf(row) : []}
              last={index === rows.length - 1}
              onChange={(values) => setRows(rows.map((one) => (one === row ? { ...row, ...values } : one)))}
              onMove={(by) => setRows(moved(rows, index, by))}
              onRemove={() => setRows(rows.filter((one) => one !== row))}
            />
          ))}
        </ol>
        {rows.length ? null : <p className="px-4 py-6 text-center text-sm text-ink-soft">{t("none")}</p>}
      </Card>
      {error ? <ErrorState error={error} /> : null}
      <div className="flex flex-wrap justify-between gap-2">
        {add}
        <div className="flex gap-2">
          {changed ? (
            <Button
              onClick={() => {
                setRows(saved());
                setTried(false);
              }}
            >
              {common("cancel")}
            </Button>
          ) : null}
          <Button kind="primary" type="submit" busy={busy} disabled={!changed}>
            {common("save")}
          </Button>
        </div>
      </div>
    </form>
  );
}
