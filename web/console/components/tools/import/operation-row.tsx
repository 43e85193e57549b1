"use client";

import { useTranslations } from "next-intl";
import { memo, useId } from "react";

import { Badge, type Tone } from "@/components/ui/surface";
import { cn } from "@/lib/cn";

import { canBeTool, type Operation } from "../lib/operations";
import { PathText } from "../target";

const LEVELS = { info: "text-ink-faint", changed: "text-warn", skipped: "text-bad" };
const CHANGE_TONES: Record<NonNullable<Operation["change"]>, Tone> = { added: "good", changed: "warn", same: "neutral" };

interface Props {
  operation: Operation;
  chosen: boolean;
  onSet: (keys: readonly string[], on: boolean) => void;
}

/** One operation: what becomes of it and why. Rows out of sight are not laid out, so a thousand scroll like ten. */
export const OperationRow = memo(function OperationRow({ operation, chosen, onSet }: Props) {
  const t = useTranslations("tools.import");
  const id = useId();
  const able = canBeTool(operation);
  const { status, change, reasons, details } = operation;
  const told = reasons.filter(({ level }) => level !== "info");
  const infos = reasons.length - told.length;
  return (
    <li className={cn("flex gap-3 px-4 py-2.5 [contain-intrinsic-size:auto_3.75rem] [content-visibility:auto]", !able && "bg-sunken/60")}>
      <input id={id} type="checkbox" checked={chosen} disabled={!able} onChange={(event) => onSet([operation.key], event.target.checked)} className="mt-1 size-4 shrink-0 accent-accent" />
      <div className="min-w-0 flex-1">
        <label htmlFor={id} className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5 font-mono text-xs">
          <span className="font-semibold">{operation.method.toUpperCase()}</span>{" "}
          <span className={cn("min-w-0 break-all", able ? "text-ink" : "text-ink-soft")}>
            <PathText path={operation.path} />
          </span>
        </label>
        <p className="mt-0.5 text-[13px] break-words text-ink-soft">
          {operation.name ? <span className="font-mono text-xs">{operation.name}</span> : null}
          {operation.name && operation.summary ? " · " : ""}
          {operation.summary}
        </p>
        {told.map(({ code, level, message }) => (
          <p key={`${code} ${message}`} className={cn("mt-0.5 text-[13px] break-words", LEVELS[level])}>
            {message}
          </p>
        ))}
        {details.length ? (
          <p className="mt-0.5 text-[13px] break-words text-ink-soft">
            <span className="font-medium">{t("whatChanged")}</span> {details.join(", ")}
          </p>
        ) : null}
        {infos ? (
          <details className="mt-0.5 text-[13px] text-ink-faint">
            <summary className="w-fit cursor-pointer rounded hover:text-ink">{t("notes", { count: infos })}</summary>
            <ul className="list-disc pl-5">
              {reasons.map(({ code, level, message }) => (level === "info" ? <li key={`${code} ${message}`}>{message}</li> : null))}
            </ul>
          </details>
        ) : null}
      </div>
      <span className="flex shrink-0 flex-col items-end gap-1">
        {change ? <Badge tone={CHANGE_TONES[change]}>{t(`changes.${change}`)}</Badge> : null}
        {operation.breaking ? <Badge tone="bad">{t("breaking")}</Badge> : null}
        {status === "accepted" ? null : <Badge tone={status === "changed" ? "warn" : "bad"}>{t(`statuses.${status}`)}</Badge>}
        {operation.effect === "write" ? <Badge tone="warn">{t("write")}</Badge> : null}
        {operation.deprecated ? <Badge>{t("deprecated")}</Badge> : null}
      </span>
    </li>
  );
});
