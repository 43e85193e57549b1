"use client";

import { useTranslations } from "next-intl";

import { Link } from "@/i18n/navigation";
import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

/** Whose price it was that a step was counted by, and of when. */
export function PriceSource({ price }: { price: Schemas["PriceOut"] }) {
  const t = useTranslations("traces.price");
  const formats = useFormats();
  if (price.source === "nobody") return <>{t("nobody")}</>;
  if (price.source === "tenant") {
    return (
      <>
        <Link href="/settings/?tab=prices" className="underline underline-offset-2">
          {t("tenant")}
        </Link>
        {price.since ? ` ${t("since", { time: formats.dateTime(price.since) })}` : null}
      </>
    );
  }
  return <>{t("list", { source: price.source, time: formats.dateTime(price.at) })}</>;
}
