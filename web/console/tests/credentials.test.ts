import { describe, expect, it } from "vitest";

import { bodyOf, draftOf } from "@/components/credentials/lib/draft";

describe("where a credential may be sent", () => {
  it("is a host, also where an address was pasted", () => {
    const hosts = "https://API.example.com:8443/path?x=1 *.Example.org\nhttp://localhost";
    expect(bodyOf({ ...draftOf(), kind: "bearer", hosts }).allowed_hosts).toEqual(["api.example.com", "*.example.org", "localhost"]);
  });

  it("stays as it is where it is neither", () => {
    expect(bodyOf({ ...draftOf(), kind: "bearer", hosts: "https://" }).allowed_hosts).toEqual(["https://"]);
  });
});
