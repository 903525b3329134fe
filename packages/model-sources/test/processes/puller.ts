/** Does the work of a transfer until it has ended or is killed, and says how far it is and how it ended. */
import { openRegistry } from "@cortex/model-db";

import { followTransfer, Hub } from "../../src/index.ts";

const { location, endpoint, transferId } = JSON.parse(process.argv[2]!) as {
  location: string;
  endpoint: string;
  transferId: number;
};
await using registry = await openRegistry(location, { actor: "puller" });
await using hub = new Hub({
  endpoint,
  privateHosts: ["127.0.0.1"],
  retries: { count: 2, firstDelayMs: 10 },
});
const ended = await followTransfer(registry, transferId, {
  hub,
  onProgress: ({ doneBytes }) => console.log(JSON.stringify({ doneBytes })),
});
console.log(JSON.stringify({ state: ended.state, errorCode: ended.errorCode }));
