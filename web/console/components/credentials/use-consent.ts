"use client";

import { useEffect, useRef, useState } from "react";

import { api, data } from "@/lib/api";
import { useRefresh, useResource } from "@/lib/data";

import type { Credential } from "./lib/draft";

export interface Consent {
  readonly url: string;
  /** What the authorization server must know to send people back. */
  readonly redirectUri: string;
  /** Milliseconds. */
  readonly ends: number;
  /** When somebody last came back before; whoever comes back now does so at another time. */
  readonly before: string | null;
}

interface Listener {
  readonly onConnected: (name: string) => void;
  readonly onRefused: (failure: string) => void;
  readonly onExpired: () => void;
  readonly onError: (error: unknown) => void;
}

/** A person on the way to an authorization server: begun by `start`, over when they come back or time is up. */
export function useConsent({ id }: Credential, listener: Listener) {
  const refresh = useRefresh();
  const [starting, setStarting] = useState(false);
  const [consent, setConsent] = useState<Consent | null>(null);
  const told = useRef(listener);
  useEffect(() => void (told.current = listener));
  useResource<Credential>(consent ? `/credentials/${id}` : null, {}, {
    refreshInterval: 1_500,
    dedupingInterval: 500,
    // The window that is looked at meanwhile is the other one.
    refreshWhenHidden: true,
    onSuccess: ({ body: { name, last_consent: last } }) => {
      if (!last || last.at === consent?.before) return;
      setConsent(null);
      if (last.failure) told.current.onRefused(last.failure);
      else told.current.onConnected(name);
      void refresh("/credentials");
    },
  });
  useEffect(() => {
    if (!consent) return;
    const timer = setTimeout(() => {
      setConsent(null);
      told.current.onExpired();
    }, consent.ends - Date.now());
    return () => clearTimeout(timer);
  }, [consent]);

  const start = async () => {
    // Opened at once, because browsers keep back windows that open later; it cannot reach this page.
    const window = globalThis.open("about:blank", "_blank", "popup,width=560,height=720");
    if (window) window.opener = null;
    setStarting(true);
    try {
      const params = { path: { credential_id: id } };
      const { last_consent: last } = await data(api.GET("/api/v1/credentials/{credential_id}", { params }));
      const { authorization_url: url, redirect_uri: redirectUri, expires_at } = await data(api.POST("/api/v1/credentials/{credential_id}/oauth/start", { params, body: {} }));
      if (window) window.location.href = url;
      setConsent({ url, redirectUri, ends: Date.parse(expires_at), before: last?.at ?? null });
    } catch (error) {
      window?.close();
      told.current.onError(error);
    }
    setStarting(false);
  };
  return { consent, starting, start, stop: () => setConsent(null) };
}
