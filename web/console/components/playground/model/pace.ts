/** What `useSyncExternalStore` reads. */
export interface Store<T> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly get: () => T;
}

/** When to show what has changed; tests have their own. */
export interface Frames {
  now(): number;
  /** Calls once, at the first animation frame after so many milliseconds, or soon after where the page is hidden and has none. */
  next(callback: () => void, pause: number): void;
  /** Calls once the frame that is being made is done, layout and paint included. */
  done(callback: () => void): void;
}

const FRAMES: Frames = {
  now: () => performance.now(),
  next: (callback, pause) => {
    if (document.visibilityState === "hidden") setTimeout(callback, Math.max(120, pause));
    // Without asking for frames meanwhile, which cost something even where they show nothing new.
    else if (pause > 0) setTimeout(() => FRAMES.next(callback, 0), pause);
    else requestAnimationFrame(callback);
  },
  done: (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(null);
  },
};
/** A frame of 60 a second has twice as long. */
const CHEAP = 8;
/** However slow it is, text has to move. */
const LONGEST_REST = 100;

/**
 * A store that tells of another's changes at most once in an animation frame. Where showing one took long (a slow machine,
 * a long paragraph) the page gets as much time for itself before the next, up to a tenth of a second, so that two dear
 * frames never follow each other.
 */
export function paced<T>(source: Store<T>, frames: Frames = FRAMES): Store<T> {
  const listeners = new Set<() => void>();
  let shown = source.get();
  let waiting = false;
  let freeAt = 0;
  let stop: (() => void) | null = null;

  const publish = () => {
    const pause = freeAt - frames.now();
    if (pause > 0) {
      frames.next(publish, pause);
      return;
    }
    waiting = false;
    const fresh = source.get();
    if (Object.is(fresh, shown)) return;
    shown = fresh;
    const began = frames.now();
    for (const listener of [...listeners]) listener();
    frames.done(() => {
      const now = frames.now();
      const cost = now - began;
      freeAt = cost > CHEAP ? now + Math.min(cost, LONGEST_REST) : 0;
    });
  };
  const changed = () => {
    if (waiting) return;
    waiting = true;
    frames.next(publish, Math.max(0, freeAt - frames.now()));
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
