"use client";

import { useTranslations } from "next-intl";

import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { Disclosure } from "@/components/tools/disclosure";
import type { Faults } from "@/components/tools/lib/faults";
import { faultBelow } from "@/components/tools/lib/faults";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import { AUTHENTICATIONS, GRANTS, type CredentialDraft } from "./lib/draft";
import { CopiedAddress } from "./copied-address";
import { PairsInput } from "./pairs-input";
import { SecretInput } from "./secret-input";

export interface FieldsProps {
  draft: CredentialDraft;
  faults: Faults;
  change: (part: Partial<CredentialDraft>) => void;
}

/** OAuth 2.0: how tokens are come by. */
export function OAuthFields({ draft, faults, change }: FieldsProps) {
  const t = useTranslations("tools.credentials.oauth");
  const consent = draft.grant === "authorization_code";
  const mono = "font-mono text-[13px]";
  return (
    <>
      <Field label={t("grant")} hint={t(`grants.${draft.grant}.hint`)} error={faults.get("settings.grant")}>
        <Select value={draft.grant} onChange={(event) => change({ grant: event.target.value as CredentialDraft["grant"] })}>
          {GRANTS.map((grant) => (
            <option key={grant} value={grant}>
              {t(`grants.${grant}.name`)}
            </option>
          ))}
        </Select>
      </Field>
      {consent ? <RedirectAddress /> : null}
      {consent ? (
        <Field label={t("authorizationUrl")} error={faults.get("settings.authorization_url")}>
          <Input type="url" inputMode="url" value={draft.authorizationUrl} placeholder="https://id.example.com/authorize" className={mono} onChange={(event) => change({ authorizationUrl: event.target.value })} />
        </Field>
      ) : null}
      <Field label={t("tokenUrl")} error={faults.get("settings.token_url")}>
        <Input type="url" inputMode="url" value={draft.tokenUrl} placeholder="https://id.example.com/token" className={mono} onChange={(event) => change({ tokenUrl: event.target.value })} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("clientId")} error={faults.get("settings.client_id")}>
          <Input value={draft.clientId} spellCheck={false} className={mono} onChange={(event) => change({ clientId: event.target.value })} />
        </Field>
        <Field label={t("authentication")} error={faults.get("settings.client_authentication")}>
          <Select value={draft.authentication} onChange={(event) => change({ authentication: event.target.value as CredentialDraft["authentication"] })}>
            {AUTHENTICATIONS.map((one) => (
              <option key={one} value={one}>
                {t(`authentications.${one}`)}
              </option>
            ))}
          </Select>
        </Field>
      </div>
      {draft.authentication === "none" ? null : (
        <Field label={t("clientSecret")} error={faults.get("secret.client_secret")}>
          <SecretInput value={draft.clientSecret} onChange={(event) => change({ clientSecret: event.target.value })} />
        </Field>
      )}
      {draft.grant === "refresh_token" ? (
        <Field label={t("refreshToken")} error={faults.get("secret.refresh_token")}>
          <SecretInput value={draft.refreshToken} onChange={(event) => change({ refreshToken: event.target.value })} />
        </Field>
      ) : null}
      <Field label={t("scopes")} hint={t("scopesHint")} error={faultBelow(faults, "settings.scopes")}>
        <Input value={draft.scopes} spellCheck={false} className={mono} onChange={(event) => change({ scopes: event.target.value })} />
      </Field>
      <Disclosure title={t("advanced")}>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("tokenHeader")} error={faults.get("settings.token_header")}>
            <Input value={draft.tokenHeader} className={mono} onChange={(event) => change({ tokenHeader: event.target.value })} />
          </Field>
          <Field label={t("tokenPrefix")} error={faults.get("settings.token_prefix")}>
            <Input value={draft.tokenPrefix} className={mono} onChange={(event) => change({ tokenPrefix: event.target.value })} />
          </Field>
        </div>
        <Field label={t("expiredStatuses")} hint={t("expiredStatusesHint")} error={faultBelow(faults, "settings.expired_statuses")}>
          <Input value={draft.expiredStatuses} inputMode="numeric" className={mono} onChange={(event) => change({ expiredStatuses: event.target.value })} />
        </Field>
        <Field label={t("expiredTexts")} hint={t("expiredTextsHint")} error={faultBelow(faults, "settings.expired_texts")}>
          <Textarea value={draft.expiredTexts} rows={2} className={mono} onChange={(event) => change({ expiredTexts: event.target.value })} />
        </Field>
        <PairsInput legend={t("tokenParameters")} hint={t("tokenParametersHint")} error={faultBelow(faults, "settings.token_parameters")} pairs={draft.tokenParameters} onChange={(tokenParameters) => change({ tokenParameters })} />
        {consent ? (
          <PairsInput legend={t("authorizationParameters")} hint={t("authorizationParametersHint")} error={faultBelow(faults, "settings.authorization_parameters")} pairs={draft.authorizationParameters} onChange={(authorizationParameters) => change({ authorizationParameters })} />
        ) : null}
      </Disclosure>
    </>
  );
}

/** What a client at the authorization server is made with, before there is anything to fill in here. */
function RedirectAddress() {
  const t = useTranslations("tools.credentials.oauth");
  const { data } = useResource<Schemas["ClientOut"]>("/oauth/client");
  return (
    <div className="text-[13px] text-ink-soft">
      <p>{t("redirect")}</p>
      <CopiedAddress address={data?.redirect_uri} />
    </div>
  );
}
