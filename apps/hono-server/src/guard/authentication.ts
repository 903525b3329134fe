import { isRegistryError, type Identity, type Registry, RegistryError } from "@cortex/model-db";

import { isForwarded } from "./address.ts";
import type { Asked } from "./asked.ts";
import type { GuardOptions } from "./guard.ts";
import { isPublic } from "./public-paths.ts";

/** Somebody without a token, for whom no model is there. */
const NOBODY: Identity = Object.freeze({ user: "", grants: [], scopes: [], tokenId: null });

const BEARER = /^Bearer +(\S+)$/i;

/** Finds out who asks, by the access token that a request brings along (RFC 6750). */
export class Authentication {
  readonly #access: Registry["access"];
  readonly #isTokenRequired: boolean;
  readonly #knowsProxies: boolean;

  constructor(
    { access }: Registry,
    { requireToken = false, trustProxy = [] }: Pick<GuardOptions, "requireToken" | "trustProxy"> = {},
  ) {
    this.#access = access;
    this.#isTokenRequired = requireToken;
    this.#knowsProxies = trustProxy.length > 0;
  }

  /**
   * @param asOf the registry's counter of changes since the request came in; it is looked for when left out.
   * @returns who it is; `null`, as long as there is no user, for anybody, who may then do everything. Whoever
   *   comes through a proxy that nobody told of is not anybody: it would let in others than were meant.
   * @throws RegistryError `unauthenticated`.
   */
  identify(
    asked: Pick<Asked, "header" | "say">,
    path: string,
    asOf?: number,
  ): Identity | Promise<Identity | null> {
    // What is the same for all is answered also while the registry cannot be read.
    if (isPublic(path)) return NOBODY;
    const header = asked.header("authorization");
    const token = header === undefined ? undefined : BEARER.exec(header)?.[1];
    const known = token === undefined ? undefined : this.#access.recognise(token, asOf);
    return known ?? this.#find(asked, token, asOf);
  }

  async #find(
    asked: Pick<Asked, "header" | "say">,
    token: string | undefined,
    asOf: number | undefined,
  ): Promise<Identity | null> {
    // Clients that must have a token bring one that they made up.
    if (this.#mayBeOpen(asked) && !(await this.#access.hasUsers(asOf))) return null;
    if (token === undefined) {
      asked.say("www-authenticate", `Bearer realm="cortex"`);
      throw new RegistryError(
        "unauthenticated",
        "This needs an access token, sent as `Authorization: Bearer <token>`. `cortex token create` makes one.",
      );
    }
    try {
      return await this.#access.authenticate(token, asOf);
    } catch (error) {
      if (isRegistryError(error) && error.code === "unauthenticated") {
        asked.say("www-authenticate", `Bearer realm="cortex", error="invalid_token"`);
      }
      throw error;
    }
  }

  #mayBeOpen(asked: Pick<Asked, "header">): boolean {
    return !this.#isTokenRequired && (this.#knowsProxies || !isForwarded(asked));
  }
}
