"use client";

import { useTranslations } from "next-intl";

import { Money, Tokens } from "@/components/traces/run-state";
import { ErrorState } from "@/components/ui/error-state";
import { Section, Skeleton } from "@/components/ui/surface";
import { Link } from "@/i18n/navigation";
import type { Schemas } from "@/lib/api";
import { usePages, useResource } from "@/lib/data";
import { useFormats } from "@/lib/format";

import { DataTable, type Column } from "./data-table";
import type { Range } from "./ranges";

type Row = Schemas["UsageOut"];
type Group = "model" | "tool" | "agent";
interface Props {
  range: Range;
  agentId?: string | undefined;
}

function useColumns(): Record<"runs" | "calls" | "errors" | "tokens" | "cost" | "latency" | "success" | "first", Column<Row>> {
  const t = useTranslations("traces.tables");
  const f = useFormats();
  return {
    runs: { name: t("runs"), cell: (row) => f.number(row.runs), from: "sm" },
    calls: { name: t("calls"), cell: (row) => f.number(row.calls) },
    errors: { name: t("errors"), cell: (row) => f.number(row.errors), from: "sm" },
    tokens: { name: t("tokens"), cell: (row) => <Tokens usage={row.usage} />, from: "md" },
    cost: { name: t("cost"), cell: (row) => <Money cost={row.cost} /> },
    latency: { name: t("latency"), cell: (row) => (row.duration_ms ? `${f.duration(row.duration_ms.p50)} / ${f.duration(row.duration_ms.p90)}` : "–"), from: "lg" },
    first: { name: t("first"), cell: (row) => f.duration(row.first_token_ms?.p50), from: "lg" },
    success: { name: t("success"), cell: (row) => (row.success_rate === null || row.success_rate === undefined ? "–" : f.percent(row.success_rate)) },
  };
}

function Breakdown({ group, name, columns, range, agentId }: Props & { group: Group; name: Column<Row>; columns: readonly Column<Row>[] }) {
  const t = useTranslations("traces.tables");
  const { data, error, mutate } = useResource<Schemas["UsageReportOut"]>("/usage", { from: range.from, to: range.to, agent_id: agentId, group_by: group });
  if (data && data.group_by === group && data.items.length === 0) return null;
  return (
    <Section title={t(`by.${group}`)}>
      {error ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
      {data ? (
        <DataTable caption={t(`by.${group}`)} columns={[name, ...columns]} rows={data.items} rowKey={(row) => [row.provider, row.model, row.tool_name, row.agent_id].join(" ")} />
      ) : error ? null : (
        <Skeleton className="h-32 w-full rounded-xl" />
      )}
    </Section>
  );
}

export function ByModel(props: Props) {
  const t = useTranslations("traces.tables");
  const { calls, errors, tokens, cost, latency, first } = useColumns();
  const name: Column<Row> = {
    name: t("model"),
    text: true,
    cell: (row) => (
      <>
        {row.model ?? t("unknownModel")}
        {row.provider ? <span className="block text-xs text-ink-faint">{row.provider}</span> : null}
      </>
    ),
  };
  return <Breakdown group="model" name={name} columns={[calls, errors, tokens, cost, latency, first]} {...props} />;
}

export function ByTool(props: Props) {
  const t = useTranslations("traces.tables");
  const { runs, calls, errors, latency, success } = useColumns();
  const name: Column<Row> = {
    name: t("tool"),
    text: true,
    cell: (row) => (row.tool_name === "(other)" ? <span className="text-ink-soft">{t("otherTools")}</span> : <code className="font-mono text-[13px]">{row.tool_name}</code>),
  };
  return <Breakdown group="tool" name={name} columns={[calls, success, errors, runs, latency]} {...props} />;
}

export function ByAgent(props: Props) {
  const t = useTranslations("traces.tables");
  const { runs, errors, tokens, cost, latency } = useColumns();
  const { items: agents } = usePages<Schemas["AgentOut"]>("/agents", { limit: 100 });
  const names = new Map(agents?.map((agent) => [agent.id, agent.name]));
  const name: Column<Row> = {
    name: t("agent"),
    text: true,
    cell: ({ agent_id: id }) =>
      id && names.has(id) ? (
        <Link href={`/agents/detail/?id=${id}&tab=usage`} className="rounded-sm font-medium underline decoration-line-strong underline-offset-4 hover:decoration-ink">
          {names.get(id)}
        </Link>
      ) : (
        <code className="font-mono text-[13px] break-all text-ink-soft">{id}</code>
      ),
  };
  return <Breakdown group="agent" name={name} columns={[{ ...runs, from: undefined }, errors, tokens, cost, latency]} {...props} />;
}
