"use client";

import { diffLines } from "diff";
import { useTranslations } from "next-intl";
import { useId } from "react";

import { Check, Select } from "@/components/ui/field";
import { Badge } from "@/components/ui/surface";
import { cn } from "@/lib/cn";

import { pretty } from "../lib/json";
import type { Tool } from "../lib/kinds";
import { choiceOfOffer, type Offer, type OfferChoice } from "../lib/offers";
import { Block } from "../test/test-result";

interface Props {
  offer: Offer;
  /** The tool that it is already. */
  known?: Tool | undefined;
  choice: OfferChoice | null;
  onChoice: (choice: OfferChoice | null) => void;
}

/** One tool that a server offers: what it says, how it is taken, what has changed since it was approved. */
export function OfferRow({ offer, known, choice, onChoice }: Props) {
  const t = useTranslations("tools.mcp");
  const id = useId();
  const settled = Boolean(offer.chosen) && !offer.changed;
  const able = offer.input_schema !== null && !settled;
  return (
    <li className="flex gap-3 px-4 py-3">
      <input id={id} type="checkbox" checked={settled || choice !== null} disabled={!able} onChange={(event) => onChoice(event.target.checked ? choiceOfOffer(offer, known) : null)} className="mt-1 size-4 shrink-0 accent-accent" />
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <div className="flex flex-wrap items-center gap-2">
          <label htmlFor={id} className="min-w-0 font-mono text-[13px] font-medium break-all">
            {offer.remote_name}
          </label>
          {offer.title && offer.title !== offer.remote_name ? <span className="text-[13px] text-ink-soft">{offer.title}</span> : null}
          {offer.changed ? <Badge tone="warn">{t("changed")}</Badge> : settled ? <Badge tone="good">{t("taken", { name: known?.name ?? "" })}</Badge> : null}
          {offer.effect === "read" ? <Badge>{t("claimsRead")}</Badge> : null}
        </div>
        {offer.changed && offer.before ? (
          <Difference before={`${offer.before.description}\n\n${pretty(offer.before.input_schema)}`} after={`${offer.description}\n\n${pretty(offer.input_schema)}`} />
        ) : (
          <p className="line-clamp-3 text-[13px] break-words whitespace-pre-line text-ink-soft">{offer.description}</p>
        )}
        {offer.notes.map(({ code, level, message }) => (
          <p key={`${code} ${message}`} className={cn("text-[13px] break-words", level === "skipped" ? "text-bad" : level === "changed" ? "text-warn" : "text-ink-faint")}>
            {message}
          </p>
        ))}
        {offer.input_schema ? (
          <details className="text-[13px] text-ink-soft">
            <summary className="w-fit cursor-pointer rounded hover:text-ink">{t("schema")}</summary>
            <div className="mt-1">
              <Block title={t("schema")} text={pretty(offer.input_schema)} />
            </div>
          </details>
        ) : null}
        {choice ? (
          <div className="mt-1 flex flex-wrap items-center gap-x-6 gap-y-2">
            <Select aria-label={t("effect", { name: offer.remote_name })} value={choice.effect} className="w-56" onChange={(event) => onChoice({ ...choice, effect: event.target.value as OfferChoice["effect"] })}>
              <option value="read">{t("read")}</option>
              <option value="write">{t("write")}</option>
            </Select>
            <Check label={t("approval")} checked={choice.approval} onChange={(event) => onChoice({ ...choice, approval: event.target.checked })} />
          </div>
        ) : null}
      </div>
    </li>
  );
}

/** What the model was told and what it would be told now. */
function Difference({ before, after }: { before: string; after: string }) {
  const t = useTranslations("tools.mcp");
  return (
    <pre tabIndex={0} role="group" aria-label={t("difference")} className="max-h-72 overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap">
      {diffLines(before, after).map((part, index) => {
        if (part.added) return <ins key={index} className="block bg-good-soft text-good no-underline">{part.value}</ins>;
        if (part.removed) return <del key={index} className="block bg-bad-soft text-bad no-underline">{part.value}</del>;
        return <span key={index} className="block text-ink-soft">{part.value}</span>;
      })}
    </pre>
  );
}
