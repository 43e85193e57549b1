"use client";

import { useMemo } from "react";

import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import type { ModelRef, Provider } from "./values";

export type Model = Schemas["ModelOut"];

export interface ProviderOffer {
  readonly id: Provider;
  readonly models: readonly Model[];
  /** Whether it can be used; null where nobody could look. */
  readonly usable: boolean | null;
}

/** The variable that gives the platform a vendor's key. */
export const KEY_VARIABLES: Partial<Record<Provider, string>> = {
  anthropic: "ANTHROPIC_API_KEY",
  openai: "OPENAI_API_KEY",
  google: "GEMINI_API_KEY",
};

/** The order in which providers are offered: those that answer with a real model first. */
const ORDER: readonly Provider[] = ["anthropic", "openai", "google", "openai_compatible", "local", "scripted"];

/** What models there are, and which of them have a key: the platform's, or one of the workspace's own. */
export function useModels() {
  const { data, error, isLoading, mutate } = useResource<Schemas["ModelsOut"]>("/models", {}, { dedupingInterval: 30_000 });
  const { data: credentials } = useResource<Schemas["CredentialPage"]>("/credentials", { limit: 100 }, { dedupingInterval: 30_000, shouldRetryOnError: false });
  const providers = useMemo(() => {
    const keys = new Set((credentials?.items ?? []).flatMap((one) => (one.kind === "provider_key" && "provider" in one.settings ? [one.settings.provider] : [])));
    const offers = (data?.providers ?? []).map((one): ProviderOffer => ({ id: one.id as Provider, models: one.models, usable: keys.has(one.id as "openai") || one.configured }));
    return offers.sort((one, other) => ORDER.indexOf(one.id) - ORDER.indexOf(other.id));
  }, [data, credentials]);
  return { providers, error, isLoading, retry: () => void mutate() };
}

/** What the catalogue knows of a model, null for a name it does not know. */
export function findModel(providers: readonly ProviderOffer[], { provider, model }: ModelRef): Model | null {
  return providers.find((one) => one.id === provider)?.models.find((one) => one.id === model) ?? null;
}

/** Dearer ones are chosen, not proposed: dollars a million tokens of output. */
const PROPOSED_UP_TO = 15;

/** A model to begin with: of the first provider that can be used, else of the first there is. */
export function firstModel(providers: readonly ProviderOffer[]): ModelRef | null {
  const able = providers.filter((one) => one.models.length > 0);
  const offer = able.find((one) => one.usable && one.id !== "scripted") ?? able[0];
  const model = offer?.models.find((one) => one.prices && Number(one.prices.output) <= PROPOSED_UP_TO) ?? offer?.models[0];
  return offer && model ? { provider: offer.id, model: model.id } : null;
}

/** A price of the catalogue (dollars a million tokens, as text) in nano-dollars. */
export function nanoPrice(price: string): number {
  return Math.round(Number(price) * 1_000_000_000);
}
