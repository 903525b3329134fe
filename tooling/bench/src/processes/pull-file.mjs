import { Hub, downloadFile, parseReference } from "@cortex/model-sources";

// Pulls one file with the package as it is built and installed, and says how long it took, from the look-up to its name, and the most memory that was used.
const [endpoint = "", repo = "", folder = ""] = process.argv.slice(2);
await using hub = new Hub({ endpoint, privateHosts: [new URL(endpoint).hostname] });
const start = performance.now();
const [file] = (await hub.resolve(parseReference(repo))).files;
await downloadFile({
  file,
  folder: { path: folder, isWritable: true },
  path: "m.gguf",
  http: hub.http,
});
const micros = (performance.now() - start) * 1000;
console.log(JSON.stringify({ micros, peakBytes: process.resourceUsage().maxRSS * 1024 }));
