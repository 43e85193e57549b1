"use client";

import { useTranslations } from "next-intl";

import { cn } from "@/lib/cn";

import type { Line } from "./version-diff";

const SIGNS = { same: " ", added: "+", removed: "−" };
const ROWS = { same: "", added: "bg-good-soft/70", removed: "bg-bad-soft/70" };
const WORDS = { same: "", added: "rounded-sm bg-good/25", removed: "rounded-sm bg-bad/25" };

/** A text before and after, line by line. */
export function DiffLines({ lines, label }: { lines: readonly Line[]; label: string }) {
  const t = useTranslations("agents.versions");
  return (
    <div role="region" aria-label={label} tabIndex={0} className="max-h-[32rem] overflow-y-auto rounded-lg border border-line bg-surface text-[13px] leading-6">
      <table className="w-full table-fixed border-collapse">
        <colgroup>
          <col className="w-9 sm:w-11" />
          <col className="w-9 sm:w-11" />
          <col className="w-6" />
          <col />
        </colgroup>
        <thead className="sr-only">
          <tr>
            <th scope="col">{t("linesBefore")}</th>
            <th scope="col">{t("linesAfter")}</th>
            <th scope="col">±</th>
            <th scope="col">{label}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, index) =>
            line.kind === "gap" ? (
              <tr key={index} className="bg-sunken text-xs text-ink-soft">
                <td colSpan={4} className="border-y border-line px-4 py-1 text-center">
                  {t("gap", { count: line.hidden })}
                </td>
              </tr>
            ) : (
              <tr key={index} className={ROWS[line.kind]}>
                <td className="pr-2 text-right align-top text-xs leading-6 text-ink-soft tabular-nums select-none">{line.before}</td>
                <td className="pr-2 text-right align-top text-xs leading-6 text-ink-soft tabular-nums select-none">{line.after}</td>
                <td className="align-top font-mono text-ink-soft select-none">
                  <span aria-hidden>{SIGNS[line.kind]}</span>
                  {line.kind === "same" ? null : <span className="sr-only">{t(line.kind)}</span>}
                </td>
                <td className="pr-4 break-words whitespace-pre-wrap text-ink">
                  {line.pieces.map((piece, at) => (
                    <span key={at} className={cn(piece.changed && WORDS[line.kind])}>
                      {piece.text}
                    </span>
                  ))}
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
