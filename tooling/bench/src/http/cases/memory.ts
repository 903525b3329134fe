import { atMost, type Case, type Fact } from "../../case.ts";
import { aliasAt } from "../../dataset.ts";
import { sendLoad, type LoadRequest } from "../load.ts";
import { startOurs } from "../servers/index.ts";

const REQUESTS = 1_000_000;
const PARTS = 10;

/** What a million requests leave in memory. */
export const memory: Case = {
  name: "memory",
  async run({ fixture }) {
    await using ours = await startOurs(fixture.copy("own"));
    const requests: ((index: number) => LoadRequest)[] = [
      (index) => ({ path: `/v1/models/${aliasAt(index % fixture.size)}` }),
      (index) => ({ path: `/v1/models/${aliasAt((index * 7) % fixture.size)}` }),
      () => ({ path: "/v1/models?limit=50" }),
      (index) => ({ path: `/v1/models/${aliasAt(index % 100)}`, headers: { "if-none-match": '"0"' } }),
    ];
    const heaps: number[] = [];
    const facts: Fact[] = [];
    for (let part = 0; part < PARTS; part++) {
      const first = (part * REQUESTS) / PARTS;
      await sendLoad({
        port: ours.port,
        connections: 32,
        amount: REQUESTS / PARTS,
        next: (index) => requests[index % requests.length]!(first + index),
        status: 200,
      });
      const { heapBytes, residentBytes } = await ours.usageWithoutGarbage();
      heaps.push(heapBytes);
      const after = `after ${(first + REQUESTS / PARTS).toLocaleString("en")} requests`;
      facts.push({ title: `heap ${after}`, value: heapBytes / 1e6, unit: "MB" });
      facts.push({ title: `resident ${after}`, value: residentBytes / 1e6, unit: "MB" });
    }
    return {
      facts,
      goals: [atMost("a million requests: heap at the end, of a tenth in", heaps.at(-1)! / heaps[0]!, 1.1)],
    };
  },
};
