import { startTestHub } from "@cortex/test-hub";

// A hub with a large file, which is made as it is sent, and one of a tenth of its size.
const sizeBytes = Number(process.argv[2]);
const hub = await startTestHub();
hub.commit("bench/large", { "m.gguf": { sizeBytes } });
hub.commit("bench/small", { "m.gguf": { sizeBytes: sizeBytes / 10 } });
console.log(hub.endpoint);
