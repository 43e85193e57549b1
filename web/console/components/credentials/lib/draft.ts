// What a person enters of a credential, and what is sent of it. Secrets go out and are never read back.

import type { Schemas } from "@/lib/api";
import { newId } from "@/lib/ids";

export type Credential = Schemas["CredentialOut"];
export type Kind = Credential["kind"];
export type Grant = Schemas["OAuthSettings"]["grant"];
export type CredentialBody =
  | Schemas["ApiKeyCredential"]
  | Schemas["BearerCredential"]
  | Schemas["BasicCredential"]
  | Schemas["CustomHeadersCredential"]
  | Schemas["OAuthCredential"]
  | Schemas["ProviderKeyCredential"];

export const KINDS: readonly Kind[] = ["api_key", "bearer", "basic", "custom_headers", "oauth2", "provider_key"];
export const GRANTS: readonly Grant[] = ["client_credentials", "authorization_code", "refresh_token"];
export const AUTHENTICATIONS = ["basic", "body", "none"] as const;
export const PROVIDERS = ["anthropic", "openai", "google"] as const;

export interface Pair {
  readonly key: string;
  readonly name: string;
  readonly value: string;
}

export interface CredentialDraft {
  readonly kind: Kind;
  readonly name: string;
  /** One a line, or between commas. */
  readonly hosts: string;
  readonly place: "header" | "query" | "cookie";
  readonly parameter: string;
  readonly prefix: string;
  readonly value: string;
  readonly username: string;
  readonly password: string;
  readonly headers: readonly Pair[];
  readonly provider: (typeof PROVIDERS)[number];
  readonly grant: Grant;
  readonly tokenUrl: string;
  readonly authorizationUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly authentication: (typeof AUTHENTICATIONS)[number];
  readonly scopes: string;
  readonly tokenHeader: string;
  readonly tokenPrefix: string;
  readonly expiredStatuses: string;
  readonly expiredTexts: string;
  readonly tokenParameters: readonly Pair[];
  readonly authorizationParameters: readonly Pair[];
}

/** What a new credential begins with, where something is known of what is needed. */
export interface CredentialPreset {
  readonly kind?: Kind;
  readonly name?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly hosts?: readonly string[];
}

export function pair(name = "", value = ""): Pair {
  return { key: newId(), name, value };
}

const EMPTY: Omit<CredentialDraft, "headers"> = {
  kind: "api_key",
  name: "",
  hosts: "",
  place: "header",
  parameter: "X-Api-Key",
  prefix: "",
  value: "",
  username: "",
  password: "",
  provider: "anthropic",
  grant: "client_credentials",
  tokenUrl: "",
  authorizationUrl: "",
  clientId: "",
  clientSecret: "",
  refreshToken: "",
  authentication: "basic",
  scopes: "",
  tokenHeader: "Authorization",
  tokenPrefix: "Bearer",
  expiredStatuses: "401",
  expiredTexts: "",
  tokenParameters: [],
  authorizationParameters: [],
};

/** A draft of what is there, or of a new one. It never has a secret. */
export function draftOf(from: Credential | CredentialPreset = {}): CredentialDraft {
  const settings = from.settings ?? {};
  const kind = from.kind ?? EMPTY.kind;
  const hosts = "allowed_hosts" in from ? from.allowed_hosts : "hosts" in from ? (from.hosts ?? []) : [];
  const names = texts(settings.headers);
  return {
    ...EMPTY,
    kind,
    name: from.name ?? "",
    hosts: hosts.join("\n"),
    headers: kind === "custom_headers" && names.length ? names.map((name) => pair(name)) : [pair()],
    place: one(settings.in, ["header", "query", "cookie"], EMPTY.place),
    parameter: text(settings.name, EMPTY.parameter),
    prefix: text(settings.prefix, ""),
    provider: one(settings.provider, PROVIDERS, EMPTY.provider),
    grant: one(settings.grant, GRANTS, EMPTY.grant),
    tokenUrl: text(settings.token_url, ""),
    authorizationUrl: text(settings.authorization_url, ""),
    clientId: text(settings.client_id, ""),
    authentication: one(settings.client_authentication, AUTHENTICATIONS, EMPTY.authentication),
    scopes: texts(settings.scopes).join(" "),
    tokenHeader: text(settings.token_header, EMPTY.tokenHeader),
    tokenPrefix: text(settings.token_prefix, EMPTY.tokenPrefix),
    expiredStatuses: Array.isArray(settings.expired_statuses) ? settings.expired_statuses.join(", ") : EMPTY.expiredStatuses,
    expiredTexts: texts(settings.expired_texts).join("\n"),
    tokenParameters: pairs(settings.token_parameters),
    authorizationParameters: pairs(settings.authorization_parameters),
  };
}

/** The host of an address, if one was pasted. */
function hostIn(words: string): string {
  const address = /^https?:\/\//i.test(words) && URL.canParse(words) ? new URL(words).hostname : words;
  return address.toLowerCase();
}

export function bodyOf(draft: CredentialDraft): CredentialBody {
  const base = { name: draft.name.trim(), allowed_hosts: words(draft.hosts).map(hostIn) };
  const { kind } = draft;
  switch (kind) {
    case "api_key":
      return { ...base, kind, settings: { in: draft.place, name: draft.parameter.trim(), prefix: draft.prefix }, secret: { value: draft.value } };
    case "bearer":
      return { ...base, kind, secret: { value: draft.value } };
    case "basic":
      return { ...base, kind, secret: { username: draft.username, password: draft.password } };
    case "custom_headers":
      return { ...base, kind, secret: { headers: record(draft.headers) } };
    case "provider_key":
      return { ...base, kind, settings: { provider: draft.provider }, secret: { value: draft.value } };
    case "oauth2":
      return { ...base, kind, settings: oauthSettings(draft), secret: oauthSecret(draft) };
  }
}

function oauthSettings(draft: CredentialDraft): Schemas["OAuthSettings"] {
  const consent = draft.grant === "authorization_code";
  return {
    grant: draft.grant,
    token_url: draft.tokenUrl.trim(),
    ...(consent ? { authorization_url: draft.authorizationUrl.trim() || null } : {}),
    client_id: draft.clientId.trim(),
    client_authentication: draft.authentication,
    scopes: words(draft.scopes),
    token_parameters: record(draft.tokenParameters),
    ...(consent ? { authorization_parameters: record(draft.authorizationParameters) } : {}),
    token_header: draft.tokenHeader.trim(),
    token_prefix: draft.tokenPrefix.trim(),
    expired_statuses: words(draft.expiredStatuses).map(Number).filter(Number.isFinite),
    expired_texts: draft.expiredTexts.split("\n").map((line) => line.trim()).filter(Boolean),
  };
}

function oauthSecret(draft: CredentialDraft): Schemas["OAuthSecret"] {
  return {
    ...(draft.authentication !== "none" && draft.clientSecret ? { client_secret: draft.clientSecret } : {}),
    ...(draft.grant === "refresh_token" && draft.refreshToken ? { refresh_token: draft.refreshToken } : {}),
  };
}

/** Which field has a fault that the API tells of a group of them. */
export function faultPlace(draft: CredentialDraft): Readonly<Record<string, string>> {
  return {
    settings: draft.kind === "api_key" ? "settings.name" : "settings.authorization_url",
    secret: draft.kind === "basic" ? "secret.username" : draft.kind === "oauth2" ? (draft.grant === "refresh_token" ? "secret.refresh_token" : "secret.client_secret") : "secret.headers",
  };
}

export function words(value: string): string[] {
  return value.split(/[\s,]+/).filter(Boolean);
}

function record(list: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(list.filter(({ name }) => name.trim()).map(({ name, value }) => [name.trim(), value]));
}

function pairs(value: unknown): Pair[] {
  return typeof value === "object" && value !== null ? Object.entries(value).map(([name, one]) => pair(name, String(one))) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function one<T extends string>(value: unknown, of: readonly T[], otherwise: T): T {
  return of.find((item) => item === value) ?? otherwise;
}
