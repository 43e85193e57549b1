"use client";

import { useTranslations } from "next-intl";

import type { Answer, Entry } from "@melton/client";

import { waiting } from "./model/entries";

/** Tells screen readers how it goes with the newest answer, not each of its words. */
export function Announcer({ entries }: { entries: readonly Entry[] }) {
  const t = useTranslations("playground.announce");
  const last = entries.findLast((entry): entry is Answer => entry.role === "assistant");
  const [asks] = waiting(entries);
  return (
    <p role="status" className="sr-only">
      {asks ? t("approval", { name: asks.name }) : last ? t(last.status) : ""}
    </p>
  );
}
