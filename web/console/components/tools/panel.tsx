"use client";

import { ArrowLeft } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useRef, type ReactNode } from "react";

import { cn } from "@/lib/cn";

interface Props {
  title: ReactNode;
  hint?: ReactNode;
  actions?: ReactNode;
  onBack: () => void;
  wide?: boolean;
  children: ReactNode;
}

/** What stands in the place of the list: a way back, a title that takes the focus, actions that stay in sight. */
export function Panel({ title, hint, actions, onBack, wide = false, children }: Props) {
  const t = useTranslations("tools");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const width = cn("mx-auto w-full px-4 sm:px-8", wide ? "max-w-[90rem]" : "max-w-304");
  return (
    <div className="flex min-h-full flex-col">
      <header className="sticky top-0 z-10 border-b border-line bg-page/95 py-3 backdrop-blur">
        <div className={cn(width, "flex flex-wrap items-center justify-between gap-x-4 gap-y-2")}>
          <div className="flex min-w-0 flex-1 items-center gap-2">
            <button type="button" onClick={onBack} className="-ml-2 inline-flex h-8 shrink-0 items-center gap-1.5 rounded-md px-2 text-[13px] text-ink-soft hover:bg-hover hover:text-ink pointer-coarse:h-10">
              <ArrowLeft aria-hidden className="size-4" />
              {t("back")}
            </button>
            <span aria-hidden className="text-ink-faint">
              /
            </span>
            <h2 ref={heading} tabIndex={-1} className="min-w-0 truncate text-[15px] font-semibold text-ink outline-none">
              {title}
            </h2>
          </div>
          {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
        </div>
      </header>
      <div className={cn(width, "flex flex-1 flex-col gap-6 py-6")}>
        {hint ? <p className="max-w-prose text-sm text-ink-soft">{hint}</p> : null}
        {children}
      </div>
    </div>
  );
}
