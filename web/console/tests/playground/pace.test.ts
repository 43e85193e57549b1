import { describe, expect, it, vi } from "vitest";

import { paced, type Frames } from "@/components/playground/model/pace";

/** Frames that a test lets pass, 16 ms each. */
function stage() {
  const listeners = new Set<() => void>();
  const queue: { callback: () => void; due: number }[] = [];
  const ends: (() => void)[] = [];
  let value = 0;
  let now = 0;
  const frames: Frames = {
    now: () => now,
    next: (callback, pause) => void queue.push({ callback, due: now + pause }),
    done: (callback) => void ends.push(callback),
  };
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
    /** How long it is until what waits for a frame may have one. */
    waiting: () => queue.map(({ due }) => due - now),
    spend: (time: number) => {
      now += time;
    },
    /** One frame, and what the browser does for it after the scripts. */
    frame: (rendering = 0) => {
      now += 16;
      for (const one of queue.splice(0)) {
        if (one.due <= now) one.callback();
        else queue.push(one);
      }
      now += rendering;
      for (const end of ends.splice(0)) end();
    },
  };
}

describe("a paced store", () => {
  it("tells once a frame, however often there is something new", () => {
    const { store, change, frame } = stage();
    const told = vi.fn();
    store.subscribe(told);
    for (let count = 0; count < 100; count += 1) change();
    expect([told.mock.calls.length, store.get()]).toEqual([0, 0]);
    frame();
    expect([told.mock.calls.length, store.get()]).toEqual([1, 100]);
    frame();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("leaves the page as much time as showing took", () => {
    const { store, change, frame, spend } = stage();
    const told = vi.fn(() => spend(100));
    store.subscribe(told);
    change();
    frame();
    change();
    for (let count = 0; count < 6; count += 1) frame();
    expect(told).toHaveBeenCalledTimes(1);
    frame();
    expect(told).toHaveBeenCalledTimes(2);
    expect(store.get()).toBe(2);
  });

  it("counts layout and paint, and asks for no frames meanwhile", () => {
    const { store, change, frame, waiting } = stage();
    const told = vi.fn();
    store.subscribe(told);
    change();
    frame(60);
    change();
    expect(waiting()).toEqual([60]);
    for (let count = 0; count < 3; count += 1) frame();
    expect(told).toHaveBeenCalledTimes(1);
    frame();
    expect(told).toHaveBeenCalledTimes(2);
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
