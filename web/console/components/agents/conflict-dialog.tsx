"use client";

import { useTranslations } from "next-intl";
import { useId, useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Badge } from "@/components/ui/surface";
import { cn } from "@/lib/cn";

import { chosen, differences, type Difference, type Side } from "./conflict";
import { ValueText } from "./value-text";
import type { Field, Values } from "./values";

interface Props {
  base: Values;
  mine: Values;
  theirs: Values;
  busy: boolean;
  onSettle: (values: Values) => void;
  onClose: () => void;
}

/** Two people changed the same agent: both sides field by field, and what is to hold. */
export function ConflictDialog({ base, mine, theirs, busy, onSettle, onClose }: Props) {
  const t = useTranslations("agents.conflict");
  const common = useTranslations("common.actions");
  const differing = differences(base, mine, theirs);
  const [picks, setPicks] = useState<ReadonlyMap<Field, Side>>(new Map());
  const sides = new Map(differing.map((one) => [one.field, picks.get(one.field) ?? one.side]));
  const all = (side: Side) => setPicks(new Map(differing.map((one) => [one.field, side])));
  return (
    <Dialog
      open
      onOpenChange={onClose}
      size="lg"
      title={t("title")}
      description={t("text")}
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="primary" busy={busy} onClick={() => onSettle(chosen(mine, theirs, sides))}>
            {t("save")}
          </Button>
        </>
      }
    >
      <div className="mb-4 flex flex-wrap gap-2">
        <Button size="sm" onClick={() => all("mine")}>
          {t("allMine")}
        </Button>
        <Button size="sm" onClick={() => all("theirs")}>
          {t("allTheirs")}
        </Button>
      </div>
      <div className="flex flex-col gap-5 pb-2">
        {differing.map((one) => (
          <Choice key={one.field} difference={one} mine={mine} theirs={theirs} side={sides.get(one.field) ?? one.side} onPick={(side) => setPicks((before) => new Map(before).set(one.field, side))} />
        ))}
      </div>
    </Dialog>
  );
}

interface ChoiceProps {
  difference: Difference;
  mine: Values;
  theirs: Values;
  side: Side;
  onPick: (side: Side) => void;
}

function Choice({ difference: { field, both, side: by }, mine, theirs, side, onPick }: ChoiceProps) {
  const t = useTranslations("agents");
  const name = useId();
  return (
    <fieldset className="min-w-0">
      <legend className="mb-2 flex flex-wrap items-center gap-2 text-sm font-medium text-ink">
        {t(`fields.${field}`)}
        <Badge tone={both ? "warn" : "neutral"}>{t(both ? "conflict.both" : by === "mine" ? "conflict.onlyMine" : "conflict.onlyTheirs")}</Badge>
      </legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {(["mine", "theirs"] as const).map((one) => (
          <label
            key={one}
            className={cn(
              "flex min-w-0 cursor-pointer flex-col gap-1.5 rounded-lg border p-3 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent",
              one === side ? "border-accent bg-accent-soft/40 ring-1 ring-accent" : "border-line hover:border-line-strong",
            )}
          >
            <span className="flex items-center gap-2 text-[13px] text-ink-soft">
              <input type="radio" name={name} checked={one === side} onChange={() => onPick(one)} className="size-4 accent-accent" />
              {t(`conflict.${one}`)}
            </span>
            <span className="block max-h-48 overflow-y-auto text-sm text-ink">
              <ValueText field={field} value={(one === "mine" ? mine : theirs)[field]} />
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
