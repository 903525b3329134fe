import { isRegistryError, type Identity, type Registry, RegistryError } from "@cortex/model-db";

import type { Asked } from "./asked.ts";
import { isPublic } from "./public-paths.ts";

/** Somebody without a token, for whom no model is there. */
const NOBODY: Identity = Object.freeze({ user: "", grants: [], scopes: [], tokenId: null });

const BEARER = /^Bearer +(\S+)$/i;

/** Finds out who asks, by the access token that a request brings along (RFC 6750). */
export class Authentication {
  readonly #access: Registry["access"];
  readonly #isTokenRequired: boolean;

  /** @param isTokenRequired also while there is no user who could have one. */
  constructor({ access }: Registry, isTokenRequired: boolean) {
    this.#access = access;
    this.#isTokenRequired = isTokenRequired;
  }

  /**
   * @returns who it is; `null`, as long as there is no user, for anybody, who may then do everything.
   * @throws RegistryError `unauthenticated`.
   */
  async identify(asked: Pick<Asked, "header" | "say">, path: string): Promise<Identity | null> {
    // What is the same for all is answered also while the registry cannot be read.
    if (isPublic(path)) return NOBODY;
    const header = asked.header("authorization");
    const token = header === undefined ? undefined : BEARER.exec(header)?.[1];
    try {
      if (token !== undefined) return await this.#access.authenticate(token);
    } catch (error) {
      if (!isRegistryError(error) || error.code !== "unauthenticated") throw error;
      // Clients that must have a token bring one that they made up.
      if (await this.#isOpen()) return null;
      asked.say("www-authenticate", `Bearer realm="cortex", error="invalid_token"`);
      throw error;
    }
    if (await this.#isOpen()) return null;
    asked.say("www-authenticate", `Bearer realm="cortex"`);
    throw new RegistryError(
      "unauthenticated",
      "This needs an access token, sent as `Authorization: Bearer <token>`. `cortex token create` makes one.",
    );
  }

  async #isOpen(): Promise<boolean> {
    return !this.#isTokenRequired && !(await this.#access.hasUsers());
  }
}
