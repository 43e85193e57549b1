// Signing in with OpenID Connect: authorization code with PKCE. Loaded only where somebody signs in.

import * as oauth from "oauth4webapi";

import type { Session } from "./session";
import { signInConfig, type SignInConfig } from "./sign-in-config";

interface Underway {
  readonly verifier: string;
  readonly nonce: string;
  readonly back: string;
  readonly redirect: string;
  /** Whether a window was opened for it, which closes when it is done. */
  readonly window: boolean;
}

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);
const PREFIX = "console.signing-in.";

async function server(): Promise<{ as: oauth.AuthorizationServer; client: oauth.Client; config: SignInConfig; options: object }> {
  const config = await signInConfig();
  if (!config) throw new Error("Nobody has to sign in here.");
  const issuer = new URL(config.issuer);
  // Plain http only for an issuer on this very machine.
  const options = { [oauth.allowInsecureRequests]: issuer.protocol === "http:" && LOOPBACK.has(issuer.hostname) };
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  return { as, client: { client_id: config.client_id }, config, options };
}

/** A path of this console to go back to; anything else leads to its start. */
export function ownPath(path: string | null, otherwise = "/"): string {
  if (!path?.startsWith("/") || /^[/\\]{2}/.test(path)) return otherwise;
  const url = new URL(path, window.location.origin);
  return url.origin === window.location.origin ? url.pathname + url.search + url.hash : otherwise;
}

/** Leaves for the issuer; it sends back to the page `signed-in` of this language. */
export async function beginSignIn(locale: string, back: string, inWindow: boolean): Promise<void> {
  const { as, config } = await server();
  if (!as.authorization_endpoint) throw new Error("The issuer names no page to sign in.");
  const redirect = `${window.location.origin}/${locale}/signed-in/`;
  const state = oauth.generateRandomState();
  const underway: Underway = {
    verifier: oauth.generateRandomCodeVerifier(),
    nonce: oauth.generateRandomNonce(),
    back: ownPath(back, `/${locale}/agents/`),
    redirect,
    window: inWindow,
  };
  sessionStorage.setItem(PREFIX + state, JSON.stringify(underway));
  const url = new URL(as.authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: config.client_id,
    redirect_uri: redirect,
    scope: config.scope ?? "openid email profile",
    state,
    nonce: underway.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(underway.verifier),
    code_challenge_method: "S256",
    ui_locales: locale,
    ...(wantsApi(config) ? { audience: config.audience ?? "" } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  window.location.assign(url);
}

/** Turns what the issuer sent back into a session. */
export async function finishSignIn(address: URL): Promise<{ session: Session; back: string; window: boolean }> {
  const state = address.searchParams.get("state") ?? "";
  const kept = sessionStorage.getItem(PREFIX + state);
  if (!kept) throw new Error("This answer was not asked for in this tab. Sign in again.");
  sessionStorage.removeItem(PREFIX + state);
  const underway = JSON.parse(kept) as Underway;
  const { as, client, config, options } = await server();
  const parameters = oauth.validateAuthResponse(as, client, address, state);
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, oauth.None(), parameters, underway.redirect, underway.verifier, options,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: underway.nonce, requireIdToken: true });
  return { session: sessionOf(tokens, config, null), back: underway.back, window: underway.window };
}

/** The same session with a new token. */
export async function renewed(session: Session): Promise<Session> {
  const { as, client, config, options } = await server();
  const response = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), session.refreshToken ?? "", options);
  return sessionOf(await oauth.processRefreshTokenResponse(as, client, response), config, session);
}

/** Whether the issuer said no, where it could also have been out of reach. */
export function isRefusal(error: unknown): boolean {
  return error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429;
}

/** Makes the refresh token useless, where the issuer has a way to. */
export async function revoke(session: Session): Promise<void> {
  const { as, client, options } = await server();
  if (!as.revocation_endpoint || !session.refreshToken) return;
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), session.refreshToken, options));
}

/** Where the issuer ends its own session; null where it has no such page. */
export async function endAddress(locale: string, idToken: string | null): Promise<string | null> {
  const { as, config } = await server();
  if (!as.end_session_endpoint) return null;
  const url = new URL(as.end_session_endpoint);
  const back = `${window.location.origin}/${locale}/sign-in/`;
  // Cognito has a name of its own for the address to come back to.
  const parameters = { client_id: config.client_id, post_logout_redirect_uri: back, logout_uri: back, ...(idToken ? { id_token_hint: idToken } : {}) };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Whether tokens are for an API of the issuer's, so that the access token counts; else the ID token does. */
function wantsApi(config: SignInConfig): boolean {
  return Boolean(config.audience) && config.audience !== config.client_id;
}

function sessionOf(tokens: oauth.TokenEndpointResponse, config: SignInConfig, before: Session | null): Session {
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const token = wantsApi(config) ? tokens.access_token : tokens.id_token;
  if (!token) throw new Error("The issuer gave no new token.");
  // By how long it lasts, not by when it ends: the clock of this machine may be wrong.
  const lifetime = 1_000 * Math.max(0, wantsApi(config) ? (tokens.expires_in ?? 300) : claims ? claims.exp - claims.iat : 0);
  return {
    token,
    expires: Date.now() + lifetime,
    lifetime,
    refreshToken: tokens.refresh_token ?? before?.refreshToken ?? null,
    idToken: tokens.id_token ?? before?.idToken ?? null,
    person: claims ? personOf(claims) : (before?.person ?? { subject: "", name: "", email: "" }),
  };
}

function personOf(claims: oauth.IDToken): Session["person"] {
  const text = (name: string) => (typeof claims[name] === "string" ? (claims[name] as string) : "");
  return { subject: claims.sub, name: text("name") || text("preferred_username"), email: text("email") };
}
