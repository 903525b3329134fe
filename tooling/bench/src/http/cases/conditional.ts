import { atLeast, atMost, type Case } from "../../case.ts";
import { aliasAt, sampleIndexes } from "../../dataset.ts";
import type { LoadRequest } from "../load.ts";
import { measureServers } from "../measure-servers.ts";
import type { ServerProcess } from "../server-process.ts";
import { startOurs, startPeer } from "../servers/index.ts";

const SAMPLE = 512;
const BARE = "node:http, a bare answer";
const ONE = "cortex-server, one model";
const PAGE = "cortex-server, a page of 50";
const HASHED = "Hono etag(), a page of 50";

/** Reads by somebody who knows the answer already: 304. */
export const conditional: Case = {
  name: "conditional",
  async run({ fixture, effort }) {
    await using bare = await startPeer("bare", fixture.path);
    await using ours = await startOurs(fixture.copy("own"));
    await using honoJson = await startPeer("honoJson", fixture.path);
    const known: LoadRequest[] = [];
    for (const index of sampleIndexes(fixture.size, SAMPLE)) {
      known.push(await conditionalOn(ours, `/v1/models/${aliasAt(index)}`));
    }
    const page = await conditionalOn(ours, "/v1/models?limit=50");
    const hashed = await conditionalOn(honoJson, "/tagged/v1/models");
    const { measurement, latencies } = await measureServers(
      [
        { name: BARE, server: bare, next: () => ({ path: "/" }) },
        { name: ONE, server: ours, next: (index) => known[index % SAMPLE]!, status: 304 },
        { name: PAGE, server: ours, next: () => page, status: 304 },
        { name: HASHED, server: honoJson, next: () => hashed, status: 304 },
      ],
      "cpu",
      effort.reads,
    );
    return {
      tables: [{ title: "304, processor time of the server", reference: BARE, measurement, latencies }],
      goals: [
        atMost("304, one model: against a bare answer", measurement.ratio(ONE, BARE), 1.8),
        atMost("304, a page: against a bare answer", measurement.ratio(PAGE, BARE), 1.8),
        atLeast("304, a page: faster than etag()", measurement.ratio(HASHED, PAGE), 12),
      ],
    };
  },
};

async function conditionalOn({ port }: ServerProcess, path: string): Promise<LoadRequest> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  await answer.arrayBuffer();
  const etag = answer.headers.get("etag");
  if (etag === null) throw new Error(`${path} has no ETag.`);
  return { path, headers: { "if-none-match": etag } };
}
