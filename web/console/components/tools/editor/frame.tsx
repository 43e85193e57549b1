"use client";

import { Trash2 } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useId, useState, type ReactNode } from "react";

import { useLeaveGuard } from "@/components/agents/use-leave-guard";
import { FormError } from "@/components/credentials/form-error";
import { Button, IconButton } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { LockProvider } from "@/components/ui/lock";
import { Locked } from "@/components/ui/locked";
import { useMay } from "@/lib/me";

import { DeleteTool } from "../delete-tool";
import type { Tool } from "../lib/kinds";
import type { Toolbox } from "../lib/toolbox";
import type { Go } from "../lib/view";
import { Panel } from "../panel";
import { Conflict } from "./conflict";
import type { Definition, Saving } from "./use-saving";

interface Props {
  title: ReactNode;
  hint?: ReactNode;
  saving: Saving;
  /** What is to be saved; null where the form cannot say. */
  definition: Definition | null;
  dirty: boolean;
  toolbox: Toolbox;
  go: Go;
  onSave: () => void;
  /** Begins again with a tool as it is now. */
  onReset: (tool: Tool) => void;
  wide?: boolean;
  children: ReactNode;
}

/** What all editors of tools have: title, state, saving, deleting, conflict, and a question before what is typed is lost. */
export function EditorFrame({ title, hint, saving, definition, dirty, toolbox, go, onSave, onReset, wide = false, children }: Props) {
  const t = useTranslations("tools.editor");
  const common = useTranslations("common.actions");
  const may = useMay("edit");
  const guard = useLeaveGuard(dirty && !saving.busy);
  const [deleting, setDeleting] = useState(false);
  const { stored, conflict, error } = saving;
  const form = useId();
  useEffect(() => {
    // Once the fields know that they are wrong.
    if (error) window.setTimeout(() => document.getElementById(form)?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  }, [error, form]);
  const state = saving.busy ? t("saving") : dirty ? t("unsaved") : stored ? t("allSaved") : "";
  return (
    <Panel
      wide={wide}
      title={title}
      hint={hint}
      onBack={() => go({ name: "list" })}
      actions={
        !may ? null : <>
          <span role="status" className="text-[13px] text-ink-faint max-sm:sr-only">
            {state}
          </span>
          {stored ? (
            <IconButton label={t("delete")} onClick={() => setDeleting(true)}>
              <Trash2 aria-hidden />
            </IconButton>
          ) : null}
          <Button kind="primary" busy={saving.busy} disabled={!definition || (Boolean(stored) && !dirty)} onClick={onSave}>
            {stored ? common("save") : t("create")}
          </Button>
        </>
      }
    >
      {conflict && definition ? (
        <Conflict
          theirs={conflict.tool}
          mine={definition}
          busy={saving.busy}
          onMine={onSave}
          onTheirs={() => {
            saving.settle();
            onReset(conflict.tool);
          }}
        />
      ) : null}
      <FormError error={error} />
      {may ? null : <Locked need="edit" />}
      <div id={form} className="flex flex-1 flex-col gap-6">{may ? children : <LockProvider value>{children}</LockProvider>}</div>
      {deleting && stored ? (
        <DeleteTool
          tool={stored.tool}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            guard.go();
            go({ name: "list" }, { replace: true });
            void toolbox.refresh();
          }}
        />
      ) : null}
      <Confirm open={guard.going} onOpenChange={(open) => (open ? null : guard.stay())} title={t("leave.title")} action={t("leave.action")} onConfirm={guard.go}>
        {t("leave.text")}
      </Confirm>
    </Panel>
  );
}
