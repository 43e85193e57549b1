import { beforeEach, describe, expect, it } from "vitest";

import { Drafts } from "@/components/playground/model/drafts";
import { agentKey, forgetTyped } from "@/lib/typed";

describe("drafts", () => {
  beforeEach(() => localStorage.clear());

  it("are kept by agent and conversation", () => {
    new Drafts("agt_1").write("cnv_1", "half a thought");
    expect(new Drafts("agt_1").read("cnv_1")).toBe("half a thought");
    expect([new Drafts("agt_2").read("cnv_1"), new Drafts("agt_1").read(null)]).toEqual(["", ""]);
  });

  it("leave nothing behind when they are sent", () => {
    const drafts = new Drafts("agt_1");
    drafts.write(null, "text");
    drafts.write(null, "");
    expect(localStorage.length).toBe(0);
  });

  it("go with a conversation that has its id now", () => {
    const drafts = new Drafts("agt_1");
    drafts.write(null, "typed meanwhile");
    drafts.move(null, "cnv_1");
    expect([drafts.read(null), drafts.read("cnv_1")]).toEqual(["", "typed meanwhile"]);
  });

  it("go with whoever signs out, and with nobody else", () => {
    const kept = ["melton.draft.ann.agt_1.cnv_1", "melton.draft.ann.b.agt_1.new", "theme"];
    for (const key of kept) localStorage.setItem(key, "text");
    new Drafts("agt_1").write(null, "text");
    sessionStorage.setItem(agentKey("agt_1"), "{}");
    forgetTyped();
    expect(Object.keys(localStorage).sort()).toEqual(kept.sort());
    expect(sessionStorage.getItem(agentKey("agt_1"))).toBeNull();
  });

  it("do no harm where nothing can be kept", () => {
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new DOMException("full", "QuotaExceededError");
      },
      removeItem: () => undefined,
    };
    const drafts = new Drafts("agt_1", full);
    drafts.write("cnv_1", "text");
    expect(drafts.read("cnv_1")).toBe("");
    expect(new Drafts("agt_1", null).read(null)).toBe("");
  });
});
