import { createNavigation } from "next-intl/navigation";
import { useMemo } from "react";

import { leave } from "@/lib/leaving";

import { routing } from "./routing";

const navigation = createNavigation(routing);

export const { Link, redirect, usePathname, getPathname } = navigation;

/** The router of the page's language. It asks whoever guards what is not saved yet. */
export function useRouter(): ReturnType<typeof navigation.useRouter> {
  const router = navigation.useRouter();
  return useMemo(
    () => ({
      ...router,
      push: (...to: Parameters<typeof router.push>) => leave(() => router.push(...to)),
      replace: (...to: Parameters<typeof router.replace>) => leave(() => router.replace(...to)),
    }),
    [router],
  );
}
