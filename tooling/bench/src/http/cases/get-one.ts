import { atMost, type Case } from "../../case.ts";
import { aliasAt, sampleIndexes } from "../../dataset.ts";
import { measureServers } from "../measure-servers.ts";
import { startOurs, startPeer } from "../servers/index.ts";

const SAMPLE = 4096;
const BARE = "node:http, a bare answer";
const OURS = "cortex-server";
const FASTIFY = "Fastify with a response schema, prepared statements";
const JSON_OF_ROWS = "Hono c.json, prepared statements";
const KYSELY = "Hono c.json, stock Kysely";

/** One model by its name. */
export const getOne: Case = {
  name: "get-one",
  async run({ fixture, effort }) {
    await using bare = await startPeer("bare", fixture.path);
    await using ours = await startOurs(fixture.copy("own"));
    await using fastify = await startPeer("fastify", fixture.path);
    await using honoJson = await startPeer("honoJson", fixture.path);
    await using honoKysely = await startPeer("honoKysely", fixture.path);
    const paths = sampleIndexes(fixture.size, SAMPLE).map((index) => `/v1/models/${aliasAt(index)}`);
    const next = (index: number): { path: string } => ({ path: paths[index % SAMPLE]! });
    const { measurement, latencies } = await measureServers(
      [
        { name: BARE, server: bare, next },
        { name: OURS, server: ours, next },
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
      ],
    };
  },
};
