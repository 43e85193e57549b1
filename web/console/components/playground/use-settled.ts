"use client";

import { useEffect, type RefObject } from "react";

const PATIENCE = 250;
const FRESH = "article[aria-busy=false]:not([data-settled]), .markdown > :not(:last-child):not([data-settled])";

/**
 * Marks what will hardly change any more and has been shown, so that the browser leaves it out while it is out of sight
 * (`markdown.css`), however much of it there is. Its size is known then, and no place moves. Of another width the sizes
 * are others: then all of it is laid out again.
 */
export function useSettled(content: RefObject<HTMLElement | null>, change: unknown): void {
  useEffect(() => {
    const timer = setTimeout(() => afterFrame(() => content.current?.querySelectorAll<HTMLElement>(FRESH).forEach((one) => (one.dataset.settled = ""))), PATIENCE);
    return () => clearTimeout(timer);
  }, [content, change]);

  useEffect(() => {
    const { current } = content;
    if (!current) return;
    let width = current.clientWidth;
    const watch = new ResizeObserver(() => {
      if (current.clientWidth === width) return;
      width = current.clientWidth;
      current.dataset.measuring = "";
      afterFrame(() => delete current.dataset.measuring);
    });
    watch.observe(current);
    return () => watch.disconnect();
  }, [content]);
}

/** Once a frame was shown that was not begun yet. */
function afterFrame(callback: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(callback));
}
