"use client";

import { useLocale, useTranslations } from "next-intl";
import { AlertDialog } from "radix-ui";
import { useEffect, useRef, useState } from "react";
import { useSWRConfig } from "swr";

import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/surface";
import { setSession, takeOver, useSession } from "@/lib/session";

/** The session has ended. Signing in happens in another window, so that nothing here is lost. */
export function SignInAgain() {
  const t = useTranslations("common.signIn");
  const locale = useLocale();
  const { mutate } = useSWRConfig();
  const { person } = useSession();
  const opened = useRef(false);
  const [keptBack, setKeptBack] = useState(false);
  useEffect(
    () =>
      takeOver((session) => {
        const other = person !== null && person.subject !== session.person.subject;
        // Another tab's person need not be this one's.
        if (other && !opened.current) return;
        setSession(session);
        // Somebody else: what is on the screen is not theirs.
        if (other) window.location.reload();
        else void mutate(() => true);
      }),
    [mutate, person],
  );
  const open = () => {
    opened.current = true;
    setKeptBack(window.open(`/${locale}/sign-in/?window=1`, "console-sign-in", "popup,width=520,height=680") === null);
  };
  return (
    <AlertDialog.Root open>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-50 animate-fade bg-black/40" />
        <AlertDialog.Content
          onEscapeKeyDown={(event) => event.preventDefault()}
          className="fixed inset-x-4 top-1/2 z-50 mx-auto max-w-sm -translate-y-1/2 rounded-2xl border border-line bg-surface p-6 shadow-high outline-none"
        >
          <AlertDialog.Title className="text-base font-semibold text-ink">{t("ended")}</AlertDialog.Title>
          <AlertDialog.Description className="mt-1.5 text-sm text-ink-soft">{t("endedText")}</AlertDialog.Description>
          {person ? <p className="mt-3 truncate text-sm font-medium text-ink">{person.name || person.email || person.subject}</p> : null}
          {keptBack ? (
            <Notice tone="warn" role="alert" className="mt-4">
              {t("popup")}
            </Notice>
          ) : null}
          <AlertDialog.Action asChild>
            <Button kind="primary" className="mt-5 w-full" onClick={(event) => { event.preventDefault(); open(); }}>
              {t("again")}
            </Button>
          </AlertDialog.Action>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
