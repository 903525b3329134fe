import { HttpError } from "../errors.ts";
import type { Asked } from "./asked.ts";

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const MAX_AGE_SECONDS = "600";

/**
 * Keeps pages of other sites out: a browser says in `Origin` and `Sec-Fetch-Site` whose page asks. Without
 * either it is no page. Only origins that are listed, letter by letter, get in, and learn what they get by
 * CORS.
 */
export class OriginCheck {
  readonly #allowed: ReadonlySet<string>;

  /** @param allowed origins such as `https://dashboard.example`. */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = new Set(allowed);
  }

  /**
   * Says what the browser has to know of an origin that is let in.
   *
   * @throws HttpError `forbidden_origin`.
   */
  check(asked: Asked): void {
    const origin = asked.header("origin");
    if (this.#allowed.size > 0) asked.say("vary", "origin");
    if (origin === undefined) {
      // Images, scripts and the like carry no origin; a link that is followed is no harm.
      const site = asked.header("sec-fetch-site");
      if (site !== "cross-site" || asked.header("sec-fetch-mode") === "navigate") return;
      throw forbiddenOrigin();
    }
    if (this.#allowed.has(origin)) {
      asked.say("access-control-allow-origin", origin);
      asked.say("access-control-expose-headers", "*");
      return;
    }
    if (origin !== `http://${asked.host}` && origin !== `https://${asked.host}`) throw forbiddenOrigin();
  }

  /** Whether a browser asks whether it may send a request, and says what it may. */
  isPreflight(asked: Asked): boolean {
    if (asked.method !== "OPTIONS" || asked.header("access-control-request-method") === undefined) {
      return false;
    }
    asked.say("access-control-allow-methods", METHODS);
    // Clients such as OpenAI's send headers of their own, and whoever is let in may.
    const wanted = asked.header("access-control-request-headers");
    if (wanted !== undefined) asked.say("access-control-allow-headers", wanted);
    asked.say("access-control-max-age", MAX_AGE_SECONDS);
    return true;
  }
}

function forbiddenOrigin(): HttpError {
  return new HttpError(
    "forbidden_origin",
    "A page of another site may not ask this service. Its operator can allow the page's origin.",
  );
}
