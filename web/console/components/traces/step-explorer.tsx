"use client";

import { useTranslations } from "next-intl";
import { useCallback, useMemo, useState } from "react";

import { Dialog } from "@/components/ui/dialog";
import { Card } from "@/components/ui/surface";
import { useQuery } from "@/lib/address";

import { StepDetail } from "./step-detail";
import { StepTree } from "./step-tree";
import { useStepName } from "./step-name";
import { useWide } from "./use-wide";
import { axisOf, flat, linesOf, type Trace } from "./waterfall";

/** The waterfall and, beside it, the step that is chosen; where there is no room the step comes as a sheet. */
export function StepExplorer({ trace, now }: { trace: Trace; now: number }) {
  const t = useTranslations("traces.waterfall");
  const [search, change] = useQuery();
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set());
  const wide = useWide();
  const nameOf = useStepName();
  const lines = useMemo(() => linesOf(trace, closed, now), [trace, closed, now]);
  const axis = useMemo(() => axisOf(trace, now), [trace, now]);
  const steps = useMemo(() => flat(trace.steps), [trace]);
  const wanted = Number(search.get("step") ?? Number.NaN);
  const chosen = steps.find((step) => step.number === wanted) ?? (wide ? steps[0] : undefined);
  const choose = useCallback((number: number | null) => change({ step: number === null ? null : String(number) }, { replace: true }), [change]);
  const toggle = useCallback((number: number, open: boolean) => {
    setClosed((before) => {
      const next = new Set(before);
      if (open) next.delete(number);
      else next.add(number);
      return next;
    });
  }, []);
  const detail = chosen ? <StepDetail key={chosen.number} trace={trace} step={chosen} now={now} headless={!wide} /> : null;
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.55fr)_minmax(0,1fr)]">
      <StepTree trace={trace} lines={lines} axis={axis} chosen={chosen?.number ?? null} onChoose={choose} onToggle={toggle} />
      {wide ? (
        <Card className="sticky top-4 max-h-[calc(100dvh-6rem)] overflow-y-auto" role="region" aria-label={t("details")} tabIndex={0}>
          {detail}
        </Card>
      ) : (
        <Dialog open={Boolean(chosen)} onOpenChange={(open) => (open ? undefined : choose(null))} title={chosen ? nameOf(chosen) : ""} size="lg">
          <div className="-mx-6 -my-2">{detail}</div>
        </Dialog>
      )}
    </div>
  );
}
