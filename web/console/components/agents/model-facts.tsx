"use client";

import { Brain, Coins, Eye, ScrollText, Wrench } from "lucide-react";
import { useTranslations } from "next-intl";

import { Link } from "@/i18n/navigation";
import { useFormats } from "@/lib/format";

import { KEY_VARIABLES, nanoPrice, type Model, type ProviderOffer } from "./use-models";
import type { Provider } from "./values";

/** Prices in a few words: "$3.00 in, $15.00 out". */
export function usePriceWords() {
  const t = useTranslations("agents.model");
  const formats = useFormats();
  return (model: Model | null, long = false): string => {
    if (!model?.prices) return t("unpriced");
    const [input, output] = [nanoPrice(model.prices.input), nanoPrice(model.prices.output)];
    if (!input && !output) return t("free");
    return t(long ? "pricesLong" : "prices", { input: formats.money(input), output: formats.money(output) });
  };
}

const ABILITIES = [
  ["tools", Wrench],
  ["thinking", Brain],
  ["vision", Eye],
] as const;

/** What a model can do, as icons with names. */
export function Abilities({ model }: { model: Model }) {
  const t = useTranslations("agents.model.can");
  return (
    <span className="inline-flex items-center gap-1.5 text-ink-soft">
      {ABILITIES.filter(([name]) => model.capabilities[name]).map(([name, Icon]) => (
        <span key={name} title={t(name)}>
          <Icon aria-hidden className="size-3.5" />
          <span className="sr-only">{t(name)}</span>
        </span>
      ))}
    </span>
  );
}

/** All that the catalogue knows of a chosen model, in a block. */
export function ModelFacts({ model }: { model: Model | null }) {
  const t = useTranslations("agents.model");
  const formats = useFormats();
  const prices = usePriceWords();
  if (!model) return <p className="text-[13px] text-ink-faint">{t("unknown")}</p>;
  return (
    <ul className="flex flex-col gap-1.5 text-[13px] text-ink-soft [&_svg]:mt-0.75 [&_svg]:size-3.5 [&_svg]:shrink-0 [&_svg]:text-ink-faint [&>li]:flex [&>li]:gap-2">
      <li>
        <Coins aria-hidden />
        {prices(model, true)}
      </li>
      <li>
        <ScrollText aria-hidden />
        {t("contextLong", { tokens: formats.number(model.context_window) })}
      </li>
      {ABILITIES.filter(([name]) => model.capabilities[name]).map(([name, Icon]) => (
        <li key={name}>
          <Icon aria-hidden />
          {t(`can.${name}`)}
        </li>
      ))}
    </ul>
  );
}

/** What to do where a provider cannot be used; nothing where it can, or where nobody knows. */
export function KeyHelp({ provider, offer }: { provider: Provider; offer: ProviderOffer | undefined }) {
  const t = useTranslations("agents");
  if (offer?.usable !== false) return null;
  const variable = KEY_VARIABLES[provider];
  if (!variable) return t("model.localMissing");
  return t.rich("model.keyMissing", {
    provider: t(`providers.${provider}`),
    variable,
    link: (words) => (
      <Link href="/credentials/" className="font-medium text-accent-ink underline underline-offset-2">
        {words}
      </Link>
    ),
    code: (words) => <code className="rounded bg-hover px-1 py-0.5 font-mono text-xs">{words}</code>,
  });
}
