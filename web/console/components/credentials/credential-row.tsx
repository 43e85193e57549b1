"use client";

import { Ellipsis, KeyRound, RotateCcw, Trash2 } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button, IconButton } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Ago } from "@/components/ui/time";
import { useMay } from "@/lib/me";

import { ConnectButton } from "./connect-button";
import { CredentialDialog } from "./credential-dialog";
import { CredentialState } from "./credential-state";
import { DeleteCredential } from "./delete-credential";
import type { Credential } from "./lib/draft";
import { byConsent } from "./lib/state";
import { UsedBy } from "./used-by";

/** One credential of the list, and what can be done with it. */
export function CredentialRow({ credential }: { credential: Credential }) {
  const t = useTranslations("tools.credentials");
  const common = useTranslations("common.actions");
  const [open, setOpen] = useState<"replace" | "delete" | "uses" | null>(null);
  const may = useMay("edit");
  const close = () => setOpen(null);
  const connects = byConsent(credential);
  const hosts = credential.allowed_hosts.join(", ");
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2 px-4 py-3 md:grid-cols-[minmax(0,2.2fr)_minmax(0,1.6fr)_minmax(0,1fr)_minmax(0,1fr)_auto]">
      <div className="min-w-0">
        <p className="truncate font-medium text-ink">{credential.name}</p>
        <p className="truncate text-[13px] text-ink-soft" title={hosts || undefined}>
          {t(`kinds.${credential.kind}.name`)}
          {hosts ? ` · ${hosts}` : ""}
        </p>
      </div>
      <div className="order-last col-span-2 flex min-w-0 flex-wrap items-center gap-2 md:order-none md:col-span-1">
        <CredentialState credential={credential} />
        {credential.failure ? <code className="truncate font-mono text-xs text-ink-faint">{credential.failure}</code> : null}
        {credential.status === "ready" ? null : connects ? (
          <ConnectButton credential={credential} />
        ) : (
          <Button size="sm" kind="primary" onClick={() => setOpen("replace")}>
            {t("tab.enterAgain")}
          </Button>
        )}
      </div>
      <div className="hidden text-[13px] md:block">
        {credential.uses ? (
          <button type="button" onClick={() => setOpen("uses")} className="rounded text-ink-soft underline decoration-line-strong underline-offset-3 hover:text-ink">
            {t("uses.count", { count: credential.uses })}
          </button>
        ) : (
          <span className="text-ink-faint">{t("uses.unused")}</span>
        )}
      </div>
      <div className="hidden text-[13px] text-ink-soft md:block">
        <Ago time={credential.updated_at} />
      </div>
      <Menu
        trigger={
          <IconButton label={t("list.menu", { name: credential.name })}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<KeyRound aria-hidden />} onSelect={() => setOpen("uses")}>
          {t("list.uses")}
        </MenuItem>
        {may ? (
          <>
            <MenuItem icon={<RotateCcw aria-hidden />} onSelect={() => setOpen("replace")}>
              {t("list.replace")}
            </MenuItem>
            <MenuItem danger icon={<Trash2 aria-hidden />} onSelect={() => setOpen("delete")}>
              {common("delete")}
            </MenuItem>
          </>
        ) : null}
      </Menu>
      {open === "replace" ? <CredentialDialog credential={credential} onClose={close} /> : null}
      {open === "delete" ? <DeleteCredential credential={credential} onClose={close} /> : null}
      <Dialog open={open === "uses"} onOpenChange={close} title={t("uses.title", { name: credential.name })}>
        <div className="flex flex-col gap-4 pb-3">
          <UsedBy id={credential.id} onFollow={close} />
          {connects ? <ConnectButton credential={credential} size="md" /> : null}
        </div>
      </Dialog>
    </li>
  );
}
