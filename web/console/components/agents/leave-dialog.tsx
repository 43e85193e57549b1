"use client";

import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";

interface Props {
  open: boolean;
  saving: boolean;
  onStay: () => void;
  onDiscard: () => void;
  onSave: () => void;
}

/** Asks before what is not saved is lost. */
export function LeaveDialog({ open, saving, onStay, onDiscard, onSave }: Props) {
  const t = useTranslations("agents.leaving");
  return (
    <Dialog
      open={open}
      onOpenChange={(now) => (now ? undefined : onStay())}
      size="md"
      title={t("title")}
      description={t("text")}
      footer={
        <>
          <Button onClick={onStay}>{t("stay")}</Button>
          <Button kind="danger" onClick={onDiscard}>
            {t("go")}
          </Button>
          <Button kind="primary" busy={saving} onClick={onSave}>
            {t("save")}
          </Button>
        </>
      }
    />
  );
}
