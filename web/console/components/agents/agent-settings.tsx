"use client";

import { useEffect, useEffectEvent } from "react";
import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { LockProvider } from "@/components/ui/lock";
import { Locked } from "@/components/ui/locked";
import { Card, Section } from "@/components/ui/surface";
import { useMay } from "@/lib/me";
import { guarded } from "@/components/ui/guarded";

import { AdvancedSettings, BuiltinSettings, InstructionSettings } from "./instruction-settings";
import { ModelSettings } from "./model-settings";
import { SaveBar } from "./save-bar";
import { useLeaveGuard } from "./use-leave-guard";
import { useSettings } from "./use-settings";
import { STATUSES, type Status } from "./values";

const ConflictDialog = guarded(dynamic(() => import("./conflict-dialog").then((module) => module.ConflictDialog), { ssr: false }));
const LeaveDialog = guarded(dynamic(() => import("./leave-dialog").then((module) => module.LeaveDialog), { ssr: false }));

export type SettingsForm = ReturnType<typeof useSettings>;

/** What an agent is told, what it runs on, and how it answers. */
export function AgentSettings({ agent, etag }: AgentTabProps) {
  const form = useSettings(agent, etag);
  const may = useMay("edit");
  const guard = useLeaveGuard(form.dirty);
  const save = async () => {
    const saved = await form.save();
    if (!saved) window.setTimeout(() => document.querySelector<HTMLElement>("#agent-settings [aria-invalid=true]")?.focus());
    return saved;
  };
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.key.toLowerCase() !== "s" || !(event.metaKey || event.ctrlKey) || event.altKey) return;
    event.preventDefault();
    if (may && !form.conflict?.open) void save();
  });
  useEffect(() => {
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
  const saveAndLeave = async () => {
    if (await save()) guard.go();
    else guard.stay();
  };
  const discardAndLeave = () => {
    form.discard();
    guard.go();
  };
  return (
    <div id="agent-settings" className="flex min-h-full flex-col">
      <LockProvider value={!may}>
        <PageBody className="grid flex-1 items-start gap-x-10 gap-y-8 lg:grid-cols-[minmax(0,1fr)_21rem]">
          {may ? null : <Locked need="edit" className="lg:col-span-2" />}
          <div className="flex min-w-0 flex-col gap-8">
            <InstructionSettings form={form} />
            <Identity form={form} />
            <AdvancedSettings form={form} />
          </div>
          <div className="flex min-w-0 flex-col gap-8">
            <ModelSettings form={form} />
            <BuiltinSettings form={form} />
          </div>
        </PageBody>
      </LockProvider>
      {may && (form.dirty || form.conflict) ? <SaveBar form={form} onSave={() => void save()} /> : null}
      {form.conflict?.open ? (
        <ConflictDialog {...form.conflict} busy={form.saving} onClose={form.conflict.later} onSettle={(values) => void form.conflict?.settle(values)} />
      ) : null}
      {guard.going ? <LeaveDialog open saving={form.saving} onStay={guard.stay} onDiscard={discardAndLeave} onSave={() => void saveAndLeave()} /> : null}
    </div>
  );
}

function Identity({ form: { draft, set, errors } }: { form: SettingsForm }) {
  const t = useTranslations("agents");
  return (
    <Section title={t("settings.identity")}>
      <Card className="flex flex-col gap-5 p-5">
        <div className="grid gap-5 sm:grid-cols-[minmax(0,1fr)_12rem]">
          <Field label={t("fields.name")} error={errors.name}>
            <Input name="name" value={draft.name} maxLength={100} onChange={(event) => set({ name: event.target.value })} />
          </Field>
          <Field label={t("fields.status")} error={errors.status} hint={t(`statusHints.${draft.status}`)}>
            <Select name="status" value={draft.status} onChange={(event) => set({ status: event.target.value as Status })}>
              {STATUSES.map((one) => (
                <option key={one} value={one}>
                  {t(`status.${one}`)}
                </option>
              ))}
            </Select>
          </Field>
        </div>
        <Field label={t("fields.description")} hint={t("settings.descriptionHint")} error={errors.description}>
          <Textarea name="description" rows={2} value={draft.description} maxLength={2_000} onChange={(event) => set({ description: event.target.value })} className="min-h-16" />
        </Field>
      </Card>
    </Section>
  );
}
