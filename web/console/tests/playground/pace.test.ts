import { describe, expect, it, vi } from "vitest";

import { paced, type Frames } from "@/components/playground/model/pace";

/** Frames that a test lets pass, 16 ms each. */
function stage() {
  const listeners = new Set<() => void>();
  const queue: (() => void)[] = [];
  let value = 0;
  let now = 0;
  const frames: Frames = { now: () => now, next: (callback) => void queue.push(callback) };
  const source = {
    get: () => value,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return {
    store: paced(source, frames),
    listeners,
    change: () => {
      value += 1;
      for (const listener of listeners) listener();
    },
    spend: (time: number) => {
      now += time;
    },
    frame: async () => {
      now += 16;
      for (const callback of queue.splice(0)) callback();
      await Promise.resolve();
    },
  };
}

describe("a paced store", () => {
  it("tells once a frame, however often there is something new", async () => {
    const { store, change, frame } = stage();
    const told = vi.fn();
    store.subscribe(told);
    for (let count = 0; count < 100; count += 1) change();
    expect([told.mock.calls.length, store.get()]).toEqual([0, 0]);
    await frame();
    expect([told.mock.calls.length, store.get()]).toEqual([1, 100]);
    await frame();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("leaves the page as much time as showing took", async () => {
    const { store, change, frame, spend } = stage();
    const told = vi.fn(() => spend(100));
    store.subscribe(told);
    change();
    await frame();
    change();
    for (let count = 0; count < 6; count += 1) await frame();
    expect(told).toHaveBeenCalledTimes(1);
    await frame();
    expect(told).toHaveBeenCalledTimes(2);
    expect(store.get()).toBe(2);
  });

  it("is up to date when nobody listens, and lets its source go", () => {
    const { store, change, listeners } = stage();
    const stop = store.subscribe(() => undefined);
    expect(listeners.size).toBe(1);
    stop();
    expect(listeners.size).toBe(0);
    change();
    expect(store.get()).toBe(1);
  });
});
