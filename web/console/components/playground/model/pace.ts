/** What `useSyncExternalStore` reads. */
export interface Store<T> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly get: () => T;
}

/** When to show what has changed; tests have their own. */
export interface Frames {
  now(): number;
  /** Calls once, at the next animation frame, or soon where the page is hidden and has none. */
  next(callback: () => void): void;
}

const FRAMES: Frames = {
  now: () => performance.now(),
  next: (callback) => {
    if (document.visibilityState === "hidden") setTimeout(callback, 120);
    else requestAnimationFrame(callback);
  },
};

/**
 * A store that tells of another's changes at most once in an animation frame. Where showing one took long (a slow machine,
 * a long paragraph) the page gets as much time for itself before the next.
 */
export function paced<T>(source: Store<T>, frames: Frames = FRAMES): Store<T> {
  const listeners = new Set<() => void>();
  let shown = source.get();
  let waiting = false;
  let freeAt = 0;
  let stop: (() => void) | null = null;

  const publish = () => {
    if (frames.now() < freeAt) {
      frames.next(publish);
      return;
    }
    waiting = false;
    const fresh = source.get();
    if (Object.is(fresh, shown)) return;
    shown = fresh;
    const began = frames.now();
    for (const listener of [...listeners]) listener();
    // React renders what a store tells in a microtask of its own, which was queued before this one.
    queueMicrotask(() => {
      const cost = frames.now() - began;
      freeAt = cost > 8 ? frames.now() + cost : 0;
    });
  };
  const changed = () => {
    if (waiting) return;
    waiting = true;
    frames.next(publish);
  };

  return {
    get: () => {
      if (listeners.size === 0) shown = source.get();
      return shown;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      stop ??= source.subscribe(changed);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop?.();
        stop = null;
      };
    },
  };
}
