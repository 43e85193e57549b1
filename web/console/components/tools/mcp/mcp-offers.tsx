"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";
import { toast } from "@/lib/toast";

import { FormError } from "@/components/credentials/form-error";
import { Button } from "@/components/ui/button";
import { Card, EmptyState, Notice } from "@/components/ui/surface";
import { api, type Schemas } from "@/lib/api";
import { asApiError } from "@/lib/errors";

import { choiceOfOffer, type OfferChoice } from "../lib/offers";
import type { Toolbox } from "../lib/toolbox";
import { OfferRow } from "./offer-row";

interface Props {
  integration: string;
  offers: Schemas["McpOffersOut"];
  toolbox: Toolbox;
  onChosen: () => void;
  /** The server describes something otherwise by now: it is asked again. */
  onStale: () => void;
}

/** What a server offers, to be chosen; what it describes otherwise than it was approved stands first. */
export function McpOffers({ integration, offers, toolbox, onChosen, onStale }: Props) {
  const t = useTranslations("tools.mcp");
  const [choices, setChoices] = useState<ReadonlyMap<string, OfferChoice>>(new Map());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const changed = offers.tools.filter((one) => one.changed);
  const sorted = [...changed, ...offers.tools.filter((one) => !one.changed)];
  const set = (name: string, choice: OfferChoice | null) =>
    setChoices((before) => {
      const next = new Map(before);
      if (choice) next.set(name, choice);
      else next.delete(name);
      return next;
    });
  const able = offers.tools.filter(({ input_schema, chosen }) => input_schema && !chosen);
  const again = choices.size > 0 && changed.filter(({ remote_name }) => choices.has(remote_name)).length === choices.size;
  const choose = async () => {
    setBusy(true);
    setError(null);
    try {
      const tools = offers.tools.flatMap((offer) => {
        const choice = choices.get(offer.remote_name);
        return choice ? [{ remote_name: offer.remote_name, fingerprint: offer.fingerprint, effect: choice.effect, requires_approval: choice.approval }] : [];
      });
      await api.POST("/api/v1/integrations/{integration_id}/mcp/choose", { params: { path: { integration_id: integration } }, body: { tools } });
      toast.success(t("chosen", { count: tools.length }));
      onChosen();
    } catch (failure) {
      setError(failure);
      setBusy(false);
      if (asApiError(failure).code === "mcp_tool_changed") onStale();
    }
  };
  if (!offers.tools.length && !offers.gone.length) return <EmptyState title={t("nothing")}>{t("nothingText")}</EmptyState>;
  return (
    <>
      {changed.length ? <Notice tone="warn">{t("changedNotice", { count: changed.length })}</Notice> : null}
      {offers.gone.length ? (
        <Notice tone="bad">
          <p>{t("goneNotice", { count: offers.gone.length })}</p>
          <p className="mt-1 font-mono text-xs">{offers.gone.map(({ remote_name }) => remote_name).join(", ")}</p>
        </Notice>
      ) : null}
      <Card className="overflow-hidden">
        <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2 text-[13px] text-ink-soft">
          <span role="status">{t("count", { all: offers.tools.length, chosen: choices.size })}</span>
          <Button size="sm" kind="ghost" disabled={!able.length} onClick={() => able.forEach((offer) => set(offer.remote_name, choiceOfOffer(offer)))}>
            {t("chooseAll")}
          </Button>
        </div>
        <ul className="divide-y divide-line">
          {sorted.map((offer) => (
            <OfferRow
              key={offer.remote_name}
              offer={offer}
              known={toolbox.tools.find(({ id }) => id === offer.chosen)}
              choice={choices.get(offer.remote_name) ?? null}
              onChoice={(choice) => set(offer.remote_name, choice)}
            />
          ))}
        </ul>
      </Card>
      <FormError error={error} />
      <div className="sticky bottom-0 z-10 -mx-1 -mt-2 border-t border-line bg-page/95 px-1 py-3 backdrop-blur">
        <Button kind="primary" busy={busy} disabled={!choices.size} onClick={() => void choose()}>
          {t(again ? "approve" : "take", { count: choices.size })}
        </Button>
      </div>
    </>
  );
}
