/** Opens a registry when told to, makes one change, and says which schema it found itself with. */
import { openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, id } = JSON.parse(process.argv[2]!) as { location: string; id: string };
say("ready");
for await (const _ of process.stdin) break;
try {
  await using registry = await openRegistry(location, { busyTimeoutMs: 20_000 });
  await registry.models.create({ modelId: id, sourceType: "local", alias: null });
  say("opened", (await registry.schema()).version);
} catch (error) {
  say("opened", String(error));
}
process.stdin.destroy();
