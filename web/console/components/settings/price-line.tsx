"use client";

import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { useTranslations } from "next-intl";

import { IconButton } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";

import { AMOUNTS, PROVIDERS, type PriceRow, type RowFault } from "./price-rows";

interface Props {
  row: PriceRow;
  number: number;
  sign: string;
  faults: readonly RowFault[];
  last: boolean;
  onChange: (values: Partial<PriceRow>) => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

/** One price; the first that fits a model counts, so lines can be moved. */
export function PriceLine({ row, number, sign, faults, last, onChange, onMove, onRemove }: Props) {
  const t = useTranslations("settings.prices");
  const decimals = (0).toFixed(2).replace(".", sign);
  const name = row.model || t("number", { number });
  return (
    <li className="flex flex-col gap-3 px-4 py-4">
      <div role="group" aria-label={t("priceOf", { name })} className="grid grid-cols-2 gap-3 lg:grid-cols-[11rem_minmax(0,1fr)_repeat(4,6.5rem)_auto]">
        <Field label={t("provider")} className="max-lg:col-span-2">
          <Select value={row.provider} onChange={(event) => onChange({ provider: PROVIDERS.find((one) => one === event.target.value) ?? row.provider })}>
            {PROVIDERS.map((provider) => (
              <option key={provider} value={provider}>
                {provider}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t("model")} error={faults.includes("model") ? t("needed") : null} className="max-lg:col-span-2">
          <Input className="font-mono !text-[13px]" maxLength={200} placeholder="llama-3-*" value={row.model} onChange={(event) => onChange({ model: event.target.value })} />
        </Field>
        {AMOUNTS.map((amount) => (
          <Field key={amount} label={t(`amounts.${amount}`)} error={faults.includes(amount) ? t("badAmount") : null}>
            <Input
              inputMode="decimal"
              className="text-right tabular-nums"
              placeholder={amount === "input" || amount === "output" ? decimals : t("asInput")}
              value={row[amount]}
              onChange={(event) => onChange({ [amount]: event.target.value })}
            />
          </Field>
        ))}
        <div className="flex items-center gap-0.5 max-lg:col-span-2 max-lg:justify-end lg:mt-7 lg:h-9">
          <IconButton label={t("up", { name })} disabled={number === 1} onClick={() => onMove(-1)}>
            <ArrowUp aria-hidden />
          </IconButton>
          <IconButton label={t("down", { name })} disabled={last} onClick={() => onMove(1)}>
            <ArrowDown aria-hidden />
          </IconButton>
          <IconButton label={t("remove", { name })} onClick={onRemove}>
            <Trash2 aria-hidden />
          </IconButton>
        </div>
      </div>
    </li>
  );
}
