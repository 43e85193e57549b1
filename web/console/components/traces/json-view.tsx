"use client";

import { useTranslations } from "next-intl";
import { useMemo, type ReactNode } from "react";

import { CopyButton } from "@/components/ui/copy-button";

const SHOWN = 60_000;
const PART = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON in colours: names, texts, everything else. */
function coloured(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(PART)) {
    parts.push(text.slice(at, match.index));
    const [whole, quoted, colon] = match;
    const colour = quoted ? (colon ? "text-accent-ink" : "text-info") : "text-warn";
    parts.push(
      <span key={match.index} className={colour}>
        {quoted ?? whole}
      </span>,
      quoted ? (colon ?? "") : "",
    );
    at = match.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts;
}

/** A value with its name and a button that copies it. Text that is no JSON stands as it is. */
export function JsonView({ label, value }: { label: string; value: unknown }) {
  const t = useTranslations("traces.json");
  const plain = typeof value === "string";
  const text = useMemo(() => (plain ? value : JSON.stringify(value, null, 2)), [plain, value]);
  const cut = text.length > SHOWN;
  const shown = cut ? text.slice(0, SHOWN) : text;
  const body = useMemo(() => (plain ? shown : coloured(shown)), [plain, shown]);
  return (
    <section aria-label={label} className="min-w-0">
      <header className="flex h-7 items-center justify-between">
        <p className="text-xs font-medium text-ink-soft">{label}</p>
        <CopyButton text={text} label={t("copy", { label })} className="size-7" />
      </header>
      <pre
        tabIndex={0}
        role="group"
        aria-label={label}
        className="max-h-80 overflow-auto rounded-lg border border-line bg-sunken px-3 py-2.5 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap text-ink"
      >
        {body}
      </pre>
      {cut ? <p className="mt-1 text-xs text-ink-faint">{t("cut")}</p> : null}
    </section>
  );
}
