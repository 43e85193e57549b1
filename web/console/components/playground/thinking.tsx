"use client";

import { ChevronRight } from "lucide-react";
import { useTranslations } from "next-intl";
import { memo, useEffect, useId, useState } from "react";

import { cn } from "@/lib/cn";
import { useFormats } from "@/lib/format";

/** What the model thought: open while it thinks, then closed, unless somebody has opened or closed it. */
export const Thinking = memo(function Thinking({ text, active }: { text: string; active: boolean }) {
  const t = useTranslations("playground.thinking");
  const formats = useFormats();
  const id = useId();
  const [chosen, setChosen] = useState<boolean | null>(null);
  const took = useDuration(active);
  const open = chosen ?? active;
  const words = active ? t("now") : took === null ? t("past") : t("took", { duration: formats.duration(took) });
  return (
    <div className="min-w-0">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setChosen(!open)}
        className="-ml-1 inline-flex items-center gap-1.5 rounded-md px-1 py-0.5 text-[13px] text-ink-soft transition-colors hover:text-ink pointer-coarse:py-2"
      >
        <ChevronRight aria-hidden className={cn("size-4 transition-transform", open && "rotate-90")} />
        <span className={cn(active && "animate-pulse")}>{words}</span>
      </button>
      <div id={id} hidden={!open} className="mt-1 ml-1.5 border-l-2 border-line pl-4 text-sm leading-relaxed break-words whitespace-pre-wrap text-ink-soft">
        {text}
      </div>
    </div>
  );
});

/** How long something was under way before our eyes; null where we have not seen its beginning. */
function useDuration(active: boolean): number | null {
  const [took, setTook] = useState<number | null>(null);
  useEffect(() => {
    if (!active) return;
    const began = performance.now();
    return () => setTook(performance.now() - began);
  }, [active]);
  return took;
}
