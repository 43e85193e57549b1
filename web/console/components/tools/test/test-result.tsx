"use client";

import { useTranslations } from "next-intl";

import { CopyButton } from "@/components/ui/copy-button";
import { Badge, Notice } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

import { Disclosure } from "../disclosure";
import { pretty } from "../lib/json";

/** What came of one call: in a word, what a model would see, what was sent and what came. */
export function TestResult({ result }: { result: Schemas["ToolTestOut"] }) {
  const t = useTranslations("tools.test");
  const formats = useFormats();
  const { request, response, error } = result;
  const facts = [
    response ? t("status", { status: response.status }) : null,
    formats.duration(result.duration_ms),
    response ? t("bytes", { bytes: formats.number(response.bytes) }) : null,
    result.attempts > 1 ? t("attempts", { count: result.attempts }) : null,
    result.cost.amount_nanousd ? formats.money(result.cost.amount_nanousd) : null,
  ].filter((fact) => fact !== null);
  return (
    <section aria-label={t("outcome")} className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <Badge tone={error ? (error.outcome_unknown ? "warn" : "bad") : "good"} dot>
          {error ? (error.outcome_unknown ? t("unknown") : t("failed")) : t("worked")}
        </Badge>
        {result.cached ? <Badge>{t("cached")}</Badge> : null}
        <span className="text-[13px] text-ink-soft tabular-nums">{facts.join(" · ")}</span>
      </div>
      {error ? (
        <Notice tone={error.outcome_unknown ? "warn" : "bad"}>
          <p className="break-words whitespace-pre-wrap">{error.detail}</p>
          <p className="mt-1 font-mono text-xs text-ink-soft">{error.code}</p>
        </Notice>
      ) : (
        <Block title={t("seen")} text={pretty(result.result)} />
      )}
      {request && !isHttp(request) ? <Block title={t("request")} text={pretty(request)} /> : null}
      {request && isHttp(request) ? (
        <Disclosure title={t("request")} aside={<Line words={`${request.method} ${request.url}`} />}>
          <Block title={`${request.method} ${request.url}`} text={headersText(request.headers)} />
          {request.body ? <Block title={t("body")} text={request.body} /> : null}
        </Disclosure>
      ) : null}
      {response ? (
        <Disclosure title={t("response")} aside={<Line words={String(response.status)} />} open={Boolean(error)}>
          <Block title={t("headers")} text={headersText(response.headers)} />
          {response.body ? <Block title={t("body")} text={response.body} /> : null}
        </Disclosure>
      ) : null}
    </section>
  );
}

/** Calls that are no calls of an API, such as those of MCP, tell other things of what was sent. */
function isHttp(request: object): boolean {
  return "headers" in request;
}

function Line({ words }: { words: string }) {
  return <span className="max-w-[60%] truncate font-mono text-xs font-normal text-ink-soft">{words}</span>;
}

function headersText(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

/** A text as it is, to be read and copied. */
export function Block({ title, text }: { title: string; text: string }) {
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex items-center justify-between gap-2">
        <span className="min-w-0 truncate text-xs font-medium text-ink-soft">{title}</span>
        <CopyButton text={text} className="size-6" />
      </figcaption>
      <pre tabIndex={0} aria-label={title} role="group" className="max-h-72 overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap">
        {text || "–"}
      </pre>
    </figure>
  );
}
