"use client";

import { useTranslations } from "next-intl";
import { useState, type SyntheticEvent } from "react";

import { CredentialSelect } from "@/components/credentials/credential-select";
import { FormError } from "@/components/credentials/form-error";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Card } from "@/components/ui/surface";
import { api, data, once } from "@/lib/api";

import { hostsOf } from "../integration-dialog";
import { faultsOf, NO_FAULTS } from "../lib/faults";
import type { AgentOut, Toolbox } from "../lib/toolbox";

/** A server that the agent does not know yet. */
export function McpServer({ agent, toolbox, onMade }: { agent: AgentOut; toolbox: Toolbox; onMade: (id: string) => void }) {
  const t = useTranslations("tools.mcp");
  const [url, setUrl] = useState("");
  const [name, setName] = useState("");
  const [credential, setCredential] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const faults = error ? faultsOf(error) : NO_FAULTS;
  const [host = ""] = hostsOf(url);
  const connect = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const made = await data(
        api.POST("/api/v1/agents/{agent_id}/integrations", {
          params: { path: { agent_id: agent.id } },
          body: { kind: "mcp", name: name.trim() || host, base_url: url.trim(), credential_id: credential },
          headers: once(),
        }),
      );
      await toolbox.refresh();
      onMade(made.id);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void connect(event)}>
      <Card className="flex flex-col gap-4 p-5">
        <h3 className="text-[13px] font-semibold">{t("newServer")}</h3>
        <FormError error={error} />
        <Field label={t("url")} hint={t("urlHint")} error={faults.get("base_url")}>
          <Input type="url" inputMode="url" required value={url} placeholder="https://mcp.example.com/mcp" spellCheck={false} className="font-mono text-[13px]" onChange={(event) => setUrl(event.target.value)} />
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("name")} error={faults.get("name")}>
            <Input value={name} maxLength={100} placeholder={host || t("namePlaceholder")} onChange={(event) => setName(event.target.value)} />
          </Field>
          <CredentialSelect value={credential} error={faults.get("credential_id")} preset={{ kind: "bearer", name: name || host, hosts: hostsOf(url) }} onChange={setCredential} />
        </div>
        <Button kind="primary" type="submit" busy={busy} className="self-start">
          {t("connect")}
        </Button>
      </Card>
    </form>
  );
}
