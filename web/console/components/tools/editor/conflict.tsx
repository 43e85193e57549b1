"use client";

import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/surface";

import { pretty, same } from "../lib/json";
import type { Tool } from "../lib/kinds";
import type { Definition } from "./use-saving";

interface Props {
  theirs: Tool;
  mine: Definition;
  busy: boolean;
  onMine: () => void;
  onTheirs: () => void;
}

/** Somebody else has saved the tool meanwhile: both sides, and which one is to hold. */
export function Conflict({ theirs, mine, busy, onMine, onTheirs }: Props) {
  const t = useTranslations("tools.editor.conflict");
  const there = theirs as unknown as Record<string, unknown>;
  const different = Object.entries(mine).filter(([name, value]) => !same(there[name] ?? null, value ?? null));
  return (
    <Notice
      tone="warn"
      role="alert"
      actions={
        <>
          <Button size="sm" onClick={onTheirs}>
            {t("theirs")}
          </Button>
          <Button size="sm" kind="primary" busy={busy} onClick={onMine}>
            {t("mine")}
          </Button>
        </>
      }
    >
      <p className="font-medium">{t("title")}</p>
      {different.length ? (
        <div className="mt-2 max-h-64 overflow-auto rounded-md border border-line bg-surface" tabIndex={0} role="region" aria-label={t("differences")}>
          <table className="w-full text-left text-xs">
            <thead className="text-ink-faint">
              <tr>
                <th className="px-3 py-1.5 font-medium">{t("field")}</th>
                <th className="px-3 py-1.5 font-medium">{t("there")}</th>
                <th className="px-3 py-1.5 font-medium">{t("here")}</th>
              </tr>
            </thead>
            <tbody className="align-top">
              {different.map(([name, value]) => (
                <tr key={name} className="border-t border-line">
                  <th scope="row" className="px-3 py-1.5 font-mono font-medium">
                    {name}
                  </th>
                  <td className="px-3 py-1.5 font-mono whitespace-pre-wrap">{words(there[name])}</td>
                  <td className="px-3 py-1.5 font-mono whitespace-pre-wrap">{words(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="mt-1 text-[13px] text-ink-soft">{t("same")}</p>
      )}
    </Notice>
  );
}

function words(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "string" ? value : pretty(value);
}
