"use client";

import dynamic from "next/dynamic";
import { useLocale } from "next-intl";
import { useEffect } from "react";

import { useRouter } from "@/i18n/navigation";
import { followTabs, standing, useSession } from "@/lib/session";
import { guarded } from "@/components/ui/guarded";

const SignInAgain = guarded(dynamic(() => import("@/components/shell/sign-in-again").then((module) => module.SignInAgain), { ssr: false }));

/** Leads to the sign-in where one is needed, and asks again where a session has ended, over what is on the screen. */
export function SessionGate() {
  const locale = useLocale();
  const router = useRouter();
  const { standing: state } = useSession();
  useEffect(() => {
    // Requests say themselves that there is no server.
    void standing().catch(() => undefined);
    return followTabs();
  }, []);
  useEffect(() => {
    if (state !== "out") return;
    const back = window.location.pathname + window.location.search;
    router.replace(`/sign-in/?${new URLSearchParams({ back })}`);
  }, [locale, router, state]);
  return state === "ended" ? <SignInAgain /> : null;
}
