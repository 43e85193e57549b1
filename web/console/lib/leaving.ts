// What is typed and not saved must not be lost by going elsewhere: a form says so here, and whoever goes elsewhere asks first.

type Ask = (go: () => void) => void;

let asks: Ask | null = null;

/** Has `ask` called before the page or the tab is left; it goes on by `go`. Answers how to end that. */
export function guardLeaving(ask: Ask): () => void {
  asks = ask;
  return () => {
    if (asks === ask) asks = null;
  };
}

/** Goes elsewhere: at once, or once whoever guards the page agrees. */
export function leave(go: () => void): void {
  if (asks) asks(go);
  else go();
}
