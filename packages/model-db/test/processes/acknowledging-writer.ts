/** Makes one change after the other, and says each when it was told that it had succeeded. */
import { openRegistry, type RegistryError } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, name } = JSON.parse(process.argv[2]!) as { location: string; name: string };
const registry = await openRegistry(location, { mode: "write", actor: name, busyTimeoutMs: 20_000 });
say("ready");
for (let change = 0; ; change++) {
  const modelId = `${name}-${change}`;
  try {
    await registry.models.create({ modelId, sourceType: "local", alias: null });
    say("made", modelId);
  } catch (error) {
    say("refused", (error as RegistryError).code);
    break;
  }
}
try {
  await registry.models.list();
  say("read", "as if nothing had happened");
} catch (error) {
  say("read", (error as RegistryError).code);
}
await registry.close();
