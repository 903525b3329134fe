/** Makes changes in batches of random size, some of them undone, and says when it is done. */
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, name, changes, pauseMs } = JSON.parse(process.argv[2]!) as {
  location: string;
  name: string;
  changes: number;
  pauseMs: number;
};
await using registry = await openRegistry(location, { actor: name, busyTimeoutMs: 20_000 });
await registry.models.findByName(name);
say("ready");
for await (const _ of process.stdin) break;

let made = 0;
while (made < changes) {
  const batch = Math.min(changes - made, pauseMs === 0 ? 1 + Math.floor(Math.random() * 8) : 1);
  await registry.transaction(async ({ models }) => {
    for (let index = 0; index < batch; index++) {
      await models.create({ modelId: `${name}-${made + index}`, sourceType: "local", alias: null });
    }
  });
  made += batch;
  if (pauseMs > 0) await sleep(pauseMs);
  else if (Math.random() < 0.3) {
    const undone = registry.transaction(async ({ models }) => {
      await models.create({ modelId: `${name}-undone`, sourceType: "local", alias: null });
      throw new Error("undone");
    });
    await undone.catch(() => undefined);
  }
}
say("done", made);
process.stdin.destroy();
