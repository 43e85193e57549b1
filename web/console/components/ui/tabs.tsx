"use client";

import { useEffect, type ReactNode } from "react";

import { cn } from "@/lib/cn";

interface Props<T extends string> {
  label: string;
  tabs: readonly (readonly [T, ReactNode])[];
  value: T;
  onChange: (value: T) => void;
  /** Ids of tab and panel begin with it. */
  id: string;
}

/** A row of tabs; arrow keys move. The panel is the caller's `TabPanel` with the same `id` and `value`. */
export function Tabs<T extends string>({ label, tabs, value, onChange, id }: Props<T>) {
  useEffect(() => {
    const tab = document.getElementById(`${id}-tab-${value}`);
    const row = tab?.parentElement;
    // Sideways only: tabs further down must not pull the page to them.
    if (row) row.scrollLeft += tab.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - tab.offsetWidth) / 2;
  }, [id, value]);
  const move = (event: React.KeyboardEvent<HTMLDivElement>) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };
    const step = steps[event.key];
    if (!step) return;
    const at = tabs.findIndex(([name]) => name === value);
    const next = tabs[(at + step + tabs.length) % tabs.length]?.[0];
    if (!next) return;
    event.preventDefault();
    onChange(next);
    document.getElementById(`${id}-tab-${next}`)?.focus();
  };
  return (
    <div role="tablist" aria-label={label} onKeyDown={move} className="-mb-px flex gap-1 overflow-x-auto [scrollbar-width:none]">
      {tabs.map(([name, words]) => (
        <button
          key={name}
          id={`${id}-tab-${name}`}
          type="button"
          role="tab"
          aria-selected={name === value}
          aria-controls={`${id}-panel-${name}`}
          tabIndex={name === value ? 0 : -1}
          onClick={() => onChange(name)}
          className={cn(
            "inline-flex h-10 items-center gap-1.5 border-b-2 px-3 text-sm whitespace-nowrap transition-colors focus-visible:-outline-offset-2",
            name === value ? "border-accent font-medium text-ink" : "border-transparent text-ink-soft hover:text-ink",
          )}
        >
          {words}
        </button>
      ))}
    </div>
  );
}

export function TabPanel({ id, value, className, children }: { id: string; value: string; className?: string; children: ReactNode }) {
  return (
    <div role="tabpanel" id={`${id}-panel-${value}`} aria-labelledby={`${id}-tab-${value}`} className={className}>
      {children}
    </div>
  );
}
