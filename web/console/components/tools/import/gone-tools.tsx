"use client";

import { useTranslations } from "next-intl";

import { Card } from "@/components/ui/surface";
import { Check } from "@/components/ui/field";
import type { Schemas } from "@/lib/api";

import type { Tool } from "../lib/kinds";
import { toggled } from "../lib/operations";

interface Props {
  gone: readonly Schemas["RemovedOut"][];
  tools: readonly Tool[];
  chosen: ReadonlySet<string>;
  onChosen: (chosen: ReadonlySet<string>) => void;
}

/** Tools whose operation the description no longer has: they stay unless they are chosen here. */
export function GoneTools({ gone, tools, chosen, onChosen }: Props) {
  const t = useTranslations("tools.import.gone");
  return (
    <Card className="flex flex-col gap-3 p-5">
      <div>
        <h3 className="text-[13px] font-semibold">{t("title", { count: gone.length })}</h3>
        <p className="text-[13px] text-ink-soft">{t("hint")}</p>
      </div>
      {gone.map(({ key, tool_id }) => (
        <Check
          key={key}
          label={t("delete", { name: tools.find(({ id }) => id === tool_id)?.name ?? tool_id })}
          hint={<code className="font-mono text-xs">{key}</code>}
          checked={chosen.has(key)}
          onChange={(event) => onChosen(toggled(chosen, [key], event.target.checked))}
        />
      ))}
    </Card>
  );
}
