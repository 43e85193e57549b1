"use client";

import { useEffect, useRef, useState } from "react";

import { guardLeaving } from "@/lib/leaving";

function linkOf(event: MouseEvent): HTMLAnchorElement | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link?.href || link.target === "_blank" || link.hasAttribute("download")) return null;
  const samePage = link.href.split("#")[0] === window.location.href.split("#")[0];
  return samePage && link.hash ? null : link;
}

/** While `on`, every way out asks first: links, tabs, the palette, back and forward, reload. `go` leaves as was asked for. */
export function useLeaveGuard(on: boolean) {
  const [going, setGoing] = useState<(() => void) | null>(null);
  const release = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (!on) return;
    const ask = (go: () => void) => setGoing(() => go);
    const unload = (event: BeforeUnloadEvent) => event.preventDefault();
    const click = (event: MouseEvent) => {
      const link = linkOf(event);
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      ask(() => link.click());
    };
    const unguard = guardLeaving(ask);
    window.addEventListener("beforeunload", unload);
    document.addEventListener("click", click, true);
    const end = () => {
      unguard();
      window.removeEventListener("beforeunload", unload);
      document.removeEventListener("click", click, true);
    };
    release.current = end;
    return end;
  }, [on]);
  return {
    going: going !== null,
    stay: () => setGoing(null),
    go: () => {
      release.current();
      setGoing(null);
      going?.();
    },
  };
}
