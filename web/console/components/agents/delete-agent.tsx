"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Confirm } from "@/components/ui/dialog";

import type { AgentOut } from "./values";

interface Props {
  agent: AgentOut;
  remove: (agent: AgentOut) => Promise<boolean>;
  onClose: () => void;
  onDeleted?: (() => void) | undefined;
}

/** Asks before an agent is deleted. */
export function DeleteAgent({ agent, remove, onClose, onDeleted }: Props) {
  const t = useTranslations("agents.actions");
  const [busy, setBusy] = useState(false);
  // In a list it is gone at once; where it is shown, it is left once it is gone.
  const confirm = async () => {
    if (!onDeleted) onClose();
    setBusy(true);
    const gone = await remove(agent);
    if (onDeleted) onClose();
    if (gone) onDeleted?.();
  };
  return (
    <Confirm open onOpenChange={(open) => (open ? undefined : onClose())} title={t("deleteTitle", { name: agent.name })} action={t("deleteConfirm")} busy={busy} onConfirm={() => void confirm()}>
      {t("deleteText")}
    </Confirm>
  );
}
