"use client";

import { RotateCcw } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { useCodeWords } from "@/components/ui/failure-text";
import { Field, Input, Select } from "@/components/ui/field";
import { useQuery } from "@/lib/address";

import { ERROR_CODES, SPANS, type Filters } from "./filters";
import { RUN_STATUSES } from "./run-state";

/** Which runs are listed. All of it is in the address. */
export function RunFilters({ filters }: { filters: Filters }) {
  const t = useTranslations("traces.filters");
  const status = useTranslations("traces.status");
  const meaning = useCodeWords();
  const [, change] = useQuery();
  const { error, span, from, to } = filters;
  const any = filters.status !== null || error !== null || span !== "all";
  const codes: readonly string[] = error && !ERROR_CODES.some((code) => code === error) ? [error, ...ERROR_CODES] : ERROR_CODES;
  const set = (values: Record<string, string | null>) => change(values, { replace: true });
  return (
    <div role="search" aria-label={t("label")} className="flex flex-wrap items-end gap-3">
      <Field label={t("status")} className="w-[calc(50%-0.375rem)] sm:w-40">
        <Select value={filters.status ?? ""} onChange={(event) => set({ status: event.target.value || null })}>
          <option value="">{t("anyStatus")}</option>
          {RUN_STATUSES.map((one) => (
            <option key={one} value={one}>
              {status(one)}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t("time")} className="w-[calc(50%-0.375rem)] sm:w-40">
        <Select value={span} onChange={(event) => set({ span: event.target.value === "all" ? null : event.target.value, since: null, until: null })}>
          <option value="all">{t("spans.all")}</option>
          {SPANS.map((one) => (
            <option key={one} value={one}>
              {t(`spans.${one}`)}
            </option>
          ))}
          <option value="custom">{t("spans.custom")}</option>
        </Select>
      </Field>
      {span === "custom" ? (
        <>
          <Field label={t("from")} className="w-[calc(50%-0.375rem)] sm:w-52">
            <Input type="datetime-local" value={from} max={to || undefined} onChange={(event) => set({ since: event.target.value || null })} />
          </Field>
          <Field label={t("to")} className="w-[calc(50%-0.375rem)] sm:w-52">
            <Input type="datetime-local" value={to} min={from || undefined} onChange={(event) => set({ until: event.target.value || null })} />
          </Field>
        </>
      ) : null}
      <Field label={t("error")} className="w-full sm:w-56">
        <Select value={error ?? ""} onChange={(event) => set({ error: event.target.value || null })}>
          <option value="">{t("anyError")}</option>
          {codes.map((code) => (
            <option key={code} value={code}>
              {meaning(code) ?? code}
            </option>
          ))}
        </Select>
      </Field>
      {any ? (
        <Button kind="ghost" icon={<RotateCcw aria-hidden />} onClick={() => set({ status: null, error: null, span: null, since: null, until: null })}>
          {t("reset")}
        </Button>
      ) : null}
    </div>
  );
}
