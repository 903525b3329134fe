import type { RequestContext } from "../env.ts";
import { AskedOfContext } from "./asked-of-context.ts";

/**
 * For answers that take their time: whether who asked is still who they were when this was called, with the
 * same rights.
 */
export function sameIdentity(c: RequestContext): () => Promise<boolean> {
  const { authentication } = c.get("service");
  const { path } = c.req;
  const request = new AskedOfContext(c);
  // The answer has begun by then: there is nothing to say in its headers.
  const asked = { header: (name: string) => request.header(name), say: () => undefined };
  const identify = async (): Promise<string | undefined> => {
    try {
      return JSON.stringify(await authentication.identify(asked, path));
    } catch {
      return undefined;
    }
  };
  const before = identify();
  return async () => {
    const [then, now] = [await before, await identify()];
    return now !== undefined && now === then;
  };
}
