"use client";

import { useEffect } from "react";

import { usePages } from "./data";

/** A whole list, page after page by itself: for lists that have an end, such as the tools of an agent. */
export function useAllPages<T>(path: string | null) {
  const pages = usePages<T>(path, { limit: 100 });
  const { more, loadingMore, loadMore, error } = pages;
  useEffect(() => {
    if (more && !loadingMore && !error) void loadMore();
  }, [more, loadingMore, loadMore, error]);
  return { ...pages, complete: Boolean(pages.items) && !more };
}
