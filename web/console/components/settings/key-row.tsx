"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { Badge } from "@/components/ui/surface";
import { Ago } from "@/components/ui/time";
import { api, type Schemas } from "@/lib/api";
import { useRefresh } from "@/lib/data";
import { useFormats } from "@/lib/format";

import { Row } from "./rows";
import { useWrite } from "./use-write";

/** A key without its secret: what it may do, until when, when it was used. */
export function KeyRow({ apiKey }: { apiKey: Schemas["ApiKeyOut"] }) {
  const t = useTranslations("settings.keys");
  const formats = useFormats();
  const refresh = useRefresh();
  const { write, busy } = useWrite();
  const [asking, setAsking] = useState(false);
  const [now] = useState(() => Date.now());
  const over = apiKey.expires_at !== null && Date.parse(apiKey.expires_at) < now;
  const revoke = async () => {
    await write(async () => {
      await api.DELETE("/api/v1/api-keys/{key_id}", { params: { path: { key_id: apiKey.id } } });
      await refresh("/api-keys");
    }, { done: t("revoked", { name: apiKey.name }) });
    setAsking(false);
  };
  return (
    <Row
      title={
        <>
          <span className="break-all">{apiKey.name}</span>
          {apiKey.scopes.map((scope) => (
            <Badge key={scope} tone={scope === "admin" ? "warn" : "neutral"}>
              {t(`scopes.${scope}`)}
            </Badge>
          ))}
          {over ? <Badge tone="bad">{t("expired")}</Badge> : null}
        </>
      }
      more={
        <>
          <code className="font-mono text-xs">{apiKey.prefix}…</code> · {t("by", { who: apiKey.created_by })} <Ago time={apiKey.created_at} /> ·{" "}
          {apiKey.last_used_at ? (
            <>
              {t("used")} <Ago time={apiKey.last_used_at} />
            </>
          ) : (
            t("neverUsed")
          )}
          {apiKey.expires_at ? ` · ${t("until", { time: formats.dateTime(apiKey.expires_at) })}` : ""}
        </>
      }
    >
      <Button size="sm" kind="danger" aria-label={t("revokeOf", { name: apiKey.name })} onClick={() => setAsking(true)}>
        {t("revoke")}
      </Button>
      <Confirm open={asking} onOpenChange={setAsking} title={t("revokeAsk", { name: apiKey.name })} action={t("revoke")} busy={busy} onConfirm={() => void revoke()}>
        {t("revokeWarning")}
      </Confirm>
    </Row>
  );
}
