"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";
import { toast } from "@/lib/toast";

import { Confirm } from "@/components/ui/dialog";
import { useErrorText } from "@/components/ui/error-state";
import { api } from "@/lib/api";

import type { Tool } from "./lib/kinds";

/** Asks before a tool is deleted. */
export function DeleteTool({ tool, onClose, onDeleted }: { tool: Tool; onClose: () => void; onDeleted: () => void }) {
  const t = useTranslations("tools.delete");
  const common = useTranslations("common.actions");
  const words = useErrorText();
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    try {
      await api.DELETE("/api/v1/tools/{tool_id}", { params: { path: { tool_id: tool.id } } });
      toast.success(t("deleted", { name: tool.name }));
      onClose();
      onDeleted();
    } catch (error) {
      toast.error(words(error));
      setBusy(false);
    }
  };
  return (
    <Confirm open onOpenChange={onClose} title={t("title", { name: tool.name })} action={common("delete")} busy={busy} onConfirm={() => void remove()}>
      {t("text")}
    </Confirm>
  );
}
