import { cn } from "@/lib/cn";
import type { ReactNode } from "react";

/** The head of a page: what it is, and what one can do here. */
export function PageHeader({ title, hint, actions, back, children }: { title: ReactNode; hint?: ReactNode; actions?: ReactNode; back?: ReactNode; children?: ReactNode }) {
  return (
    <header className={cn("border-b border-line bg-surface px-4 pt-5 short:pt-2 sm:px-8", children ? "" : "pb-5")}>
      <div className="mx-auto w-full max-w-6xl">
        {back ? <div className="mb-1.5 short:hidden text-[13px] text-ink-soft">{back}</div> : null}
        <div className="flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-3">
          <div className={cn("min-w-0 grow", hint ? "basis-40 short:basis-28" : "basis-36 short:basis-28")}>
            <h1 className="text-xl font-semibold text-ink">{title}</h1>
            {hint ? <p className="mt-0.5 short:hidden text-sm text-ink-soft">{hint}</p> : null}
          </div>
          {actions ? <div className="flex max-w-full flex-wrap items-center gap-2">{actions}</div> : null}
        </div>
        {children ? <div className="mt-3 short:mt-0">{children}</div> : null}
      </div>
    </header>
  );
}

/** What stands below the head, with the page's margins. */
export function PageBody({ className, children }: { className?: string; children: ReactNode }) {
  return <div className={cn("mx-auto w-full max-w-304 px-4 py-6 sm:px-8", className)}>{children}</div>;
}
