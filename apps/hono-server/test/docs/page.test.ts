import { expect } from "vitest";

import { docsPage } from "../../src/docs/page.ts";
import { test } from "../harness.ts";
import { BrowserPage, findChromium } from "./chromium.ts";

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

test("the page has every route and every schema, and each link in it leads somewhere", async ({
  service,
}) => {
  const page = await (await fetch(`${service.url}/docs`)).text();
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Document;
  const ids = new Set(Array.from(page.matchAll(/ id="([^"]+)"/g), ([, id]) => id));
  for (const methods of Object.values(document.paths)) {
    for (const { operationId } of Object.values(methods)) expect(ids).toContain(operationId);
  }
  for (const name of Object.keys(document.components.schemas)) expect(ids).toContain(`schema-${name}`);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
});

test("what a description says is text, whatever it looks like", () => {
  const evil = `<script>alert(1)</script>"'&`;
  const page = docsPage({
    info: { title: evil, version: "1", description: evil },
    tags: [{ name: evil, description: evil }],
    paths: { [`/${evil}`]: { get: { operationId: evil, summary: evil, tags: [evil], responses: {} } } },
    components: { schemas: { [evil]: { type: "string", description: evil, enum: [evil] } } },
  });
  expect(page).not.toContain("<script");
  expect(page).toContain("&lt;script&gt;");
});

test("a browser shows it as it is meant, at any width, and asks for nothing else", async ({
  service,
  skip,
}) => {
  const program = findChromium();
  if (program === undefined) {
    skip("there is no Chromium on this machine to look at the page with");
    return;
  }
  await using page = await BrowserPage.open(program, `${service.url}/docs`);
  expect(await page.evaluate("document.title")).toBe("Cortex model registry: HTTP routes");
  await page.resize(1300);
  expect(await page.evaluate("getComputedStyle(document.querySelector('nav')).position")).toBe("sticky");
  for (const width of [1300, 800, 360]) {
    await page.resize(width);
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect(await page.evaluate(overflow), `at ${width} pixels`).toBe(0);
  }
  expect(page.requested.filter((url) => !url.endsWith("/favicon.ico"))).toEqual([`${service.url}/docs`]);
  expect(page.complaints.filter((text) => !text.includes("favicon") && !text.includes("404"))).toEqual([]);
});
