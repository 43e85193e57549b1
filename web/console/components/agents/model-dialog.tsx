"use client";

import { Check, KeyRound, PencilLine } from "lucide-react";
import { Command } from "cmdk";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Badge, Skeleton } from "@/components/ui/surface";
import { cn } from "@/lib/cn";
import { useFormats } from "@/lib/format";

import { Abilities, KeyHelp, usePriceWords } from "./model-facts";
import type { Model, ProviderOffer, useModels } from "./use-models";
import type { ModelRef, Provider } from "./values";

const ITEM = "flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2 text-sm text-ink data-[selected=true]:bg-hover";

const nameOf = (provider: Provider, model: string) => `${provider}/${model}`;

interface Props {
  value: ModelRef | null;
  models: ReturnType<typeof useModels>;
  onChange: (model: ModelRef) => void;
  onClose: () => void;
}

/** The chosen model is in sight at once, wherever in the list it stands. Always the same function, so it is done once. */
const intoView = (element: HTMLElement | null) => element?.scrollIntoView({ block: "center" });

/** What can be used now comes first. */
const byUse = (providers: readonly ProviderOffer[]) => [...providers.filter((one) => one.usable !== false), ...providers.filter((one) => one.usable === false)];

/** Providers whose models may have any name. */
const NAMED: readonly Provider[] = ["anthropic", "openai", "google", "openai_compatible"];

/** The catalogue by provider, searched by typing; what is typed can be taken as a name too. */
export function ModelDialog({ value, models, onChange, onClose }: Props) {
  const t = useTranslations("agents");
  const [text, setText] = useState(value && !models.providers.some((one) => one.models.some((model) => model.id === value.model)) ? value.model : "");
  const name = text.trim();
  const known = models.providers.some((one) => one.models.some((model) => model.id === name));
  const take = (model: ModelRef) => {
    onChange(model);
    onClose();
  };
  return (
    <Dialog open onOpenChange={onClose} size="lg" title={t("model.choose")}>
      <Command label={t("model.search")} loop defaultValue={value ? nameOf(value.provider, value.model) : undefined} className="-mx-6 -my-2 flex min-h-0 flex-col">
        <div className="sticky -top-2 z-10 border-b border-line bg-surface px-6 pt-1 pb-3">
          <Command.Input
            autoFocus
            value={text}
            onValueChange={setText}
            placeholder={t("model.search")}
            maxLength={200}
            className="h-10 w-full rounded-lg border border-line-strong bg-surface px-3 text-sm text-ink shadow-low outline-offset-0 placeholder:text-ink-faint"
          />
          <p className="mt-2 hidden text-xs text-ink-faint sm:block">
            {t("model.keys")} · {t("model.perMillion")} · {t("model.otherHint")}
          </p>
        </div>
        {models.error ? (
          <div className="px-6 pt-4">
            <ErrorState error={models.error} onRetry={models.retry} />
            <p className="mt-2 text-[13px] text-ink-soft">{t("model.failed")}</p>
          </div>
        ) : null}
        <Command.List label={t("model.list")} className="px-3 py-2">
          {models.isLoading ? <Loading /> : null}
          {byUse(models.providers).map((offer) => (offer.models.length ? <Group key={offer.id} offer={offer} value={value} onTake={take} /> : null))}
          {name && !known ? (
            <Command.Group forceMount heading={<Heading>{t("model.other")}</Heading>}>
              {NAMED.map((provider) => (
                <Command.Item key={provider} forceMount value={`other ${provider}`} className={ITEM} onSelect={() => take({ provider, model: name })}>
                  <PencilLine aria-hidden className="size-4 shrink-0 text-ink-faint" />
                  <span className="min-w-0 truncate">{t("model.use", { model: name, provider: t(`providers.${provider}`) })}</span>
                </Command.Item>
              ))}
            </Command.Group>
          ) : null}
        </Command.List>
        {name ? null : (
          <p className="border-t border-line px-6 py-3 text-[13px] text-ink-soft">
            <span className="font-medium text-ink">{t("model.compatible")}:</span> {t("model.compatibleHint")}
          </p>
        )}
      </Command>
    </Dialog>
  );
}

function Heading({ children }: { children: React.ReactNode }) {
  return <span className="block px-3 pt-3 pb-1 text-xs font-medium text-ink-faint">{children}</span>;
}

function Loading() {
  return Array.from({ length: 6 }, (_, index) => (
    <div key={index} className="flex items-center justify-between gap-6 px-3 py-2.5">
      <Skeleton className="h-4 w-48" />
      <Skeleton className="h-4 w-32" />
    </div>
  ));
}

function Group({ offer, value, onTake }: { offer: ProviderOffer; value: ModelRef | null; onTake: (model: ModelRef) => void }) {
  const t = useTranslations("agents");
  const provider = t(`providers.${offer.id}`);
  const missing = offer.usable === false;
  return (
    <Command.Group
      heading={
        <span className="block px-3 pt-3 pb-1">
          <span className="flex items-center gap-2 text-xs font-medium text-ink-faint">
            {provider}
            {missing ? <Badge tone="warn">{t(offer.id === "local" ? "model.notRunning" : "model.noKey")}</Badge> : null}
          </span>
          {missing ? (
            <span className="mt-1 flex items-start gap-2 text-[13px] text-ink-soft">
              <KeyRound aria-hidden className="mt-0.5 size-3.5 shrink-0 text-warn" />
              <span>
                <KeyHelp provider={offer.id} offer={offer} />
              </span>
            </span>
          ) : null}
        </span>
      }
    >
      {offer.models.map((model) => (
        <Item key={model.id} model={model} provider={offer.id} words={provider} chosen={value?.provider === offer.id && value.model === model.id} onTake={onTake} />
      ))}
    </Command.Group>
  );
}

function Item({ model, provider, words, chosen, onTake }: { model: Model; provider: Provider; words: string; chosen: boolean; onTake: (model: ModelRef) => void }) {
  const t = useTranslations("agents.model");
  const formats = useFormats();
  const prices = usePriceWords();
  return (
    <Command.Item ref={chosen ? intoView : undefined} value={nameOf(provider, model.id)} keywords={[model.name, words]} className={cn(ITEM, "grid grid-cols-[1rem_minmax(0,1fr)] gap-y-1 sm:grid-cols-[1rem_minmax(0,1fr)_auto]")} onSelect={() => onTake({ provider, model: model.id })}>
      <Check aria-hidden className={cn("size-4 shrink-0", chosen ? "text-accent" : "opacity-0")} />
      <span className="min-w-0">
        <span className="flex items-center gap-2">
          <span className="truncate font-medium">{model.name}</span>
          <Abilities model={model} />
        </span>
        {model.name === model.id ? null : <span className="block truncate font-mono text-xs text-ink-soft">{model.id}</span>}
      </span>
      <span className="col-start-2 flex flex-wrap items-baseline gap-x-3 text-[13px] text-ink-soft tabular-nums sm:col-start-3 sm:block sm:text-right">
        <span className="block">{prices(model)}</span>
        <span className="block text-xs">{t("context", { tokens: formats.compact(model.context_window) })}</span>
      </span>
    </Command.Item>
  );
}
