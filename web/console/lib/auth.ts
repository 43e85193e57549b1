// Who asks. On the laptop nobody has to sign in: there is no token then, and requests go without one.

import { currentSession, endSession, setSession, standing, untilSignedIn, type Session } from "./session";

/** A token is renewed when it has less than this left. */
const EARLY = 60_000;
let renewing: Promise<void> | null = null;

async function renew(session: Session): Promise<void> {
  try {
    const { renewed } = await import("./oidc");
    setSession(await renewed(session));
  } catch (error) {
    // Without a connection the token may still do; the request itself will tell.
    if (!(error instanceof TypeError)) endSession();
  }
}

/**
 * Headers that say who asks. Where a session has ended it waits until somebody has signed in again, so that what was
 * under way goes on; before the first signing in it waits as well, and the page leads there.
 */
export async function authHeaders(): Promise<Record<string, string>> {
  if ((await standing()) === "free") return {};
  for (;;) {
    const session = currentSession();
    if (!session) {
      await untilSignedIn();
    } else if (session.expires - Date.now() > EARLY) {
      return { Authorization: `Bearer ${session.token}` };
    } else if (session.refreshToken) {
      renewing ??= renew(session).finally(() => (renewing = null));
      await renewing;
      const after = currentSession();
      if (after && after.expires > Date.now()) return { Authorization: `Bearer ${after.token}` };
      if (after) endSession();
    } else if (session.expires > Date.now()) {
      return { Authorization: `Bearer ${session.token}` };
    } else {
      endSession();
    }
  }
}

/** Told that a request was answered by 401. */
export function signInEnded(): void {
  endSession();
}
