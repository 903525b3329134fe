/** Follows a registry into a backup folder until it is ended, and says what it has done. */
import { followBackup } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, folder, snapshotEveryMs } = JSON.parse(process.argv[2]!) as {
  location: string;
  folder: string;
  snapshotEveryMs?: number;
};
const controller = new AbortController();
process.once("SIGTERM", () => controller.abort());
await followBackup(location, folder, {
  signal: controller.signal,
  ...(snapshotEveryMs === undefined ? {} : { snapshotEveryMs }),
  onSnapshot: ({ eventId }) => say("snapshot", eventId),
  onLogged: (eventId) => say("logged", eventId),
});
say("ended");
