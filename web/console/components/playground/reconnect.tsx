"use client";

import { RotateCcw } from "lucide-react";
import { useTranslations } from "next-intl";
import { use, useEffect, useState } from "react";

import { ConnectButton } from "@/components/credentials/connect-button";
import { CredentialDialog } from "@/components/credentials/credential-dialog";
import type { Credential } from "@/components/credentials/lib/draft";
import { byConsent } from "@/components/credentials/lib/state";
import { Button, ButtonLink } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Notice, Skeleton } from "@/components/ui/surface";
import { useResource } from "@/lib/data";

import { AskedContext, useActions } from "./actions";

/** A call failed because its credential is not connected: the way to connect it, and then to ask again. */
export function Reconnect({ credentialId }: { credentialId: string }) {
  const t = useTranslations("playground.tool");
  const { agentId, again } = useActions();
  const asked = use(AskedContext);
  const [entering, setEntering] = useState(false);
  const { data: credential, error, mutate } = useResource<Credential>(`/credentials/${encodeURIComponent(credentialId)}`);
  // It was connected a moment ago, and is not any more: what another call's card has just read says nothing of this one.
  useEffect(() => void mutate(), [mutate]);
  if (error?.status === 404) {
    const tools = { pathname: "/agents/detail/", query: { id: agentId, tab: "tools" } };
    return (
      <Notice tone="warn" actions={<ButtonLink size="sm" href={tools}>{t("toTools")}</ButtonLink>}>
        {t("credentialGone")}
      </Notice>
    );
  }
  if (error && !credential) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!credential) return <Skeleton className="h-12 w-full" />;
  if (credential.status === "ready") {
    const retry = asked === undefined ? null : (
      <Button size="sm" kind="primary" icon={<RotateCcw aria-hidden />} onClick={() => again(asked)}>
        {t("askAgain")}
      </Button>
    );
    return (
      <Notice tone="good" role="status" actions={retry}>
        {t("connected", { name: credential.name })}
      </Notice>
    );
  }
  return (
    <Notice tone="warn">
      <p className="mb-2">{t(credential.status === "not_connected" ? "notConnected" : "needsReconnect", { name: credential.name })}</p>
      {byConsent(credential) ? (
        <ConnectButton credential={credential} />
      ) : (
        <Button size="sm" kind="primary" onClick={() => setEntering(true)}>
          {t("enterAgain")}
        </Button>
      )}
      {entering ? <CredentialDialog credential={credential} onClose={() => setEntering(false)} /> : null}
    </Notice>
  );
}
