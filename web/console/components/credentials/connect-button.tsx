"use client";

import { ExternalLink } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { toast } from "@/lib/toast";

import { Button } from "@/components/ui/button";
import { useErrorText } from "@/components/ui/error-state";
import { api, data } from "@/lib/api";
import { useRefresh, useResource } from "@/lib/data";
import { useMay } from "@/lib/me";

import type { Credential } from "./lib/draft";

interface Consent {
  url: string;
  /** Milliseconds. */
  ends: number;
}

/** Sends a person to give consent in a window of its own, and waits until it is given. */
export function ConnectButton({ credential, size = "sm" }: { credential: Credential; size?: "sm" | "md" }) {
  const t = useTranslations("tools.credentials.connect");
  const words = useErrorText();
  const refresh = useRefresh();
  const may = useMay("edit");
  const [starting, setStarting] = useState(false);
  const [consent, setConsent] = useState<Consent | null>(null);
  const [before] = useState(credential.updated_at);
  useResource<Credential>(consent ? `/credentials/${credential.id}` : null, {}, {
    refreshInterval: 2_000,
    dedupingInterval: 500,
    onSuccess: ({ body }) => {
      if (body.status === "ready" && (credential.status !== "ready" || body.updated_at !== before)) {
        setConsent(null);
        toast.success(t("connected", { name: body.name }));
        void refresh("/credentials");
      }
    },
  });
  useEffect(() => {
    if (!consent) return;
    const timer = setTimeout(() => {
      setConsent(null);
      toast.error(t("expired"));
    }, consent.ends - Date.now());
    return () => clearTimeout(timer);
  }, [consent, t]);

  const start = async () => {
    // Opened at once, because browsers keep back windows that open later; it cannot reach this page.
    const window = globalThis.open("about:blank", "_blank", "popup,width=560,height=720");
    if (window) window.opener = null;
    setStarting(true);
    try {
      const { authorization_url: url, expires_at } = await data(
        api.POST("/api/v1/credentials/{credential_id}/oauth/start", { params: { path: { credential_id: credential.id } }, body: {} }),
      );
      if (window) window.location.href = url;
      setConsent({ url, ends: Date.parse(expires_at) });
    } catch (error) {
      window?.close();
      toast.error(words(error));
    }
    setStarting(false);
  };

  if (!may) return null;
  if (consent) {
    return (
      <span role="status" className="inline-flex flex-wrap items-center gap-x-2 text-[13px] text-ink-soft">
        {t("waiting")}
        <a href={consent.url} target="_blank" rel="noopener noreferrer" className="inline-flex items-center gap-1 text-accent-ink underline underline-offset-2">
          {t("open")}
          <ExternalLink aria-hidden className="size-3.5" />
        </a>
        <Button size="sm" kind="ghost" onClick={() => setConsent(null)}>
          {t("stop")}
        </Button>
      </span>
    );
  }
  return (
    <Button size={size} kind={credential.status === "ready" ? "secondary" : "primary"} busy={starting} onClick={() => void start()}>
      {credential.status === "not_connected" ? t("connect") : t("reconnect")}
    </Button>
  );
}
