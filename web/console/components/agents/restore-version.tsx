"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Confirm, Dialog } from "@/components/ui/dialog";
import { useErrorText } from "@/components/ui/error-state";
import { Notice } from "@/components/ui/surface";
import { api, data, revised, type Schemas } from "@/lib/api";
import { useRefresh } from "@/lib/data";
import { asApiError } from "@/lib/errors";
import { toast } from "@/lib/toast";

import { Differences } from "./differences";
import { agentPath, useKeepAgent } from "./use-agents";
import type { AgentOut } from "./values";

type Version = Schemas["AgentVersionOut"];

interface Props {
  agent: AgentOut;
  etag: string | null;
  version: Version;
  onClose: () => void;
  onDone: () => void;
}

/** Asks, then makes an old version the newest one; where somebody changed the agent meanwhile, with both sides in view. */
export function RestoreVersion({ agent, etag, version, onClose, onDone }: Props) {
  const t = useTranslations("agents.versions");
  const common = useTranslations("common.actions");
  const text = useErrorText();
  const keep = useKeepAgent();
  const refresh = useRefresh();
  const [busy, setBusy] = useState(false);
  // What was seen when it was asked for, not what was read since behind the question.
  const [seen] = useState(etag);
  const [newest, setNewest] = useState<{ version: Version; etag: string | null } | null>(null);
  const number = version.version;
  const params = { path: { agent_id: agent.id } };

  /** Reads what somebody else made of it. */
  const meet = async () => {
    const { body, etag: now } = await revised(api.GET("/api/v1/agents/{agent_id}", { params }));
    const theirs = await data(api.GET("/api/v1/agents/{agent_id}/versions/{number}", { params: { path: { ...params.path, number: body.version } } }));
    setNewest({ version: theirs, etag: now });
    await keep(body, now);
  };
  const restore = async (from: string | null) => {
    setBusy(true);
    try {
      const { body, etag: revision } = await revised(
        api.POST("/api/v1/agents/{agent_id}/versions/{number}/restore", { params: { path: { ...params.path, number }, header: from ? { "if-match": from } : {} } }),
      );
      await keep(body, revision);
      // Its tools and integrations are others now.
      void refresh(agentPath(agent.id));
      toast.success(t("restoredToast", { now: body.version, number }));
      onClose();
      onDone();
    } catch (error) {
      try {
        if (asApiError(error).status !== 412) throw error;
        await meet();
        setBusy(false);
      } catch (failure) {
        toast.error(t("restoreFailed"), { description: text(failure) });
        onClose();
      }
    }
  };
  if (newest === null) {
    return (
      <Confirm open onOpenChange={(open) => (open || busy ? undefined : onClose())} kind="primary" busy={busy} title={t("restoreTitle", { number })} action={t("restore")} onConfirm={() => void restore(seen)}>
        {t("restoreText")}
      </Confirm>
    );
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => (open || busy ? undefined : onClose())}
      size="lg"
      title={t("staleTitle")}
      description={t("staleText", { now: newest.version.version, who: newest.version.created_by, number })}
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="primary" busy={busy} onClick={() => void restore(newest.etag)}>
            {t("staleRestore", { number })}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-6 pb-2">
        <Notice tone="warn">{t("heading", { before: newest.version.version, after: number })}</Notice>
        <Differences before={newest.version} after={version} />
      </div>
    </Dialog>
  );
}
