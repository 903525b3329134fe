import { openRegistry } from "@cortex/model-db";

import { atMost, type Case } from "../../case.ts";
import { aliasAt, sampleIndexes } from "../../dataset.ts";
import { measureServers } from "../measure-servers.ts";
import { startOurs, startPeer } from "../servers/index.ts";

const SAMPLE = 4096;
const BARE = "node:http, a bare answer";
const OURS = "cortex-server";
const WITH_TOKEN = "cortex-server, with a token";
const FASTIFY = "Fastify with a response schema, prepared statements";
const JSON_OF_ROWS = "Hono c.json, prepared statements";
const KYSELY = "Hono c.json, stock Kysely";

/** One model by its name. */
export const getOne: Case = {
  name: "get-one",
  async run({ fixture, effort }) {
    await using bare = await startPeer("bare", fixture.path);
    await using ours = await startOurs(fixture.copy("own"));
    const guarded = fixture.copy("guarded");
    const headers = { authorization: `Bearer ${await createToken(guarded)}` };
    await using withToken = await startOurs(guarded);
    await using fastify = await startPeer("fastify", fixture.path);
    await using honoJson = await startPeer("honoJson", fixture.path);
    await using honoKysely = await startPeer("honoKysely", fixture.path);
    const paths = sampleIndexes(fixture.size, SAMPLE).map((index) => `/v1/models/${aliasAt(index)}`);
    const next = (index: number): { path: string } => ({ path: paths[index % SAMPLE]! });
    const { measurement, latencies } = await measureServers(
      [
        { name: BARE, server: bare, next },
        { name: OURS, server: ours, next },
        { name: WITH_TOKEN, server: withToken, next: (index) => ({ ...next(index), headers }) },
        { name: FASTIFY, server: fastify, next },
        { name: JSON_OF_ROWS, server: honoJson, next },
        { name: KYSELY, server: honoKysely, next },
      ],
      "cpu",
      effort.reads,
    );
    return {
      tables: [
        { title: "GET one model, processor time of the server", reference: BARE, measurement, latencies },
      ],
      goals: [
        atMost("GET one: against a bare answer", measurement.ratio(OURS, BARE), 3),
        atMost("GET one: against Fastify with a response schema", measurement.ratio(OURS, FASTIFY), 1),
        atMost("GET one, with a token: against without", measurement.ratio(WITH_TOKEN, OURS), 1.1),
      ],
    };
  },
};

async function createToken(path: string): Promise<string> {
  await using registry = await openRegistry(path, { mode: "write", actor: "bench" });
  await registry.access.users.create({ name: "bench", grants: [{ role: "reader" }] });
  const { token } = await registry.access.tokens.create("bench");
  return token;
}
