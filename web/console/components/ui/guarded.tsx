"use client";

import { useTranslations } from "next-intl";
import { Component, type ComponentType, type ReactNode } from "react";

import { Button } from "./button";
import { Notice } from "./surface";

/**
 * A part that is loaded when it is used. Where that fails, without a connection or after a deployment that took its files
 * away, it says so in its own place, and what was typed beside it stays. The runtime asks for a file once only, so trying
 * again means loading the page again. `quiet`: without it nothing is missing that anybody looks for.
 */
export function guarded<P extends object>(Part: ComponentType<P>, { quiet = false } = {}): ComponentType<P> {
  return function Guarded(props: P) {
    return (
      <LoadBoundary quiet={quiet}>
        <Part {...props} />
      </LoadBoundary>
    );
  };
}

export function isLoadError(error: unknown): boolean {
  return error instanceof Error && error.name === "ChunkLoadError";
}

class LoadBoundary extends Component<{ quiet: boolean; children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    if (!isLoadError(error)) throw error; // for the boundary of the page
    return this.props.quiet ? null : <NotLoaded />;
  }
}

function NotLoaded() {
  const t = useTranslations("common.errors");
  return (
    <Notice
      tone="warn"
      role="alert"
      className="m-4"
      actions={
        <Button size="sm" onClick={() => window.location.reload()}>
          {t("reload")}
        </Button>
      }
    >
      {t("notLoaded")}
    </Notice>
  );
}
