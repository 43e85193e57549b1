"use client";

import { useLocale, useTranslations } from "next-intl";
import { useSearchParams } from "next/navigation";
import { useCallback, useEffect, useState } from "react";

import { StandAlone } from "@/components/sign-in/stand-alone";
import { Button } from "@/components/ui/button";
import { Notice, Skeleton } from "@/components/ui/surface";
import { useRouter } from "@/i18n/navigation";
import { REMEMBERED, standing, useSession } from "@/lib/session";

/** Leads to the issuer. `back` in the address is where it goes on afterwards; `window` says that one was opened for it. */
export function SignIn() {
  const t = useTranslations("common.signIn");
  const locale = useLocale();
  const router = useRouter();
  const search = useSearchParams();
  const { standing: state } = useSession();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const inWindow = search.get("window") === "1";
  const back = search.get("back") ?? `/${locale}/agents/`;
  const begin = useCallback(async () => {
    setBusy(true);
    setFailed(false);
    try {
      const { beginSignIn } = await import("@/lib/oidc");
      await beginSignIn(locale, back, inWindow);
    } catch {
      setFailed(true);
      setBusy(false);
    }
  }, [back, inWindow, locale]);
  useEffect(() => {
    void (async () => {
      const found = await standing().catch(() => "failed" as const);
      if (found === "failed") setFailed(true);
      else if (found === "free" || (found === "in" && !inWindow)) router.replace("/agents/");
      else if (inWindow || localStorage.getItem(REMEMBERED)) await begin();
    })();
  }, [begin, inWindow, router]);
  const settled = failed || state !== "unknown";
  return (
    <StandAlone title={t("title")}>
      <p className="mt-2 text-sm text-ink-soft">{t("text")}</p>
      {failed ? (
        <Notice tone="bad" role="alert" className="mt-5 text-left">
          {t("unreachable")}
        </Notice>
      ) : null}
      {settled ? (
        <Button kind="primary" busy={busy} className="mt-6 w-full" onClick={() => void begin()}>
          {failed ? t("again") : t("action")}
        </Button>
      ) : (
        <Skeleton className="mt-6 h-9 w-full" />
      )}
    </StandAlone>
  );
}
