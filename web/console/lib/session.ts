"use client";

// Who is signed in, in this tab. Tokens are kept in the session storage: they end with the tab, and no other site sees them.

import { useSyncExternalStore } from "react";

import { signInConfig } from "./sign-in-config";

export interface Person {
  readonly subject: string;
  readonly name: string;
  readonly email: string;
}

export interface Session {
  /** What is sent with requests. */
  readonly token: string;
  /** Milliseconds since 1970 at which it ends. */
  readonly expires: number;
  /** How long such a token lasts, in milliseconds. */
  readonly lifetime?: number;
  readonly refreshToken: string | null;
  readonly idToken: string | null;
  readonly person: Person;
}

/**
 * `unknown` until asked for; `free` where nobody has to sign in; `out` before signing in; `in`; `ended` when a session
 * came to its end while somebody worked here.
 */
export type Standing = "unknown" | "free" | "out" | "in" | "ended";

export interface Known {
  readonly standing: Standing;
  readonly person: Person | null;
}

/** In the local storage while somebody is signed in on this machine: a new tab then goes to the issuer without asking. */
export const REMEMBERED = "console.signed-in";

const KEY = "console.session";
const CHANNEL = "console.session";
const listeners = new Set<() => void>();
let session: Session | null = null;
let known: Known = { standing: "unknown", person: null };

function tell(standing: Standing): void {
  known = { standing, person: session?.person ?? known.person };
  for (const listener of listeners) listener();
}

function stored(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
  } catch {
    return null;
  }
}

/** Finds out how this tab stands; asks the server once whether signing in is needed at all. */
export async function standing(): Promise<Standing> {
  if (known.standing !== "unknown") return known.standing;
  const config = await signInConfig();
  if (known.standing !== "unknown") return known.standing;
  session = config ? stored() : null;
  tell(!config ? "free" : session ? "in" : "out");
  return known.standing;
}

/** Whose things are kept in this browser; empty where nobody signs in. */
export function whose(): string {
  return known.person?.subject ?? "";
}

export function currentSession(): Session | null {
  return session;
}

/** Somebody signed in, or the session was prolonged. */
export function setSession(next: Session): void {
  session = next;
  sessionStorage.setItem(KEY, JSON.stringify(next));
  tell("in");
}

/** The session came to its end; what is on the screen stays, and signing in again goes on where it was. */
export function endSession(): void {
  if (known.standing !== "in") return;
  session = null;
  sessionStorage.removeItem(KEY);
  tell("ended");
}

/** Forgets who was signed in. */
export function forgetSession(): void {
  session = null;
  sessionStorage.removeItem(KEY);
  known = { standing: "out", person: null };
  for (const listener of listeners) listener();
}

/** Resolves as soon as somebody is signed in. */
export function untilSignedIn(): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (known.standing !== "in") return;
      listeners.delete(check);
      resolve();
    };
    listeners.add(check);
    check();
  });
}

type Message =
  | { readonly kind: "signed-in"; readonly session: Session }
  /** `before` is the refresh token that was used up, or could be. */
  | { readonly kind: "renewed"; readonly before: string; readonly session: Session }
  | { readonly kind: "signed-out"; readonly subject: string };

function tellTabs(message: Message): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(message);
  channel.close();
}

/** Whether this is the session of this tab still. */
export function mine(given: Session): boolean {
  return session?.token === given.token;
}

/** Gives what a session became to tabs that have the same one: those that were duplicated. */
export function share(before: Session, next: Session): void {
  if (before.refreshToken) tellTabs({ kind: "renewed", before: before.refreshToken, session: next });
}

/** Waits a while for another tab to say what this session became. */
export function successor(given: Session, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (mine(given)) return;
      clearTimeout(timer);
      listeners.delete(check);
      resolve();
    };
    const timer = setTimeout(() => {
      listeners.delete(check);
      resolve();
    }, patience);
    listeners.add(check);
    check();
  });
}

/** Gives a session to the tab that opened this one to sign in again, and to others that wait for it. */
export function handOver(next: Session): void {
  tellTabs({ kind: "signed-in", session: next });
}

/** Tells the other tabs of this browser that this person signed out. */
export function signedOut(subject: string): void {
  tellTabs({ kind: "signed-out", subject });
}

/** Takes a session that another tab signed in for; returns how to stop listening. */
export function takeOver(onSession: (next: Session) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === "signed-in") onSession(data.session);
  };
  return () => channel.close();
}

/** Follows what other tabs do with the session of this one; returns how to stop. */
export function followTabs(): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === "renewed" && session?.refreshToken === data.before) setSession(data.session);
    else if (data.kind === "signed-out" && session?.person.subject === data.subject) endSession();
  };
  return () => channel.close();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};
const UNKNOWN: Known = { standing: "unknown", person: null };

/** How this tab stands, and with whom. */
export function useSession(): Known {
  return useSyncExternalStore(subscribe, () => known, () => UNKNOWN);
}
