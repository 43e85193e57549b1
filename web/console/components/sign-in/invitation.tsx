"use client";

import { useTranslations } from "next-intl";
import { useSearchParams } from "next/navigation";
import { useState } from "react";

import { StandAlone } from "@/components/sign-in/stand-alone";
import { Button, ButtonLink } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { api, data, type Schemas } from "@/lib/api";

/** An invitation to a workspace, by the token in the address. */
export function Invitation() {
  const t = useTranslations("common.invitation");
  const token = useSearchParams().get("token");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [joined, setJoined] = useState<Schemas["JoinedOut"] | null>(null);
  const accept = async () => {
    setBusy(true);
    setError(null);
    try {
      setJoined(await data(api.POST("/api/v1/invitations/accept", { body: { token: token ?? "" } })));
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  if (joined) {
    return (
      <StandAlone title={t("joined")}>
        <p role="status" className="mt-2 text-sm text-ink-soft">
          {t("joinedText", { role: t(`roles.${joined.role}`) })}
        </p>
        {/* A whole page: nothing of the workspace before stays in memory. */}
        <Button kind="primary" className="mt-6 w-full" onClick={() => window.location.assign(window.location.pathname.replace("invitation", "agents"))}>
          {t("toAgents")}
        </Button>
      </StandAlone>
    );
  }
  return (
    <StandAlone title={token ? t("title") : t("incomplete")}>
      <p className="mt-2 text-sm text-ink-soft">{token ? t("text") : t("incompleteText")}</p>
      {error ? <ErrorState error={error} className="mt-5 text-left" /> : null}
      {token ? (
        <Button kind="primary" busy={busy} className="mt-6 w-full" onClick={() => void accept()}>
          {t("accept")}
        </Button>
      ) : null}
      <ButtonLink kind="ghost" href="/agents/" className="mt-2 w-full">
        {t("notNow")}
      </ButtonLink>
    </StandAlone>
  );
}
