/** Tries to take each of some names, as ids or as aliases, and says which it got. */
import { isRegistryError, openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, names, as, who } = JSON.parse(process.argv[2]!) as {
  location: string;
  names: string[];
  as: "id" | "alias";
  who: string;
};
await using registry = await openRegistry(location, { busyTimeoutMs: 20_000 });
await registry.models.count();
say("ready");
for await (const _ of process.stdin) break;
const got: string[] = [];
const errors: string[] = [];
for (const name of names) {
  const model = as === "id" ? { modelId: name, alias: null } : { modelId: `${who} of ${name}`, alias: name };
  try {
    await registry.models.create({ ...model, sourceType: "local" });
    got.push(name);
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "name_taken") errors.push(String(error));
  }
}
say("got", { got, errors });
process.stdin.destroy();
