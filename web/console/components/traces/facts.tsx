import type { ReactNode } from "react";

/** Names and values side by side. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-3 xl:grid-cols-5">{children}</dl>;
}

export function Fact({ name, hint, children }: { name: ReactNode; hint?: ReactNode; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-faint">{name}</dt>
      <dd className="mt-0.5 text-sm break-words text-ink tabular-nums">
        {children}
        {hint ? <div className="text-xs text-ink-soft">{hint}</div> : null}
      </dd>
    </div>
  );
}
