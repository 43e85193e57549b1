"use client";

import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { Badge, Card } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";

/** What the description is, in a word how much of it can be used, and what is said of it as a whole. */
export function ImportHead({ description, onRestart }: { description: Schemas["DescriptionOut"]; onRestart: () => void }) {
  const t = useTranslations("tools.import");
  const { counts, changes, notes } = description;
  return (
    <Card className="flex flex-col gap-3 p-5">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h3 className="truncate text-[15px] font-semibold">{description.title || t("untitled")}</h3>
          <p className="text-[13px] text-ink-soft">{t("facts", { version: description.version || "–", openapi: description.openapi })}</p>
        </div>
        <Button size="sm" onClick={onRestart}>
          {t("otherSource")}
        </Button>
      </div>
      <div className="flex flex-wrap gap-2">
        <Badge tone="good">{t("counts.accepted", { count: counts.accepted })}</Badge>
        {counts.changed ? <Badge tone="warn">{t("counts.changed", { count: counts.changed })}</Badge> : null}
        {counts.skipped ? <Badge tone="bad">{t("counts.skipped", { count: counts.skipped })}</Badge> : null}
        {changes ? <Badge tone="info">{t("counts.compared", { added: changes.added, changed: changes.changed, removed: changes.removed })}</Badge> : null}
      </div>
      {notes.length ? (
        <ul className="list-disc space-y-1 pl-5 text-[13px] text-ink-soft">
          {notes.map(({ code, message }) => (
            <li key={`${code} ${message}`}>{message}</li>
          ))}
        </ul>
      ) : null}
    </Card>
  );
}
