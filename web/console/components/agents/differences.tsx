"use client";

import { Equal } from "lucide-react";
import { useTranslations } from "next-intl";
import { useMemo } from "react";

import { EmptyState, Section } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";

import { DiffLines } from "./diff-lines";
import { PartChanges, SettingChanges } from "./diff-tables";
import { diffOf, isEmpty } from "./version-diff";

type Version = Schemas["AgentVersionOut"];

/** What differs between two versions. */
export function Differences({ before, after }: { before: Version; after: Version }) {
  const t = useTranslations("agents.versions");
  const diff = useMemo(() => diffOf(before, after), [before, after]);
  if (isEmpty(diff)) {
    return (
      <EmptyState icon={<Equal />} title={t("equal")}>
        {t("equalText", { after: after.version, before: before.version })}
      </EmptyState>
    );
  }
  return (
    <>
      {diff.settings.length ? (
        <Section title={t("settings")}>
          <SettingChanges changes={diff.settings} />
        </Section>
      ) : null}
      {diff.instructions.length ? (
        <Section title={t("instructions")}>
          <DiffLines lines={diff.instructions} label={t("instructions")} />
        </Section>
      ) : null}
      {(["tools", "integrations"] as const).map((name) =>
        diff[name].length ? (
          <Section key={name} title={t(name)}>
            <PartChanges changes={diff[name]} />
          </Section>
        ) : null,
      )}
    </>
  );
}
