"use client";

import { useEffect, useRef, useState } from "react";

import { guardLeaving } from "@/lib/leaving";

/** Where the browser's history stands; not all browsers tell. */
function historyIndex(): number | null {
  const { navigation } = window as { navigation?: { currentEntry?: { index: number } | null } };
  return navigation?.currentEntry?.index ?? null;
}

function linkOf(event: MouseEvent): HTMLAnchorElement | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link?.href || link.target === "_blank" || link.hasAttribute("download")) return null;
  const samePage = link.href.split("#")[0] === window.location.href.split("#")[0];
  return samePage && link.hash ? null : link;
}

/** While `on`, every way out asks first: links, tabs, the palette, back and forward, reload. `going` is how to go on, null where nobody wants to. */
export function useLeaveGuard(on: boolean) {
  const [going, setGoing] = useState<(() => void) | null>(null);
  const open = useRef(false);
  useEffect(() => {
    if (!on) return;
    open.current = false;
    const ask = (go: () => void) => {
      if (open.current) go();
      else setGoing(() => go);
    };
    const index = historyIndex();
    let returning = false;
    const unload = (event: BeforeUnloadEvent) => {
      if (!open.current) event.preventDefault();
    };
    const click = (event: MouseEvent) => {
      const link = open.current ? null : linkOf(event);
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      ask(() => link.click());
    };
    // The address has changed already when this is told. It is put back before the router hears of it.
    const pop = (event: PopStateEvent) => {
      if (open.current) return;
      event.stopImmediatePropagation();
      if (returning) {
        returning = false;
        return;
      }
      const now = historyIndex();
      const steps = index === null || now === null ? -1 : now - index;
      if (!steps) return;
      returning = true;
      window.history.go(-steps);
      ask(() => window.history.go(steps));
    };
    const release = guardLeaving(ask);
    window.addEventListener("beforeunload", unload);
    window.addEventListener("popstate", pop, true);
    document.addEventListener("click", click, true);
    return () => {
      release();
      window.removeEventListener("beforeunload", unload);
      window.removeEventListener("popstate", pop, true);
      document.removeEventListener("click", click, true);
    };
  }, [on]);
  return {
    going: going !== null,
    stay: () => setGoing(null),
    go: () => {
      open.current = true;
      setGoing(null);
      going?.();
    },
  };
}
