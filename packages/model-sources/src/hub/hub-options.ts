import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { RegistryError } from "@cortex/model-db";

import { HUGGING_FACE } from "../reference/model-reference.ts";
import type { HubOptions } from "./hub.ts";

/**
 * How a person's own environment says that Hugging Face is asked: `HF_ENDPOINT`, and the token of `HF_TOKEN`
 * or the file that `hf auth login` writes (huggingface_hub, `utils/_auth.py` and `constants.py`). An
 * endpoint that is set may be of a private network, since whoever set it may go there anyhow; a service
 * for others decides that for itself and gives `privateHosts` of its own.
 *
 * @throws RegistryError `invalid_input` where `HF_ENDPOINT` is no http or https URL.
 */
export async function hubOptions(env: NodeJS.ProcessEnv): Promise<HubOptions> {
  const named = env["HF_ENDPOINT"] ?? "";
  const url = URL.parse(named === "" ? HUGGING_FACE : named);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RegistryError(
      "invalid_input",
      `HF_ENDPOINT is no http or https URL: ${JSON.stringify(named)}. Set it to one, or unset it.`,
    );
  }
  return {
    endpoint: url.href,
    token: await tokenOf(env),
    privateHosts: named === "" ? [] : [url.hostname],
  };
}

async function tokenOf(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const set = clean(env["HF_TOKEN"] ?? env["HUGGING_FACE_HUB_TOKEN"]);
  if (set !== undefined) return set;
  const cache = env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? homedir(), ".cache");
  const home = env["HF_HOME"] ?? join(cache, "huggingface");
  try {
    return clean(await readFile(env["HF_TOKEN_PATH"] ?? join(home, "token"), "utf8"));
  } catch {
    // Nobody logged in, or not for us to read: what is public can be had without.
    return undefined;
  }
}

function clean(token: string | undefined): string | undefined {
  const trimmed = token?.replace(/[\r\n]/g, "").trim();
  return trimmed === "" ? undefined : trimmed;
}
