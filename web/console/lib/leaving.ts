// What is typed and not saved must not be lost by going elsewhere: a form says so here, and whoever goes elsewhere asks first.

type Ask = (go: () => void) => void;

let asks: Ask | null = null;
/** Where in the browser's history the guarded page stands; not all browsers tell. */
let place: number | null = null;
let returning = false;

/** Has `ask` called before the page or the tab is left; it goes on by `go`. Answers how to end that. */
export function guardLeaving(ask: Ask): () => void {
  asks = ask;
  place = historyIndex();
  returning = false;
  return () => {
    if (asks === ask) asks = null;
  };
}

/** Goes elsewhere: at once, or once whoever guards the page agrees. */
export function leave(go: () => void): void {
  if (asks) asks(go);
  else go();
}

function historyIndex(): number | null {
  const { navigation } = window as { navigation?: { currentEntry?: { index: number } | null } };
  return navigation?.currentEntry?.index ?? null;
}

/** Back and forward: the address has changed already when this is told. It is put back before the router hears of it. */
function popped(event: PopStateEvent): void {
  if (!asks) return;
  event.stopImmediatePropagation();
  if (returning) {
    returning = false;
    return;
  }
  const now = historyIndex();
  const steps = place === null || now === null ? -1 : now - place;
  if (!steps) return;
  returning = true;
  window.history.go(-steps);
  asks(() => window.history.go(steps));
}

// Listeners of a window are called in the order in which they came, and this module is there before the router listens.
if (typeof window !== "undefined") window.addEventListener("popstate", popped);
