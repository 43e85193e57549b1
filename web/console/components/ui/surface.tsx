import type { ComponentProps, ReactNode } from "react";

import { cn } from "@/lib/cn";

/** A sheet on the page. */
export function Card({ className, ...rest }: ComponentProps<"div">) {
  return <div className={cn("rounded-xl border border-line bg-surface shadow-low", className)} {...rest} />;
}

/** A titled part of a page. */
export function Section({ title, hint, actions, className, children }: { title: ReactNode; hint?: ReactNode; actions?: ReactNode; className?: string; children: ReactNode }) {
  return (
    <section className={cn("flex flex-col gap-4", className)}>
      <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 className="text-[15px] font-semibold text-ink">{title}</h2>
          {hint ? <p className="mt-0.5 max-w-prose text-[13px] text-ink-soft">{hint}</p> : null}
        </div>
        {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      </header>
      {children}
    </section>
  );
}

const TONES = {
  neutral: "bg-hover text-ink-soft",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  info: "bg-info-soft text-info",
  accent: "bg-accent-soft text-accent-ink",
};

export type Tone = keyof typeof TONES;

/** A word about the state of something. `dot` adds a point in its colour. */
export function Badge({ tone = "neutral", dot = false, className, children }: { tone?: Tone; dot?: boolean; className?: string; children: ReactNode }) {
  return (
    <span className={cn("inline-flex h-5.5 items-center gap-1.5 rounded-full px-2 text-xs font-medium whitespace-nowrap", TONES[tone], className)}>
      {dot ? <span aria-hidden className="size-1.5 rounded-full bg-current" /> : null}
      {children}
    </span>
  );
}

/** Grey in the place of what is still to come, of the same size as what comes. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cn("block animate-pulse rounded-md bg-hover", className)} />;
}

/** Nothing here yet: what this is for and what to do. */
export function EmptyState({ icon, title, children, actions }: { icon?: ReactNode; title: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="flex flex-col items-center rounded-xl border border-dashed border-line-strong px-6 py-14 text-center">
      {icon ? (
        <span aria-hidden className="mb-4 flex size-11 items-center justify-center rounded-xl bg-accent-soft text-accent-ink [&_svg]:size-5">
          {icon}
        </span>
      ) : null}
      <h2 className="text-[15px] font-semibold text-ink">{title}</h2>
      {children ? <div className="mt-1.5 max-w-md text-sm text-ink-soft">{children}</div> : null}
      {actions ? <div className="mt-5 flex flex-wrap justify-center gap-2">{actions}</div> : null}
    </div>
  );
}

const NOTICES = {
  info: "border-info/25 bg-info-soft text-ink",
  warn: "border-warn/30 bg-warn-soft text-ink",
  bad: "border-bad/30 bg-bad-soft text-ink",
  good: "border-good/25 bg-good-soft text-ink",
};

/** A message that stays: what is so, and what can be done. */
export function Notice({ tone = "info", actions, className, children, ...rest }: ComponentProps<"div"> & { tone?: keyof typeof NOTICES; actions?: ReactNode }) {
  return (
    <div className={cn("flex flex-wrap items-center justify-between gap-x-4 gap-y-2 rounded-lg border px-4 py-3 text-sm", NOTICES[tone], className)} {...rest}>
      <div className="min-w-0 flex-1">{children}</div>
      {actions ? <div className="flex shrink-0 gap-2">{actions}</div> : null}
    </div>
  );
}
