"use client";

import { useTranslations } from "next-intl";

import { Badge } from "@/components/ui/surface";

import type { Credential } from "./lib/draft";
import { STATE_TONES } from "./lib/state";

/** Whether a credential can be used, in a word. */
export function CredentialState({ credential }: { credential: Credential }) {
  const t = useTranslations("tools.credentials.states");
  return (
    <Badge tone={STATE_TONES[credential.status]} dot>
      {t(credential.status)}
    </Badge>
  );
}
