import { describe, expect } from "vitest";

import { test } from "../../harness.ts";

// What a browser asks for when somebody types an address.
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

describe("/", () => {
  test.for([undefined, "*/*", "application/json", "text/plain"])(
    "says the text by which clients of Ollama find a server, when asked for %s",
    async (accept, { service }) => {
      const answer = await fetch(`${service.url}/`, accept === undefined ? {} : { headers: { accept } });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("vary")).toBe("Accept");
      expect(await answer.text()).toBe("Ollama is running");
    },
  );

  test("leads a browser to the page of all routes", async ({ service }) => {
    const headers = { accept: BROWSER };
    const answer = await fetch(`${service.url}/`, { headers, redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "docs"]);
    expect(answer.headers.get("vary")).toBe("Accept");
    const page = await fetch(`${service.url}/`, { headers });
    expect(new URL(page.url).pathname).toBe("/docs");
    expect(await page.text()).toContain("/v1/models");
  });
});
