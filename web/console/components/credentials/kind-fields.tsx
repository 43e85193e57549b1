"use client";

import { useTranslations } from "next-intl";

import { faultBelow } from "@/components/tools/lib/faults";
import { Field, Input, Select } from "@/components/ui/field";

import { PROVIDERS, type CredentialDraft } from "./lib/draft";
import { OAuthFields, type FieldsProps } from "./oauth-fields";
import { PairsInput } from "./pairs-input";
import { SecretInput } from "./secret-input";

const PLACES = ["header", "query", "cookie"] as const;

/** The settings and secrets of one kind of credential. */
export function KindFields(props: FieldsProps) {
  const { draft, faults, change } = props;
  const t = useTranslations("tools.credentials.fields");
  const value = (label: string) => (
    <Field label={label} error={faults.get("secret.value")}>
      <SecretInput value={draft.value} onChange={(event) => change({ value: event.target.value })} />
    </Field>
  );
  switch (draft.kind) {
    case "oauth2":
      return <OAuthFields {...props} />;
    case "bearer":
      return value(t("token"));
    case "provider_key":
      return (
        <>
          <Field label={t("provider")} error={faultBelow(faults, "settings")}>
            <Select value={draft.provider} onChange={(event) => change({ provider: event.target.value as CredentialDraft["provider"] })}>
              {PROVIDERS.map((provider) => (
                <option key={provider} value={provider}>
                  {t(`providers.${provider}`)}
                </option>
              ))}
            </Select>
          </Field>
          {value(t("key"))}
        </>
      );
    case "custom_headers":
      return <PairsInput legend={t("headers")} secret atLeastOne error={faultBelow(faults, "secret")} pairs={draft.headers} onChange={(headers) => change({ headers })} />;
    case "basic":
      return (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("username")} error={faults.get("secret.username")}>
            <Input value={draft.username} spellCheck={false} autoCapitalize="off" onChange={(event) => change({ username: event.target.value })} />
          </Field>
          <Field label={t("password")} error={faults.get("secret.password")}>
            <SecretInput value={draft.password} onChange={(event) => change({ password: event.target.value })} />
          </Field>
        </div>
      );
    case "api_key":
      return (
        <>
          <div className="grid gap-4 sm:grid-cols-3">
            <Field label={t("place")}>
              <Select value={draft.place} onChange={(event) => change({ place: event.target.value as CredentialDraft["place"] })}>
                {PLACES.map((place) => (
                  <option key={place} value={place}>
                    {t(`places.${place}`)}
                  </option>
                ))}
              </Select>
            </Field>
            <Field label={t("parameter")} error={faults.get("settings.name")}>
              <Input value={draft.parameter} spellCheck={false} className="font-mono text-[13px]" onChange={(event) => change({ parameter: event.target.value })} />
            </Field>
            <Field label={t("prefix")} error={faults.get("settings.prefix")}>
              <Input value={draft.prefix} placeholder={t("prefixPlaceholder")} className="font-mono text-[13px]" onChange={(event) => change({ prefix: event.target.value })} />
            </Field>
          </div>
          {value(t("key"))}
        </>
      );
  }
}
