"use client";

import { LoaderCircle, Wifi, WifiOff } from "lucide-react";
import { useTranslations } from "next-intl";
import { memo, useEffect, useState, useSyncExternalStore } from "react";

import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/surface";

import type { Talk } from "./model/talk";

const PATIENCE = 1_200;
const GLAD = 3_000;
const CODES = ["agent_not_found", "agent_inactive", "unauthenticated", "forbidden", "token_expired"] as const;
type Code = (typeof CODES)[number];

const isCode = (code: string | undefined): code is Code => (CODES as readonly (string | undefined)[]).includes(code);

/** The state of the line, where it is not simply there. */
export const ConnectionState = memo(function ConnectionState({ talk }: { talk: Talk }) {
  const t = useTranslations("playground.connection");
  const { state, error, since, again } = useSyncExternalStore(talk.subscribe, talk.getConnection);
  const now = useNow(state !== "refused" && state !== "closed");
  const lasted = Math.max(0, now - since);
  if (state === "refused") {
    return (
      <div className="mx-auto w-full max-w-3xl px-3 pb-2 sm:px-6">
        <Notice tone="bad" role="alert" actions={<Button size="sm" onClick={() => talk.client.connect()}>{t("retry")}</Button>}>
          {isCode(error?.code) ? t(`refused.${error.code}`) : (error?.message ?? t("refused.other"))}
        </Notice>
      </div>
    );
  }
  const words =
    state === "open" ? (again && lasted < GLAD ? t("resumed") : null)
    : state === "connecting" || state === "waiting" ? (lasted < PATIENCE ? null : again ? t("reconnecting", { seconds: Math.round(lasted / 1_000) }) : t("connecting"))
    : null;
  const Icon = state === "open" ? Wifi : again ? WifiOff : LoaderCircle;
  return (
    <div role="status" data-connection={state} className="pointer-events-none flex justify-center">
      {words === null ? null : (
        <span className="mb-2 inline-flex animate-rise items-center gap-2 rounded-full border border-line bg-surface px-3 py-1 text-xs text-ink-soft shadow-low tabular-nums">
          <Icon aria-hidden className={state === "open" ? "size-3.5 text-good" : again ? "size-3.5 text-warn" : "size-3.5 animate-spin"} />
          {words}
        </span>
      )}
    </div>
  );
});

function useNow(wanted: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!wanted) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [wanted]);
  return now;
}
