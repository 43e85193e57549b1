"use client";

import { ArrowDown, MessageCircleOff } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Skeleton } from "@/components/ui/surface";
import type { Entry } from "@melton/client";
import { asApiError } from "@/lib/errors";

import { useActions } from "./actions";
import { Messages } from "./messages";
import { keyOf } from "./model/entries";
import type { Stored } from "./model/history";
import { useFollow } from "./use-follow";
import { useSettled } from "./use-settled";

interface Props {
  entries: readonly Entry[];
  stored: Stored | null;
  online: boolean;
  /** Shown where nothing has been said. */
  empty: ReactNode;
  onOlder: () => void;
}

/** What was said, from old to new; it follows what is new unless somebody reads further up. */
export function Transcript({ entries, stored, online, empty, onOlder }: Props) {
  const t = useTranslations("playground.transcript");
  const { scroller, content, atEnd, toEnd } = useFollow();
  useSettled(content, entries);
  const top = useOlder(entries, stored, onOlder);
  const loading = stored !== null && stored.entries.length === 0 && entries.length === 0 && stored.state !== "ready" && !stored.error;
  const missing = Boolean(stored?.error) && asApiError(stored?.error).status === 404;
  return (
    <div className="relative min-h-0 flex-1">
      <div ref={scroller} tabIndex={0} role="log" aria-live="off" aria-label={t("label")} aria-busy={loading} className="h-full overflow-y-auto overscroll-contain outline-offset-[-2px] [overflow-anchor:none]">
        <div ref={content} className="mx-auto flex min-h-full w-full max-w-3xl flex-col gap-6 px-4 py-6 sm:px-6">
          {stored?.error ? missing ? <Gone /> : <ErrorState error={stored.error} onRetry={onOlder} /> : null}
          {stored?.more && !stored.error ? (
            <div ref={top} className="flex justify-center">
              <Button size="sm" kind="ghost" busy={stored.state === "loading"} onClick={onOlder}>
                {t("older")}
              </Button>
            </div>
          ) : null}
          {loading ? <Waiting /> : null}
          {entries.length === 0 && !loading && !stored?.error ? empty : null}
          <Messages entries={entries} runs={stored?.runs} online={online} />
        </div>
      </div>
      {atEnd ? null : (
        <Button size="sm" icon={<ArrowDown aria-hidden />} className="absolute bottom-3 left-1/2 -translate-x-1/2 animate-rise rounded-full shadow-high" onClick={toEnd}>
          {t("newest")}
        </Button>
      )}
    </div>
  );
}

/** Loads older messages when their place comes into view, and keeps what was read where it was. */
function useOlder(entries: readonly Entry[], stored: Stored | null, onOlder: () => void) {
  const top = useRef<HTMLDivElement>(null);
  const before = useRef<{ first: string; height: number } | null>(null);
  const first = entries[0] ? keyOf(entries[0]) : "";
  useLayoutEffect(() => {
    const scroller = top.current?.closest<HTMLElement>("[role=log]") ?? null;
    const { current } = before;
    if (scroller && current && current.first !== first) scroller.scrollTop += scroller.scrollHeight - current.height;
    before.current = scroller ? { first, height: scroller.scrollHeight } : null;
  });
  const ready = stored?.more === true && stored.state === "ready" && !stored.error;
  useEffect(() => {
    const { current } = top;
    if (!ready || !current) return;
    const watch = new IntersectionObserver(([seen]) => seen?.isIntersecting && onOlder(), { root: current.closest("[role=log]"), rootMargin: "400px 0px 0px" });
    watch.observe(current);
    return () => watch.disconnect();
  }, [ready, first, onOlder]);
  return top;
}

function Gone() {
  const t = useTranslations("playground.transcript");
  const { begin, may } = useActions();
  return (
    <div className="my-auto">
      <EmptyState
        icon={<MessageCircleOff />}
        title={t("gone")}
        actions={
          may ? (
            <Button kind="primary" onClick={begin}>
              {t("begin")}
            </Button>
          ) : null
        }
      >
        {t("goneText")}
      </EmptyState>
    </div>
  );
}

function Waiting() {
  return (
    <>
      <Skeleton className="h-11 w-2/5 self-end rounded-2xl" />
      <div className="flex flex-col gap-2.5">
        <Skeleton className="h-4 w-11/12" />
        <Skeleton className="h-4 w-4/5" />
        <Skeleton className="h-4 w-3/5" />
      </div>
      <Skeleton className="h-11 w-1/3 self-end rounded-2xl" />
      <div className="flex flex-col gap-2.5">
        <Skeleton className="h-4 w-10/12" />
        <Skeleton className="h-4 w-2/3" />
      </div>
    </>
  );
}
