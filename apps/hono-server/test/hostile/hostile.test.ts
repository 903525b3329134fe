import { readdirSync } from "node:fs";
import { dirname } from "node:path";

import { checkRegistry } from "@cortex/model-db";
import { expect } from "vitest";

import { ROUTES } from "../../src/routes/index.ts";
import { faultsOf } from "../answer-faults.ts";
import { test } from "../harness.ts";
import { sendRaw } from "../raw-request.ts";
import { toBytes, type Attack } from "./attack.ts";
import { bodies } from "./bodies.ts";
import { headers } from "./headers.ts";
import { hostsAndOrigins } from "./hosts-and-origins.ts";
import { paths } from "./paths.ts";
import { queries } from "./queries.ts";

const HANG_MS = 1000;

const ATTACKS: readonly Attack[] = [
  ...hostsAndOrigins,
  ...headers,
  ...paths(ROUTES),
  ...queries(ROUTES),
  ...bodies(ROUTES),
];

test(
  "a thousand hostile requests learn nothing, change nothing and hold nobody up",
  { timeout: 120_000 },
  async ({ service }) => {
    const { registry, port, url } = service;
    expect(ATTACKS.length).toBeGreaterThan(1000);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    // What a service does first it does slowly.
    for (const { method, path } of ROUTES) {
      const target = path.replaceAll(/\{\w+\}/g, "none");
      await sendRaw({ port, bytes: toBytes(method.toUpperCase(), target), timeoutMs: 10_000 });
    }
    const before = await registry.history.latestEventId();
    const files = readdirSync(dirname(registry.location));

    const faults: string[] = [];
    const slow: Attack[] = [];
    const left = [...ATTACKS];
    const attackers = Array.from({ length: 8 }, async () => {
      for (let attack = left.pop(); attack !== undefined; attack = left.pop()) {
        const outcome = await attempt(attack, port);
        faults.push(...outcome.faults);
        if (outcome.elapsedMs > HANG_MS) slow.push(attack);
      }
    });
    await Promise.all(attackers);
    // On a busy machine all are slow now and then; one that hangs hangs again.
    for (const attack of slow) {
      const { elapsedMs } = await attempt(attack, port);
      if (elapsedMs > HANG_MS) faults.push(`${attack.name}: it took ${Math.round(elapsedMs)} ms`);
    }

    expect(faults).toEqual([]);
    expect(await registry.history.latestEventId()).toBe(before);
    // What was made for a client that has left is gone a moment later.
    await expect
      .poll(() => readdirSync(dirname(registry.location)).filter((file) => !files.includes(file)))
      .toEqual([]);
    expect((await fetch(`${url}/v1/models/a`)).status).toBe(200);
    expect(await Array.fromAsync(checkRegistry(registry.location, { full: true }))).toEqual([]);
  },
);

async function attempt(
  { name, path, bytes, allows }: Attack,
  port: number,
): Promise<{ faults: string[]; elapsedMs: number }> {
  const start = performance.now();
  const faults: string[] = [];
  try {
    const answer = await sendRaw({ port, bytes, timeoutMs: 30_000 });
    if (answer.status !== 0 || !allows(0)) faults.push(...faultsOf(answer, path));
    if (!allows(answer.status)) {
      faults.push(`it is answered with ${answer.status} ${answer.body.slice(0, 200)}`);
    }
  } catch (error) {
    faults.push((error as Error).message);
  }
  return { faults: faults.map((fault) => `${name}: ${fault}`), elapsedMs: performance.now() - start };
}
