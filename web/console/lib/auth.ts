// Who asks. On the laptop nobody has to sign in: there is no token then, and requests go without one.

import { currentSession, endSession, mine, setSession, share, standing, successor, untilSignedIn, type Session } from "./session";

/** A token is renewed when it has less than this left, or less than a third of its life. */
const EARLY = 60_000;
/** How long to wait for what another tab was given, where that tab renewed the same session. */
const PATIENCE = 1_500;
const LOCK = "console.renewal";

let renewing: Promise<void> | null = null;

function isDue(session: Session): boolean {
  const left = session.expires - Date.now();
  return left < Math.min(EARLY, (session.lifetime ?? Infinity) / 3);
}

/**
 * Calls `work` in one tab at a time; it is told whether another one was at it before. A tab that was duplicated has the
 * same refresh token, and many issuers take each of them once only.
 */
async function alone(work: (waited: boolean) => Promise<void>): Promise<void> {
  const { locks } = navigator as Partial<Navigator>;
  if (!locks) return work(false);
  const done = await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await work(false);
    return lock !== null;
  });
  if (!done) await locks.request(LOCK, () => work(true));
}

async function renew(session: Session): Promise<void> {
  await alone(async (waited) => {
    if (waited) await successor(session, PATIENCE);
    if (!mine(session)) return;
    try {
      const { renewed } = await import("./oidc");
      const next = await renewed(session);
      // Somebody may have signed out, or in again, meanwhile.
      if (mine(session)) setSession(next);
      share(session, next);
    } catch (error) {
      const { isRefusal } = await import("./oidc");
      if (!isRefusal(error)) throw new TypeError("The issuer cannot be reached.", { cause: error });
      await successor(session, PATIENCE);
      if (mine(session)) endSession();
    }
  });
}

function renewOnce(session: Session): Promise<void> {
  return (renewing ??= renew(session).finally(() => (renewing = null)));
}

/**
 * A token that is good for a while; null where nobody has to sign in. Where a session has ended it waits until somebody
 * has signed in again, so that what was under way goes on; before the first signing in it waits as well, and the page
 * leads there. Throws a TypeError, as `fetch` does, where the issuer does not answer and the token is over.
 */
async function goodToken(): Promise<string | null> {
  if ((await standing()) === "free") return null;
  for (let fresh = false; ; ) {
    const session = currentSession();
    const left = session ? session.expires - Date.now() : 0;
    if (!session) {
      await untilSignedIn();
    } else if (fresh || !isDue(session)) {
      return session.token;
    } else if (session.refreshToken) {
      try {
        await renewOnce(session);
        fresh = true;
      } catch (error) {
        // Without the issuer the token may still do.
        if (left <= 0) throw error;
        return session.token;
      }
    } else if (left > 0) {
      return session.token;
    } else {
      endSession();
    }
  }
}

/** A token was refused although it should be good. Once per request it is renewed; then a person has to sign in. */
async function refused(token: string, renewable: boolean): Promise<void> {
  const session = currentSession();
  if (!session || session.token !== token) return;
  if (renewable && session.refreshToken) await renewOnce(session);
  else endSession();
}

/**
 * Whether an answer says that the token is no good. API Gateway answers 401 where there is none, and 403 where its
 * authorizer refuses it; then it has a `message` of its own, which the API's answers to what somebody may not do have not.
 */
async function refusesToken(answer: Response): Promise<boolean> {
  if (answer.status !== 403) return answer.status === 401;
  const body = (await answer.clone().json().catch(() => null)) as { message?: unknown } | null;
  return body?.message === "Forbidden";
}

/**
 * `fetch` with the token of whoever is signed in. What is refused for want of one is sent again once there is another:
 * nothing was done with it.
 */
export async function signedInFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  for (let attempt = 0; ; attempt += 1) {
    const token = await goodToken();
    request.signal.throwIfAborted();
    const sent = request.clone();
    if (token !== null) sent.headers.set("Authorization", `Bearer ${token}`);
    const answer = await fetch(sent);
    if (token === null || !(await refusesToken(answer))) return answer;
    await refused(token, attempt === 0);
  }
}
