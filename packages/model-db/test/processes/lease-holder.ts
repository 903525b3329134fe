/** Takes a lease, says its token and what it sees, and holds on to it until told to let go or killed. */
import { createInterface } from "node:readline";

import { openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, model, ttlMs } = JSON.parse(process.argv[2]!) as {
  location: string;
  model: string;
  ttlMs: number;
};
await using registry = await openRegistry(location, { actor: "holder" });
const run = await registry.runs.acquire(model, { holder: `process of ${model}`, pid: process.pid, ttlMs });
say("held", { token: run.token, startedAt: run.startedAt, remainingMs: run.expiresAt - Date.now() });

for await (const line of createInterface({ input: process.stdin })) {
  const answer = async (): Promise<unknown> => {
    if (line === "renew") return (await registry.runs.renew(run.token)).ttlMs;
    if (line === "release") return registry.runs.release(run.token).then(() => "released");
    if (line === "status") return (await registry.models.get(model)).status;
    return registry.models
      .update(model, { notes: line }, { leaseToken: run.token })
      .then(({ notes }) => notes);
  };
  say("answer", await answer().catch((error: { code?: string }) => error.code ?? "no code"));
}
