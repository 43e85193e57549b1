"use client";

import { LoaderCircle } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";

import { StandAlone } from "@/components/sign-in/stand-alone";
import { ButtonLink } from "@/components/ui/button";
import { Notice } from "@/components/ui/surface";
import { REMEMBERED, handOver, setSession } from "@/lib/session";

/** Where the issuer sends people back to. */
export function SignedIn() {
  const t = useTranslations("common.signIn");
  const [failure, setFailure] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const begun = useRef(false);
  useEffect(() => {
    // A code works once only, and effects run twice while developing.
    if (begun.current) return;
    begun.current = true;
    const address = new URL(window.location.href);
    window.history.replaceState(null, "", address.pathname);
    void (async () => {
      try {
        const { finishSignIn } = await import("@/lib/oidc");
        const { session, back, window: inWindow } = await finishSignIn(address);
        localStorage.setItem(REMEMBERED, "1");
        if (inWindow) {
          handOver(session);
          window.close();
          // Not every browser lets a page close its window.
          setOver(true);
          return;
        }
        setSession(session);
        // Anew, not within this page: what other people's sessions left in memory goes.
        window.location.replace(back);
      } catch (error) {
        localStorage.removeItem(REMEMBERED);
        setFailure(error instanceof Error ? error.message : String(error));
      }
    })();
  }, []);
  if (over) {
    return (
      <StandAlone title={t("title")}>
        <p role="status" className="mt-2 text-sm text-ink-soft">
          {t("signedInWindow")}
        </p>
      </StandAlone>
    );
  }
  if (failure === null) {
    return (
      <StandAlone title={t("working")}>
        <p role="status" className="mt-5 flex justify-center">
          <LoaderCircle aria-hidden className="size-5 animate-spin text-ink-faint" />
          <span className="sr-only">{t("working")}</span>
        </p>
      </StandAlone>
    );
  }
  return (
    <StandAlone title={t("failed")}>
      <Notice tone="bad" role="alert" className="mt-5 text-left wrap-anywhere">
        {failure}
      </Notice>
      <ButtonLink kind="primary" href="/sign-in/" className="mt-6 w-full">
        {t("again")}
      </ButtonLink>
    </StandAlone>
  );
}
