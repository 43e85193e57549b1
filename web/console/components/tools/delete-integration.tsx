"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";
import { toast } from "@/lib/toast";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { api } from "@/lib/api";

import type { Integration, Tool } from "./lib/kinds";

interface Props {
  integration: Integration;
  tools: readonly Tool[];
  onClose: () => void;
  onDeleted: () => void;
}

/** Asks before an integration is deleted. One that has tools stays: they need its address. */
export function DeleteIntegration({ integration, tools, onClose, onDeleted }: Props) {
  const t = useTranslations("tools.integrations.delete");
  const common = useTranslations("common.actions");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const used = tools.length > 0;
  const remove = async () => {
    setBusy(true);
    setError(null);
    try {
      for (const tool of tools) await api.DELETE("/api/v1/tools/{tool_id}", { params: { path: { tool_id: tool.id } } });
      await api.DELETE("/api/v1/integrations/{integration_id}", { params: { path: { integration_id: integration.id } } });
      toast.success(t("deleted", { name: integration.name }));
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
    onDeleted();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => (open ? null : onClose())}
      title={t("title", { name: integration.name })}
      description={used ? t("used", { count: tools.length }) : t("text")}
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="danger" busy={busy} onClick={() => void remove()}>
            {used ? t("withTools", { count: tools.length }) : common("delete")}
          </Button>
        </>
      }
    >
      {used ? (
        <ul className="max-h-52 list-disc overflow-y-auto pl-5 font-mono text-[13px] text-ink-soft">
          {tools.map(({ id, name }) => (
            <li key={id}>{name}</li>
          ))}
        </ul>
      ) : null}
      {error ? <ErrorState error={error} className="mt-3" /> : null}
    </Dialog>
  );
}
