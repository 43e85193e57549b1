"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Badge } from "@/components/ui/surface";
import { Link } from "@/i18n/navigation";
import { useMay } from "@/lib/me";

import { ConnectButton } from "./connect-button";
import { CredentialDialog } from "./credential-dialog";
import { CredentialState } from "./credential-state";
import type { Needed, Use } from "./lib/of-agent";
import { byConsent } from "./lib/state";

const SHOWN = 6;

/** A credential that the agent names, and which of its parts do. */
export function NeededCredential({ agent, needed: { id, credential, uses } }: { agent: string; needed: Needed }) {
  const t = useTranslations("tools.credentials");
  const may = useMay("edit");
  const [replacing, setReplacing] = useState(false);
  const lost = credential && credential.status !== "ready";
  const wayTo = (use: Use) => ({ pathname: "/agents/detail/", query: { id: agent, tab: "tools", ...(use.kind === "tool" ? { tool: use.id } : {}) } });
  return (
    <li className="flex flex-col gap-2 px-4 py-3 sm:flex-row sm:items-start sm:justify-between">
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-2 font-medium text-ink">
          <span className="min-w-0 truncate">{credential ? credential.name : t("tab.gone")}</span>
          {credential ? <CredentialState credential={credential} /> : <Badge tone="bad" dot>{t("states.gone")}</Badge>}
        </p>
        <p className="mt-0.5 text-[13px] text-ink-soft">{credential ? t(`kinds.${credential.kind}.name`) : <code className="font-mono">{id}</code>}</p>
        <p className="mt-1 text-[13px] text-ink-soft">
          {t("tab.usedBy")}{" "}
          {uses.slice(0, SHOWN).map((use, index) => (
            <span key={use.id}>
              {index ? ", " : ""}
              <Link href={wayTo(use)} className="text-accent-ink underline-offset-2 hover:underline">
                {use.name}
              </Link>
            </span>
          ))}
          {uses.length > SHOWN ? ` ${t("tab.andMore", { count: uses.length - SHOWN })}` : ""}
        </p>
      </div>
      {lost && may ? (
        <div className="shrink-0">
          {byConsent(credential) ? (
            <ConnectButton credential={credential} />
          ) : (
            <Button size="sm" kind="primary" onClick={() => setReplacing(true)}>
              {t("tab.enterAgain")}
            </Button>
          )}
        </div>
      ) : null}
      {replacing && credential ? <CredentialDialog credential={credential} onClose={() => setReplacing(false)} /> : null}
    </li>
  );
}
