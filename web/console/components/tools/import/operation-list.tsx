"use client";

import { Search } from "lucide-react";
import { useTranslations } from "next-intl";
import { useCallback, useDeferredValue, useMemo, useState } from "react";

import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/field";
import { Card } from "@/components/ui/surface";

import { byTag, canBeTool, CHANGES, FILTERS, shownOf, toggled, type Change, type Filter, type Operation } from "../lib/operations";
import { OperationGroup } from "./operation-group";

interface Props {
  operations: readonly Operation[];
  again: boolean;
  chosen: ReadonlySet<string>;
  onChosen: (change: (before: Set<string>) => Set<string>) => void;
}

/** All operations, by tag; searched, filtered, chosen one by one, by tag or all at once. */
export function OperationList({ operations, again, chosen, onChosen }: Props) {
  const t = useTranslations("tools.import");
  const [text, setText] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const [change, setChange] = useState<Change>("any");
  const sought = useDeferredValue(text);
  const within = filter === "chosen" ? chosen : null;
  const shown = useMemo(() => shownOf(operations, { text: sought, filter, change }, within ?? new Set()), [operations, sought, filter, change, within]);
  const groups = useMemo(() => byTag(shown), [shown]);
  const set = useCallback((keys: readonly string[], on: boolean) => onChosen((before) => toggled(before, keys, on)), [onChosen]);
  const able = shown.filter(canBeTool).map(({ key }) => key);
  return (
    <Card className="min-w-0 overflow-clip">
      <div className="flex flex-wrap items-center gap-2 border-b border-line p-3">
        <span className="relative block min-w-56 flex-1">
          <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" />
          <Input type="search" value={text} aria-label={t("search")} placeholder={t("search")} className="pl-9" onChange={(event) => setText(event.target.value)} />
        </span>
        <Select aria-label={t("filter")} value={filter} className="w-40" onChange={(event) => setFilter(event.target.value as Filter)}>
          {FILTERS.map((one) => (
            <option key={one} value={one}>
              {t(`filters.${one}`)}
            </option>
          ))}
        </Select>
        {again ? (
          <Select aria-label={t("difference")} value={change} className="w-40" onChange={(event) => setChange(event.target.value as Change)}>
            <option value="any">{t("changes.any")}</option>
            {CHANGES.map((one) => (
              <option key={one} value={one}>
                {t(`changes.${one}`)}
              </option>
            ))}
          </Select>
        ) : null}
      </div>
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2 text-[13px] text-ink-soft">
        <span role="status">{t("shown", { shown: shown.length, all: operations.length, chosen: chosen.size })}</span>
        <span className="flex gap-1">
          <Button size="sm" kind="ghost" disabled={!able.length} onClick={() => set(able, true)}>
            {t(shown.length === operations.length ? "chooseAll" : "chooseShown")}
          </Button>
          <Button size="sm" kind="ghost" disabled={!chosen.size} onClick={() => set(able, false)}>
            {t(shown.length === operations.length ? "dropAll" : "dropShown")}
          </Button>
        </span>
      </div>
      {shown.length ? (
        groups.map((group) => <OperationGroup key={group.tag} group={group} chosen={chosen} onSet={set} />)
      ) : (
        <p className="px-4 py-10 text-center text-sm text-ink-soft">{t("nothingFound")}</p>
      )}
    </Card>
  );
}
