"use client";

import { useEffect, type RefObject } from "react";

const PATIENCE = 250;
/** Screens of text from which on the parts of one message count, not only the message. */
const TALL = 2;

/**
 * Marks what will hardly change any more and has been shown, so that the browser leaves it out while it is out of sight
 * (`markdown.css`), however much of it there is. Its size is known then, and no place moves. Of another width the sizes
 * are others: then all of it is laid out again.
 */
export function useSettled(content: RefObject<HTMLElement | null>, change: unknown): void {
  useEffect(() => {
    const timer = setTimeout(() => afterFrame(() => content.current?.querySelectorAll<HTMLElement>("article").forEach(settle)), PATIENCE);
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

function settle(article: HTMLElement): void {
  if (article.dataset.settled !== undefined) return;
  const busy = article.ariaBusy === "true";
  const tall = busy || article.clientHeight > TALL * window.innerHeight;
  // Each mark costs a look in each frame: short messages have one.
  if (tall) for (const block of article.querySelectorAll<HTMLElement>(".markdown > :not(:last-child)")) block.dataset.settled = "";
  else for (const block of article.querySelectorAll<HTMLElement>("[data-settled]")) delete block.dataset.settled;
  if (!busy) article.dataset.settled = "";
}

/** Once a frame was shown that was not begun yet. */
function afterFrame(callback: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(callback));
}
