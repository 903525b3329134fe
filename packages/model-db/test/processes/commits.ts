/** Makes a number of commits, one after the other or several at a time, and says when it begins and ends. */
import { openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, rounds, atOnce } = JSON.parse(process.argv[2]!) as {
  location: string;
  rounds: number;
  atOnce: number;
};
await using registry = await openRegistry(location);
say("begin");
for (let round = 0; round < rounds; round++) {
  const ids = Array.from({ length: atOnce }, (_, index) => `${round}.${index}`);
  await Promise.all(
    ids.map((modelId) => registry.models.create({ modelId, sourceType: "local", alias: null })),
  );
  say("committed", round);
}
say("end");
