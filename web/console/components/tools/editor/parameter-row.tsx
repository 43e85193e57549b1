"use client";

import { X } from "lucide-react";
import { useTranslations } from "next-intl";

import { IconButton } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/field";
import { useLock } from "@/components/ui/lock";
import { cn } from "@/lib/cn";

import { described, renamed, retyped, typeOf, TYPES, type Row, type RowType } from "../lib/rows";

interface Props {
  row: Row;
  others: readonly Row[];
  error?: string | undefined;
  onChange: (row: Row) => void;
  onRemove: () => void;
}

/** One parameter: where it goes, what it is, whether a model fills it or it is always the same. */
export function ParameterRow({ row, others, error, onChange, onRemove }: Props) {
  const t = useTranslations("tools.editor.parameters");
  const locked = useLock();
  const type = typeOf(row.schema);
  const label = row.name || t("unnamed");
  const inPath = row.place === "path";
  const small = "text-[13px]";
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] gap-2 py-3 sm:grid-cols-[4rem_minmax(0,1fr)_7.5rem_10rem_2rem] sm:items-center">
      <span className={cn("col-start-1 row-start-1 self-center text-xs font-medium", inPath ? "text-accent-ink" : "text-ink-soft")}>{t(`places.${row.place}`)}</span>
      <IconButton label={t("remove", { name: label })} disabled={inPath} className="col-start-2 row-start-1 justify-self-end sm:col-start-5" onClick={onRemove}>
        <X aria-hidden />
      </IconButton>
      <Input
        value={row.name}
        readOnly={inPath}
        aria-label={t("name")}
        placeholder={t("namePlaceholder")}
        spellCheck={false}
        autoFocus={!row.name}
        className={cn(small, "col-span-2 font-mono sm:col-span-1 sm:col-start-2", inPath && "bg-sunken")}
        onChange={(event) => onChange(renamed(row, event.target.value, others))}
      />
      {row.fixed ? (
        <Input value={row.value} aria-label={t("value", { name: label })} placeholder={t("valuePlaceholder")} className={cn(small, "font-mono")} onChange={(event) => onChange({ ...row, value: event.target.value })} />
      ) : (
        <Select value={type} aria-label={t("type", { name: label })} className="text-[13px]" onChange={(event) => onChange({ ...row, schema: retyped(row.schema, event.target.value as Exclude<RowType, "other">) })}>
          {type === "other" ? <option value="other">{t("types.other")}</option> : null}
          {TYPES.map((one) => (
            <option key={one} value={one}>
              {t(`types.${one}`)}
            </option>
          ))}
        </Select>
      )}
      <span className="flex items-center gap-3 text-[13px] text-ink-soft sm:justify-end">
        {row.place === "body" || inPath ? null : (
          <label className="inline-flex items-center gap-1.5">
            <input type="checkbox" checked={row.fixed} disabled={locked} className="size-4 accent-accent" onChange={(event) => onChange({ ...row, fixed: event.target.checked })} />
            {t("fixed")}
          </label>
        )}
        {row.fixed ? null : (
          <label className="inline-flex items-center gap-1.5">
            <input type="checkbox" checked={row.required || inPath} disabled={inPath || locked} className="size-4 accent-accent" onChange={(event) => onChange({ ...row, required: event.target.checked })} />
            {t("required")}
          </label>
        )}
      </span>
      {row.fixed ? null : (
        <Input
          value={typeof row.schema.description === "string" ? row.schema.description : ""}
          aria-label={t("description", { name: label })}
          placeholder={t("descriptionPlaceholder")}
          className={cn(small, "col-span-2 sm:col-span-3 sm:col-start-2")}
          onChange={(event) => onChange({ ...row, schema: described(row.schema, event.target.value) })}
        />
      )}
      {error ? (
        <p role="alert" className="col-span-full text-[13px] text-bad">
          {error}
        </p>
      ) : null}
    </li>
  );
}
