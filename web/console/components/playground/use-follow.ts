"use client";

import { useCallback, useEffect, useRef, useState, type RefObject } from "react";

/** So near the end that a way there need not be offered, and that whoever scrolls down means it. */
const NEAR = 70;

export interface Follow {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  readonly atEnd: boolean;
  readonly toEnd: () => void;
}

/**
 * Keeps the end of what grows in sight, until somebody scrolls up. The place is set between layout and paint, so that
 * text and place change in one frame and nothing is laid out twice.
 */
export function useFollow(): Follow {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follower = useRef<Follower | null>(null);
  const [atEnd, setAtEnd] = useState(true);
  useEffect(() => {
    if (!scroller.current || !content.current) return;
    const made = new Follower(scroller.current, content.current, setAtEnd);
    follower.current = made;
    return () => made.stop();
  }, []);
  const toEnd = useCallback(() => follower.current?.begin(), []);
  return { scroller, content, atEnd, toEnd };
}

class Follower {
  private readonly box: HTMLElement;
  private readonly tell: (atEnd: boolean) => void;
  private readonly watch: ResizeObserver;
  private readonly ending = new AbortController();
  private following = true;
  /** A finger or a button of the mouse is down. */
  private held: "mouse" | "touch" | null = null;
  private last = 0;

  constructor(box: HTMLElement, content: HTMLElement, tell: (atEnd: boolean) => void) {
    this.box = box;
    this.tell = tell;
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(box);
    this.watch.observe(content);
    const options = { passive: true, signal: this.ending.signal };
    const hold = (how: Follower["held"]) => () => void (this.held = how);
    box.addEventListener("scroll", () => this.scrolled(), options);
    box.addEventListener("wheel", (event) => this.turned(event), options);
    box.addEventListener("touchstart", hold("touch"), options);
    for (const end of ["touchend", "touchcancel"] as const) box.addEventListener(end, hold(null), options);
    box.addEventListener("mousedown", hold("mouse"), options);
    window.addEventListener("mouseup", hold(null), options);
  }

  stop(): void {
    this.watch.disconnect();
    this.ending.abort();
  }

  begin(): void {
    this.following = true;
    this.go();
    this.tell(true);
  }

  private resized(): void {
    if (this.following && !this.busy()) this.go();
    else this.say();
  }

  private scrolled(): void {
    const { scrollTop } = this.box;
    const left = this.left();
    // What became shorter is scrolled up by the browser, to its very end.
    if (scrollTop < this.last && left > 1) this.following = false;
    if (scrollTop > this.last && left <= NEAR) this.following = true;
    this.last = scrollTop;
    this.say();
  }

  /** Told before the page has scrolled, where text that comes at the same moment would draw it back. */
  private turned({ deltaY, target }: WheelEvent): void {
    if (deltaY >= 0 || this.box.scrollHeight <= this.box.clientHeight) return;
    let inner = target instanceof Element ? target : null;
    while (inner && inner !== this.box && inner.scrollTop === 0) inner = inner.parentElement;
    if (inner === this.box) this.following = false;
  }

  private busy(): boolean {
    if (this.held !== "mouse") return this.held !== null;
    const selection = window.getSelection();
    return selection !== null && !selection.isCollapsed && this.box.contains(selection.anchorNode);
  }

  private go(): void {
    this.box.scrollTop = this.box.scrollHeight;
    this.last = this.box.scrollTop;
  }

  private left(): number {
    return this.box.scrollHeight - this.box.clientHeight - this.box.scrollTop;
  }

  private say(): void {
    this.tell(this.following || this.left() <= NEAR);
  }
}
