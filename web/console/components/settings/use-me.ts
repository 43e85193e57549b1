"use client";

import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

type Permission = Schemas["IdentityOut"]["permissions"][number];

/** Who the caller is and what they may do; nothing is forbidden as long as that is not known. */
export function useMe() {
  const { data: me, error, mutate } = useResource<Schemas["IdentityOut"]>("/members/me");
  const may = (permission: Permission): boolean => me?.permissions.includes(permission) ?? true;
  return { me, may, error, mutate };
}
