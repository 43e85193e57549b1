"use client";

import { CopyButton } from "@/components/ui/copy-button";

import { pretty } from "./model/entries";

/** A value as indented JSON, with a name and a way to copy it. */
export function JsonView({ title, value }: { title: string; value: unknown }) {
  const text = pretty(value);
  return (
    <div className="min-w-0">
      <div className="flex min-h-7 items-center justify-between gap-2">
        <span className="text-xs font-medium text-ink-faint">{title}</span>
        <CopyButton text={text} className="size-7" />
      </div>
      <pre tabIndex={0} role="group" aria-label={title} className="max-h-72 overflow-auto rounded-lg border border-line bg-sunken px-3 py-2 font-mono text-[12.5px] leading-relaxed break-words whitespace-pre-wrap text-ink">
        {text}
      </pre>
    </div>
  );
}
