"use client";

import { ScrollText } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Section, Skeleton } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { usePages } from "@/lib/data";
import { useFormats } from "@/lib/format";

import { OwnerOnly } from "./owner-only";
import { Row, Rows } from "./rows";

type Entry = Schemas["AuditEntryOut"];

/** Who changed what, newest first. */
export function AuditPanel() {
  const t = useTranslations("settings.audit");
  return (
    <Section title={t("title")} hint={t("hint")}>
      <OwnerOnly>
        <Entries />
      </OwnerOnly>
    </Section>
  );
}

function Entries() {
  const t = useTranslations("settings.audit");
  const common = useTranslations("common.actions");
  const { items, error, more, loadMore, loadingMore, mutate } = usePages<Entry>("/audit");
  if (error && !items) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!items) return <Skeleton className="h-96 w-full rounded-xl" />;
  if (!items.length) return <EmptyState icon={<ScrollText />} title={t("empty")} />;
  return (
    <>
      <Rows label={t("title")}>
        {items.map((entry) => (
          <Line key={entry.id} entry={entry} />
        ))}
      </Rows>
      {more ? (
        <Button className="self-center" busy={loadingMore} onClick={() => void loadMore()}>
          {common("loadMore")}
        </Button>
      ) : null}
    </>
  );
}

function valueOf(value: Entry["changes"][number]["value"]): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function Line({ entry }: { entry: Entry }) {
  const t = useTranslations("settings.audit");
  const formats = useFormats();
  const [method, ...path] = entry.action.split(" ");
  return (
    <Row
      title={
        <>
          {path.length ? <span className="w-14 shrink-0 font-mono text-xs text-accent-ink">{method}</span> : null}
          <code className="font-mono text-[13px] font-normal break-all">{path.length ? path.join(" ") : entry.action}</code>
        </>
      }
      more={
        <>
          {t("by", { who: entry.subject })}
          {entry.key_id ? ` ${t("withKey", { key: entry.key_id })}` : ""}
          {entry.target ? (
            <>
              {" "}
              · <code className="font-mono text-xs break-all">{entry.target}</code>
            </>
          ) : null}
          {entry.changes.length ? (
            <span className="mt-1 block text-xs text-ink-faint">
              {entry.changes.map((change) => (change.value === undefined || change.value === null ? change.field : `${change.field}: ${valueOf(change.value)}`)).join(" · ")}
            </span>
          ) : null}
        </>
      }
    >
      <time dateTime={entry.at} title={t("request", { id: entry.request_id })} className="text-[13px] text-ink-soft tabular-nums">
        {formats.exact(entry.at)}
      </time>
    </Row>
  );
}
