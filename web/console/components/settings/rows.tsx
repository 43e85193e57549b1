import type { ReactNode } from "react";

import { Card } from "@/components/ui/surface";

/** A list in a card: one thing a line. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Card>
      <ul aria-label={label} className="divide-y divide-line">
        {children}
      </ul>
    </Card>
  );
}

/** A line: what it is, more about it, and what can be done at the end. */
export function Row({ title, more, children }: { title: ReactNode; more?: ReactNode; children?: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <div className="flex flex-wrap items-center gap-2 text-sm font-medium break-words text-ink">{title}</div>
        {more ? <div className="mt-0.5 text-[13px] break-words text-ink-soft">{more}</div> : null}
      </div>
      {children ? <div className="flex items-center gap-2">{children}</div> : null}
    </li>
  );
}
