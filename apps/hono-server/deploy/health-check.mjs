// Asks the server of this container, on the port CORTEX_PORT, whether it is ready: exit code 0 says so.
import { get as getOverHttp } from "node:http";
import { get as getOverHttps } from "node:https";

// Whether it speaks HTTPS can be said in more places than the environment. Its certificate names no address of
// loopback, where nobody can listen in.
const isReady = (await answers(getOverHttp)) || (await answers(getOverHttps));
process.exit(isReady ? 0 : 1);

/** Whether the server's answer is that it is ready. */
async function answers(get) {
  const at = { host: "127.0.0.1", port: process.env.CORTEX_PORT, path: "/readyz", rejectUnauthorized: false };
  return await new Promise((resolve) => {
    get(at, ({ statusCode }) => resolve(statusCode === 200)).on("error", () => resolve(false));
  });
}
