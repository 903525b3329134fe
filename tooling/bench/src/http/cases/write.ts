import { atLeast, type Case } from "../../case.ts";
import { aliasAt, sampleIndexes } from "../../dataset.ts";
import type { LoadRequest } from "../load.ts";
import { measureServers } from "../measure-servers.ts";
import { startOurs, startPeer } from "../servers/index.ts";

const SAMPLE = 1024;
const MANY = 32;
const OURS = "cortex-server";
const RAW = "Hono, prepared statements, a commit each";
const LIMIT = "node:http, prepared statements, a commit for those that wait";

/** One field of a model changed, durably: each answer after its commit. */
export const write: Case = {
  name: "write",
  async run({ fixture, effort }) {
    await using ours = await startOurs(fixture.copy("own"));
    await using raw = await startPeer("honoWriter", fixture.copy("raw"));
    await using limit = await startPeer("nodeWriter", fixture.copy("limit"));
    const paths = sampleIndexes(fixture.size, SAMPLE).map((index) => `/v1/models/${aliasAt(index)}`);
    const next = (index: number): LoadRequest => ({
      method: "PATCH",
      path: paths[index % SAMPLE]!,
      headers: { "content-type": "application/json" },
      // Another one each time, so that it is a change.
      body: JSON.stringify({ context_length: index + 1 }),
    });
    const lanes = [1, MANY].flatMap((connections) => [
      { name: at(OURS, connections), server: ours, next, connections },
      { name: at(RAW, connections), server: raw, next, connections },
      { name: at(LIMIT, connections), server: limit, next, connections },
    ]);
    const { measurement, latencies } = await measureServers(lanes, "wall", effort.writes);
    const faster = (connections: number): number =>
      measurement.ratio(at(RAW, connections), at(OURS, connections));
    return {
      tables: [{ title: "a durable change, by the clock", reference: at(RAW, 1), measurement, latencies }],
      goals: [
        atLeast(`${MANY} writers: faster than a commit each`, faster(MANY), 4),
        atLeast("one writer: faster than a commit each", faster(1), 0.85),
      ],
    };
  },
};

function at(name: string, connections: number): string {
  return `${name}, ${connections} at once`;
}
