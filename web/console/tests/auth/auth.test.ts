import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Session } from "@/lib/session";

const CONFIG = { issuer: "https://issuer.example.com", client_id: "console" };
const API = "https://console.example.com/api/v1/agents";
const MINUTE = 60_000;

class Refusal extends Error {}

const oidc = vi.hoisted(() => ({ renewed: vi.fn<(session: Session) => Promise<Session>>(), isRefusal: (error: unknown) => (error as Error).message === "invalid_grant" }));
vi.mock("@/lib/oidc", () => oidc);

function sessionOf(token: string, left: number, refreshToken: string | null = "refresh"): Session {
  return { token, expires: Date.now() + left, lifetime: 60 * MINUTE, refreshToken, idToken: token, person: { subject: "ann", name: "Ann", email: "" } };
}

/** What an API that knows these tokens was asked for. */
function serve(...good: string[]) {
  const asked: string[] = [];
  const answer = vi.fn(async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    if (request.url.endsWith("/config.json")) return Response.json(CONFIG);
    const token = request.headers.get("Authorization")?.replace("Bearer ", "") ?? "none";
    asked.push(`${token} ${await request.text()}`.trim());
    return good.includes(token) ? Response.json({ ok: true }) : Response.json({ code: "unauthenticated" }, { status: 401 });
  });
  vi.stubGlobal("fetch", answer);
  return asked;
}

/** The modules as a new tab has them: each test begins with none of the state of another. */
async function tab(signedIn: Session | null) {
  vi.resetModules();
  if (signedIn) sessionStorage.setItem("console.session", JSON.stringify(signedIn));
  else sessionStorage.removeItem("console.session");
  vi.doMock("@/lib/sign-in-config", () => ({ signInConfig: async () => CONFIG }));
  const session = await import("@/lib/session");
  const auth = await import("@/lib/auth");
  await session.standing();
  return { ...session, ...auth };
}

beforeEach(() => {
  oidc.renewed.mockReset();
  sessionStorage.clear();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock("@/lib/sign-in-config");
});

describe("a request of somebody who is signed in", () => {
  it("carries the token", async () => {
    const asked = serve("first");
    const { signedInFetch } = await tab(sessionOf("first", 30 * MINUTE));
    expect((await signedInFetch(API)).status).toBe(200);
    expect(asked).toEqual(["first"]);
    expect(oidc.renewed).not.toHaveBeenCalled();
  });

  it("renews a token that is nearly over, once for all that ask at once", async () => {
    const asked = serve("second");
    oidc.renewed.mockImplementation(async () => sessionOf("second", 60 * MINUTE));
    const { signedInFetch, currentSession } = await tab(sessionOf("first", MINUTE / 2));
    await Promise.all([signedInFetch(API), signedInFetch(API), signedInFetch(API)]);
    expect(asked).toEqual(["second", "second", "second"]);
    expect(oidc.renewed).toHaveBeenCalledTimes(1);
    expect(currentSession()?.token).toBe("second");
  });

  it("is sent again, body and all, after a refusal of a token that looked good", async () => {
    const asked = serve("second");
    oidc.renewed.mockImplementation(async () => sessionOf("second", 60 * MINUTE));
    const { signedInFetch } = await tab(sessionOf("first", 30 * MINUTE));
    const answer = await signedInFetch(API, { method: "POST", body: "typed" });
    expect(answer.status).toBe(200);
    expect(asked).toEqual(["first typed", "second typed"]);
  });

  it("knows the refusal of an authorizer from that of a permission", async () => {
    const said = [{ message: "Forbidden" }, { code: "forbidden", detail: "Missing." }];
    vi.stubGlobal("fetch", vi.fn(async () => Response.json(said.shift(), { status: 403 })));
    oidc.renewed.mockImplementation(async () => sessionOf("second", 60 * MINUTE));
    const { signedInFetch, currentSession } = await tab(sessionOf("first", 30 * MINUTE));
    const answer = await signedInFetch(API);
    expect(await answer.json()).toEqual({ code: "forbidden", detail: "Missing." });
    expect(currentSession()?.token).toBe("second");
  });

  it("is sent with what the issuer gave where clocks disagree", async () => {
    const asked = serve("second");
    oidc.renewed.mockImplementation(async () => sessionOf("second", -MINUTE));
    const { signedInFetch } = await tab(sessionOf("first", -MINUTE));
    expect((await signedInFetch(API)).status).toBe(200);
    expect(asked).toEqual(["second"]);
  });

  it("waits where the issuer refuses, and goes on once somebody has signed in again", async () => {
    const asked = serve("later");
    oidc.renewed.mockImplementation(async () => Promise.reject(new Refusal("invalid_grant")));
    const { signedInFetch, setSession, currentSession, standing } = await tab(sessionOf("first", 30 * MINUTE));
    const answer = signedInFetch(API, { method: "POST", body: "typed" });
    await vi.waitFor(async () => expect(await standing()).toBe("ended"), 10_000);
    expect(currentSession()).toBeNull();
    setSession(sessionOf("later", 60 * MINUTE));
    expect((await answer).status).toBe(200);
    expect(asked).toEqual(["first typed", "later typed"]);
  });

  it("ends a session that has nothing to renew it with, but not one that came meanwhile", async () => {
    serve("later");
    const { signedInFetch, setSession, standing } = await tab(sessionOf("first", 30 * MINUTE, null));
    const answer = signedInFetch(API);
    await vi.waitFor(async () => expect(await standing()).toBe("ended"));
    setSession(sessionOf("later", 60 * MINUTE, null));
    expect((await answer).status).toBe(200);
    expect(await standing()).toBe("in");
  });

  it("does with the old token while the issuer is out of reach, and fails when that is over", async () => {
    const asked = serve("first");
    oidc.renewed.mockImplementation(async () => Promise.reject(new TypeError("Failed to fetch")));
    const young = await tab(sessionOf("first", MINUTE / 2));
    expect((await young.signedInFetch(API)).status).toBe(200);
    const old = await tab(sessionOf("first", -MINUTE));
    await expect(old.signedInFetch(API)).rejects.toBeInstanceOf(TypeError);
    expect(await old.standing()).toBe("in");
    expect(asked).toEqual(["first"]);
  });
});

describe("two tabs with the same session", () => {
  /** Two tabs of one browser: modules of their own, one lock for both. */
  async function twins(left: number) {
    let before: Promise<unknown> = Promise.resolve();
    let held = 0;
    const locks = {
      request: async (_name: string, options: unknown, given?: (lock: unknown) => Promise<unknown>) => {
        const work = given ?? (options as (lock: unknown) => Promise<unknown>);
        if (given && held) return work(null);
        held += 1;
        const mine = before.then(() => work({}));
        before = mine.catch(() => undefined).finally(() => (held -= 1));
        return mine;
      },
    };
    vi.stubGlobal("navigator", { locks });
    const one = await tab(sessionOf("first", left));
    const two = await tab(sessionOf("first", left));
    const stops = [one.followTabs(), two.followTabs()];
    return { one, two, stop: () => stops.forEach((end) => end()) };
  }

  it("renew it once, and both have what came of it", async () => {
    const asked = serve("second");
    // An issuer that takes each refresh token once.
    oidc.renewed.mockImplementationOnce(async () => ({ ...sessionOf("second", 60 * MINUTE), refreshToken: "next" }));
    oidc.renewed.mockImplementation(async () => Promise.reject(new Refusal("invalid_grant")));
    const { one, two, stop } = await twins(MINUTE / 2);
    const answers = await Promise.all([one.signedInFetch(API), two.signedInFetch(API)]);
    stop();
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(asked).toEqual(["second", "second"]);
    expect([one.currentSession()?.refreshToken, two.currentSession()?.refreshToken]).toEqual(["next", "next"]);
    expect(oidc.renewed).toHaveBeenCalledTimes(1);
  });

  it("end together when their person signs out in another", async () => {
    serve("first");
    const { one, two, stop } = await twins(30 * MINUTE);
    one.signedOut("somebody else");
    one.signedOut("ann");
    await vi.waitFor(async () => expect(await two.standing()).toBe("ended"));
    stop();
  });
});

describe("where nobody has to sign in", () => {
  it("requests go without a token and answers are taken as they are", async () => {
    vi.resetModules();
    vi.doMock("@/lib/sign-in-config", () => ({ signInConfig: async () => null }));
    const asked = serve();
    const { signedInFetch } = await import("@/lib/auth");
    expect((await signedInFetch(API)).status).toBe(401);
    expect(asked).toEqual(["none"]);
  });
});
