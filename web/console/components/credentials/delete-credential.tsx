"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";
import { toast } from "@/lib/toast";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { api } from "@/lib/api";
import { useRefresh } from "@/lib/data";
import { asApiError } from "@/lib/errors";

import type { Credential } from "./lib/draft";
import { UsedBy } from "./used-by";

/** Asks before a credential is deleted; one that is in use stays, and what uses it is told. */
export function DeleteCredential({ credential, onClose }: { credential: Credential; onClose: () => void }) {
  const t = useTranslations("tools.credentials.delete");
  const common = useTranslations("common.actions");
  const refresh = useRefresh();
  const [inUse, setInUse] = useState(credential.uses > 0);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const remove = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.DELETE("/api/v1/credentials/{credential_id}", { params: { path: { credential_id: credential.id } } });
      await refresh("/credentials");
      toast.success(t("deleted", { name: credential.name }));
      onClose();
    } catch (failure) {
      if (asApiError(failure).code === "credential_in_use") setInUse(true);
      else setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => (open ? null : onClose())}
      title={inUse ? t("inUse", { name: credential.name }) : t("title", { name: credential.name })}
      description={inUse ? t("inUseHint") : t("hint")}
      footer={
        inUse ? (
          <Button onClick={onClose}>{common("close")}</Button>
        ) : (
          <>
            <Button onClick={onClose}>{common("cancel")}</Button>
            <Button kind="danger" busy={busy} onClick={() => void remove()}>
              {common("delete")}
            </Button>
          </>
        )
      }
    >
      {inUse ? <UsedBy id={credential.id} onFollow={onClose} /> : null}
      {error ? <ErrorState error={error} /> : null}
    </Dialog>
  );
}
