"use client";

import { useTranslations } from "next-intl";

import { Badge, Card, type Tone } from "@/components/ui/surface";

import { ValueText } from "./value-text";
import type { PartChange, SettingChange } from "./version-diff";

/** Settings that differ: before and after. */
export function SettingChanges({ changes }: { changes: readonly SettingChange[] }) {
  const t = useTranslations("agents");
  return (
    <Card className="overflow-hidden">
      <table className="block w-full text-sm sm:table sm:table-fixed">
        <thead className="hidden bg-sunken text-left text-xs text-ink-soft sm:table-header-group">
          <tr>
            <th scope="col" className="w-1/4 px-4 py-2 font-medium">
              {t("versions.field")}
            </th>
            <th scope="col" className="px-4 py-2 font-medium">
              {t("versions.before")}
            </th>
            <th scope="col" className="px-4 py-2 font-medium">
              {t("versions.after")}
            </th>
          </tr>
        </thead>
        <tbody className="block divide-y divide-line sm:table-row-group">
          {changes.map(({ field, before, after }) => (
            <tr key={field} className="block py-2 sm:table-row sm:py-0">
              <th scope="row" className="block px-4 pt-1 text-left align-top font-medium text-ink sm:table-cell sm:py-2.5 sm:pt-2.5">
                {t(`fields.${field}`)}
              </th>
              <td className="block px-4 py-1 align-top text-ink-soft sm:table-cell sm:py-2.5">
                <span className="mr-2 text-xs text-ink-faint sm:hidden">{t("versions.before")}</span>
                <span className="decoration-bad/50 line-through">
                  <ValueText field={field} value={before} />
                </span>
              </td>
              <td className="block px-4 py-1 align-top text-ink sm:table-cell sm:py-2.5">
                <span className="mr-2 text-xs text-ink-faint sm:hidden">{t("versions.after")}</span>
                <ValueText field={field} value={after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

const TONES: Record<PartChange["change"], Tone> = { added: "good", removed: "bad", changed: "info" };

/** Tools or integrations that came, went or were changed. */
export function PartChanges({ changes }: { changes: readonly PartChange[] }) {
  const t = useTranslations("agents.versions");
  return (
    <Card>
      <ul className="divide-y divide-line">
        {changes.map((part) => (
          <li key={part.id} className="flex flex-wrap items-center justify-between gap-2 px-4 py-2.5 text-sm">
            <span className="min-w-0 truncate">
              <span className="font-mono text-[13px] text-ink">{part.name}</span>
              {part.formerly ? <span className="ml-2 text-[13px] text-ink-faint">{t("formerly", { name: part.formerly })}</span> : null}
            </span>
            <Badge tone={TONES[part.change]}>{t(part.change === "changed" ? "changedPart" : part.change)}</Badge>
          </li>
        ))}
      </ul>
    </Card>
  );
}
