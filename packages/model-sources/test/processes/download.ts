import { downloadFile } from "../../src/download/download-file.ts";
import { HttpClient } from "../../src/hub/http-client.ts";
import type { RemoteFile } from "../../src/hub/remote-model.ts";

// Downloads one file, and says how far it is, until it is killed or done.
const [text = "", folder = "", retries = "5"] = process.argv.slice(2);
const file = JSON.parse(text) as RemoteFile;
await using http = new HttpClient({
  tokenUrl: file.url,
  privateHosts: ["127.0.0.1"],
  retries: { count: Number(retries), firstDelayMs: 10 },
});
await downloadFile({
  file,
  folder: { path: folder, isWritable: true },
  path: file.path,
  http,
  onProgress: ({ receivedBytes }) => console.log(receivedBytes),
});
