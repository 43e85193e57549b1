// Who is signed in. On the laptop nobody has to be: there is no token then, and requests go without one.

/** Headers that say who asks. */
export async function authHeaders(): Promise<Record<string, string>> {
  return {};
}

/** Told that a request was answered by 401. */
export function signInEnded(): void {}
