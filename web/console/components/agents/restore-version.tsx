"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Confirm } from "@/components/ui/dialog";
import { useErrorText } from "@/components/ui/error-state";
import { api, revised } from "@/lib/api";
import { useRefresh } from "@/lib/data";
import { asApiError } from "@/lib/errors";
import { toast } from "@/lib/toast";

import { agentPath, useKeepAgent } from "./use-agents";
import type { AgentOut } from "./values";

interface Props {
  agent: AgentOut;
  etag: string | null;
  number: number;
  onClose: () => void;
  onDone: () => void;
}

/** Asks, then makes an old version the newest one; not where somebody changed the agent meanwhile. */
export function RestoreVersion({ agent, etag, number, onClose, onDone }: Props) {
  const t = useTranslations("agents.versions");
  const text = useErrorText();
  const keep = useKeepAgent();
  const refresh = useRefresh();
  const [busy, setBusy] = useState(false);
  const restore = async () => {
    setBusy(true);
    try {
      const { body, etag: revision } = await revised(
        api.POST("/api/v1/agents/{agent_id}/versions/{number}/restore", {
          params: { path: { agent_id: agent.id, number }, header: etag ? { "if-match": etag } : {} },
        }),
      );
      await keep(body, revision);
      // Its tools and integrations are others now.
      void refresh(agentPath(agent.id));
      toast.success(t("restoredToast", { now: body.version, number }));
      onClose();
      onDone();
    } catch (error) {
      const stale = asApiError(error).status === 412;
      if (stale) void refresh(agentPath(agent.id));
      toast.error(t("restoreFailed"), { description: stale ? t("restoreStale") : text(error) });
      onClose();
    }
  };
  return (
    <Confirm open onOpenChange={(open) => (open || busy ? undefined : onClose())} kind="primary" busy={busy} title={t("restoreTitle", { number })} action={t("restore")} onConfirm={() => void restore()}>
      {t("restoreText")}
    </Confirm>
  );
}
