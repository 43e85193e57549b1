"use client";

import { useTranslations } from "next-intl";
import { useRef, type KeyboardEvent } from "react";

import { Card } from "@/components/ui/surface";
import { useFormats } from "@/lib/format";

import { BAR } from "./colours";
import { StepRow } from "./step-row";
import { flat, moveOf, type Axis, type Line, type StepKind, type Trace } from "./waterfall";

interface Props {
  trace: Trace;
  lines: readonly Line[];
  axis: Axis;
  chosen: number | null;
  onChoose: (number: number) => void;
  onToggle: (number: number, open: boolean) => void;
}

const KINDS: readonly StepKind[] = ["model", "tool", "agent", "helper"];
const rowId = (number: number) => `step-${number}`;

/** All steps as a tree beside the time axis; arrow keys walk through it. */
export function StepTree({ trace, lines, axis, chosen, onChoose, onToggle }: Props) {
  const t = useTranslations("traces.waterfall");
  const host = useRef<HTMLDivElement>(null);
  const shown = lines.some((line) => line.step.number === chosen) ? chosen : (lines[0]?.step.number ?? null);
  const press = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const number = Number((event.target as HTMLElement).dataset.step);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onChoose(number);
      return;
    }
    const move = moveOf(lines, number, event.key);
    if (!move) return;
    event.preventDefault();
    if ("open" in move) onToggle(move.open, true);
    else if ("close" in move) onToggle(move.close, false);
    else {
      host.current?.querySelector<HTMLElement>(`#${rowId(move.go)}`)?.focus();
      if (chosen !== null) onChoose(move.go);
    }
  };
  const kinds = KINDS.filter((kind) => lines.some((line) => line.kind === kind));
  return (
    <Card className="min-w-0 overflow-hidden">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-4 py-2.5">
        <h3 className="text-[13px] font-semibold text-ink">
          {t("title")} <span className="font-normal text-ink-soft tabular-nums">{flat(trace.steps).length}</span>
        </h3>
        <ul aria-label={t("legend")} className="flex flex-wrap gap-x-3 gap-y-1 text-xs text-ink-soft">
          {kinds.map((kind) => (
            <li key={kind} className="flex items-center gap-1.5">
              <span aria-hidden className={`size-2 rounded-full ${BAR[kind]}`} />
              {t(`kinds.${kind}`)}
            </li>
          ))}
        </ul>
      </div>
      <Ruler axis={axis} />
      <div ref={host} role="tree" aria-label={t("label")} onKeyDown={press} className="relative pb-1.5">
        <Lines axis={axis} />
        {lines.map((line) => (
          <StepRow
            key={line.step.number}
            id={rowId(line.step.number)}
            line={line}
            left={axis.place(line.start)}
            right={axis.place(line.end)}
            chosen={line.step.number === chosen}
            tabbable={line.step.number === shown}
            onChoose={onChoose}
            onToggle={onToggle}
          />
        ))}
      </div>
      {trace.status === "running" && !lines.some((line) => line.live) ? (
        <p className="animate-pulse border-t border-line px-4 py-2.5 text-[13px] text-ink-soft">{t("working")}</p>
      ) : null}
    </Card>
  );
}

/** The ruler's marks, continued behind the bars. */
function Lines({ axis }: { axis: Axis }) {
  return (
    <div aria-hidden className="pointer-events-none absolute inset-0 hidden grid-cols-[minmax(0,2fr)_minmax(0,3fr)_4.75rem] sm:grid">
      <span className="relative col-start-2">
        {axis.ticks.map((tick) => (
          <span key={tick.time} className="absolute inset-y-0 border-l border-line" style={{ left: `${tick.at * 100}%` }} />
        ))}
      </span>
    </div>
  );
}

function Ruler({ axis }: { axis: Axis }) {
  const t = useTranslations("traces.waterfall");
  const formats = useFormats();
  return (
    <div aria-hidden className="grid grid-cols-1 border-b border-line bg-sunken text-[11px] text-ink-soft tabular-nums sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_4.75rem]">
      <span className="hidden py-1 pl-4 sm:block">{t("step")}</span>
      <div className="relative mx-4 h-6 sm:mx-0">
        {axis.ticks.map((tick) => (
          <span key={tick.time} className="absolute top-0 flex h-full items-center border-l border-line-strong pl-1 whitespace-nowrap" style={{ left: `${tick.at * 100}%` }}>
            {tick.at < 0.93 ? formats.duration(tick.time) : ""}
          </span>
        ))}
        {axis.gaps.map((gap) => (
          <span
            key={gap.from}
            title={t("gap", { duration: formats.duration(gap.to - gap.from) })}
            className="absolute inset-y-0 bg-[repeating-linear-gradient(135deg,var(--line-strong)_0_1px,transparent_1px_5px)]"
            style={{ left: `${axis.place(gap.from) * 100}%`, width: `${(axis.place(gap.to) - axis.place(gap.from)) * 100}%` }}
          />
        ))}
      </div>
      <span className="hidden py-1 pr-4 text-right sm:block">{t("duration")}</span>
    </div>
  );
}
