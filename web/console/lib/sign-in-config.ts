// What the server says about signing in: /config.json, an empty object where nobody has to.

export interface SignInConfig {
  readonly issuer: string;
  readonly client_id: string;
  /** What a token must be for, where it is not the client itself: an API of the issuer's. */
  readonly audience?: string;
  readonly scope?: string;
}

let asked: Promise<SignInConfig | null> | null = null;

async function ask(): Promise<SignInConfig | null> {
  const response = await fetch("/config.json", { cache: "no-store" });
  if (!response.ok) throw new TypeError(`config.json: ${response.status}`);
  const config = (await response.json()) as Partial<SignInConfig>;
  return config.issuer && config.client_id ? (config as SignInConfig) : null;
}

/** The answer, asked for once; a failure is asked for again. */
export function signInConfig(): Promise<SignInConfig | null> {
  asked ??= ask().catch((error: unknown) => {
    asked = null;
    throw error;
  });
  return asked;
}
