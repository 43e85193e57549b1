import type { ReactNode } from "react";

import { Logo } from "@/components/shell/logo";

/** One thing in the middle of a page that has nothing else. */
export function StandAlone({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <main id="main" className="flex min-h-full flex-col items-center justify-center px-4 py-12">
      <div className="w-full max-w-sm rounded-2xl border border-line bg-surface px-7 py-8 text-center shadow-high">
        <Logo className="mx-auto size-11" />
        <h1 className="mt-5 text-lg font-semibold text-ink">{title}</h1>
        {children}
      </div>
    </main>
  );
}
