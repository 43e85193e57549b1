"use client";

import { Plus, X } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button, IconButton } from "@/components/ui/button";
import { Input } from "@/components/ui/field";

import { pair, type Pair } from "./lib/draft";
import { SecretInput } from "./secret-input";

interface Props {
  legend: string;
  hint?: string;
  error?: string | undefined;
  pairs: readonly Pair[];
  /** Their values are secrets. */
  secret?: boolean;
  /** The last one stays. */
  atLeastOne?: boolean;
  onChange: (pairs: readonly Pair[]) => void;
}

/** Names and values, as many as are wanted. */
export function PairsInput({ legend, hint, error, pairs, secret = false, atLeastOne = false, onChange }: Props) {
  const t = useTranslations("tools.credentials.pairs");
  const change = (key: string, part: Partial<Pair>) => onChange(pairs.map((one) => (one.key === key ? { ...one, ...part } : one)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 text-[13px] font-medium text-ink">{legend}</legend>
      {hint ? <p className="text-[13px] text-ink-faint">{hint}</p> : null}
      {pairs.map(({ key, name, value }, index) => {
        const shared = { value, "aria-label": t("value", { number: index + 1 }), placeholder: t("valuePlaceholder"), onChange: (event: React.ChangeEvent<HTMLInputElement>) => change(key, { value: event.target.value }) };
        return (
          <div key={key} className="grid grid-cols-[1fr_auto] items-center gap-2 sm:grid-cols-[1fr_1.4fr_auto]">
            <Input value={name} aria-label={t("name", { number: index + 1 })} placeholder={t("namePlaceholder")} spellCheck={false} className="font-mono text-[13px]" onChange={(event) => change(key, { name: event.target.value })} />
            <span className="order-last col-span-2 sm:order-none sm:col-span-1">{secret ? <SecretInput {...shared} /> : <Input {...shared} className="font-mono text-[13px]" />}</span>
            <IconButton label={t("remove", { number: index + 1 })} disabled={atLeastOne && pairs.length === 1} onClick={() => onChange(pairs.filter((one) => one.key !== key))}>
              <X aria-hidden />
            </IconButton>
          </div>
        );
      })}
      {error ? (
        <p role="alert" className="text-[13px] text-bad">
          {error}
        </p>
      ) : null}
      <Button size="sm" kind="ghost" className="self-start" icon={<Plus aria-hidden />} onClick={() => onChange([...pairs, pair()])}>
        {t("add")}
      </Button>
    </fieldset>
  );
}
