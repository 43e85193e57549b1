"use client";

import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/surface";

interface Props {
  title: string;
  warning: string;
  /** Each secret with its name. */
  secrets: readonly (readonly [string, string])[];
  onClose: () => void;
}

/** Secrets that are shown now and never again. Only its button closes it, so that nobody loses them by a slip. */
export function SecretOnce({ title, warning, secrets, onClose }: Props) {
  const t = useTranslations("settings.secret");
  return (
    <Dialog
      open
      onOpenChange={() => undefined}
      title={title}
      size="md"
      closable={false}
      footer={
        <Button kind="primary" onClick={onClose}>
          {t("done")}
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <Notice tone="warn">{warning}</Notice>
        {secrets.map(([name, secret]) => (
          <div key={name}>
            <p className="mb-1 text-[13px] font-medium text-ink">{name}</p>
            <div className="flex items-start gap-1 rounded-lg border border-line bg-sunken py-1 pr-1 pl-3">
              <code className="min-w-0 flex-1 py-1.5 font-mono text-[13px] break-all text-ink">{secret}</code>
              <CopyButton text={secret} label={t("copy", { name })} />
            </div>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
