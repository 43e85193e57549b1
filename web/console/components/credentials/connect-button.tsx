"use client";

import { useTranslations } from "next-intl";
import { toast } from "@/lib/toast";

import { Button } from "@/components/ui/button";
import { useErrorText } from "@/components/ui/error-state";
import { useMay } from "@/lib/me";

import { ConsentWait } from "./consent-wait";
import type { Credential } from "./lib/draft";
import { useConsent } from "./use-consent";

/** Sends a person to give consent in a window of its own, and waits until it is given or refused. */
export function ConnectButton({ credential, size = "sm" }: { credential: Credential; size?: "sm" | "md" }) {
  const t = useTranslations("tools.credentials.connect");
  const words = useErrorText();
  const may = useMay("edit");
  const { consent, starting, start, stop } = useConsent(credential, {
    onConnected: (name) => toast.success(t("connected", { name })),
    onRefused: (failure) => toast.error(failure === "access_denied" ? t("denied") : t("refused", { failure })),
    onExpired: () => toast.error(t("expired")),
    onError: (error) => toast.error(words(error)),
  });
  const refused = credential.status === "ready" ? null : credential.last_consent?.failure;
  if (!may) return null;
  if (consent) return <ConsentWait consent={consent} onStop={stop} />;
  return (
    <span className="inline-flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
      <Button size={size} kind={credential.status === "ready" ? "secondary" : "primary"} busy={starting} onClick={() => void start()}>
        {credential.status === "not_connected" ? t("connect") : t("reconnect")}
      </Button>
      {refused ? <span className="min-w-0 text-[13px] text-bad">{refused === "access_denied" ? t("denied") : t("refused", { failure: refused })}</span> : null}
    </span>
  );
}
