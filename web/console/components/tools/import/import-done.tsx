"use client";

import { CircleCheck } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";

import type { Go } from "../lib/view";

const PARTS = ["added", "updated", "removed", "unchanged"] as const;

/** What was made of the description. */
export function ImportDone({ result, go, onAgain }: { result: Schemas["ImportResultOut"]; go: Go; onAgain: () => void }) {
  const t = useTranslations("tools.import.done");
  return (
    <Card className="flex flex-col gap-4 p-6">
      <div role="status" className="flex items-center gap-2.5">
        <CircleCheck aria-hidden className="size-5 text-good" />
        <h3 className="text-[15px] font-semibold">{t("title")}</h3>
      </div>
      {PARTS.map((part) =>
        result[part].length ? (
          <div key={part}>
            <p className="text-[13px] font-medium">{t(part, { count: result[part].length })}</p>
            <ul className="mt-1 flex flex-wrap gap-1.5">
              {result[part].map(({ tool_id, name }) => (
                <li key={tool_id}>
                  {part === "removed" ? (
                    <span className="rounded bg-hover px-1.5 py-0.5 font-mono text-xs text-ink-soft line-through">{name}</span>
                  ) : (
                    <button type="button" onClick={() => go({ name: "tool", id: tool_id })} className="rounded bg-hover px-1.5 py-0.5 font-mono text-xs text-ink hover:bg-accent-soft hover:text-accent-ink">
                      {name}
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </div>
        ) : null,
      )}
      <div className="flex flex-wrap gap-2">
        <Button kind="primary" onClick={() => go({ name: "list" })}>
          {t("toTools")}
        </Button>
        <Button onClick={onAgain}>{t("again")}</Button>
      </div>
    </Card>
  );
}
