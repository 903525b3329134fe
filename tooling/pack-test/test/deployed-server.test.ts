import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { REPOSITORY, succeed } from "./installed-package.ts";
import { serve } from "./served.ts";

test("pnpm deploy gives a folder that serves wherever it is moved to", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "cortex-deploy-"));
  try {
    const folder = path.join(root, "built");
    const filter = ["--filter", "@cortex/hono-server"];
    await succeed(
      "pnpm",
      [...filter, "deploy", "--prod", "--legacy", "--prefer-offline", folder],
      REPOSITORY,
    );
    const moved = path.join(root, "moved");
    await rename(folder, moved);
    const served = await serve(["bin/cortex-server.mjs"], moved);
    expect(await (await fetch(`${served.url}/v1/models`)).json()).toMatchObject({ object: "list", data: [] });
    expect(await served.end()).toBe(0);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
