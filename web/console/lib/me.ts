"use client";

import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";
import { useSession } from "@/lib/session";

export type Permission = Schemas["IdentityOut"]["permissions"][number];

const KEY = "console.permissions";

/** What this person could do when it was asked last, so that nothing blinks while it is asked again. */
function remembered(subject: string): readonly string[] | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as { subject: string; permissions: string[] } | null;
    return kept?.subject === subject ? kept.permissions : null;
  } catch {
    return null;
  }
}

function remember(subject: string, permissions: readonly string[]): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ subject, permissions }));
  } catch {
    // It is asked for each time then.
  }
}

const REMEMBERING = { onSuccess: ({ body }: { body: Schemas["IdentityOut"] }) => remember(body.subject, body.permissions) };

/** Who the caller is and what they may do; nothing is forbidden as long as that is not known. */
export function useMe() {
  const { person } = useSession();
  const { data: me, error, mutate } = useResource<Schemas["IdentityOut"]>("/members/me", {}, REMEMBERING);
  const may = (permission: Permission): boolean => (me?.permissions ?? (person ? remembered(person.subject) : null))?.includes(permission) ?? true;
  return { me, may, error, mutate };
}

/** Whether whoever is signed in may do something. Where nobody signs in there is one person, who may do everything. */
export function useMay(permission: Permission): boolean {
  const { standing, person } = useSession();
  const asked = standing === "in" || standing === "ended";
  const { data: me } = useResource<Schemas["IdentityOut"]>(asked ? "/members/me" : null, {}, REMEMBERING);
  if (!asked) return true;
  return (me?.permissions ?? (person ? remembered(person.subject) : null))?.includes(permission) ?? true;
}
