"use client";

import type { ComponentProps, MouseEvent } from "react";

import { Link, usePathname } from "@/i18n/navigation";
import { useQuery } from "@/lib/address";

/** A link that changes the address's query alone: at once where it is clicked, and a real address to open elsewhere. */
export function QueryLink({ values, ...rest }: Omit<ComponentProps<typeof Link>, "href" | "onClick"> & { values: Record<string, string | null> }) {
  const pathname = usePathname();
  const [search, change] = useQuery();
  const next = new URLSearchParams(search.toString());
  for (const [name, value] of Object.entries(values)) {
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    change(values);
  };
  return <Link href={`${pathname}?${next.toString()}`} onClick={click} {...rest} />;
}
