import type { IncomingMessage } from "node:http";

import { HttpError } from "../errors.ts";
import { forbiddenHost, hostNameOf } from "./host.ts";

/** Longer addresses are refused; with the other headers there is room for 16 KiB. */
const MAX_TARGET_LENGTH = 8192;

/**
 * What is wrong with a request before anybody looks at what it asks for: of headers that only one of can
 * be meant there are two, its host is none, its address is no path.
 */
export function faultOf({ url = "", rawHeaders, headers }: IncomingMessage): HttpError | undefined {
  let hosts = 0;
  let authorizations = 0;
  let types = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    // The length first: it tells nearly all of them apart.
    if (name.length === 4 && name.toLowerCase() === "host") hosts += 1;
    else if (name.length === 13 && name.toLowerCase() === "authorization") authorizations += 1;
    else if (name.length === 12 && name.toLowerCase() === "content-type") types += 1;
  }
  if (hosts !== 1 || hostNameOf(headers.host!) === undefined) return forbiddenHost();
  if (authorizations > 1) return twice("Authorization");
  if (types > 1) return twice("Content-Type");
  if (url.length > MAX_TARGET_LENGTH) {
    return new HttpError(
      "uri_too_long",
      `The address has ${url.length.toLocaleString("en")} characters; at most ${MAX_TARGET_LENGTH.toLocaleString("en")} are allowed.`,
    );
  }
  if (url.startsWith("/")) return undefined;
  // A proxy's form names another host than `Host` does.
  return url.includes("://")
    ? forbiddenHost()
    : new HttpError("malformed_request", "The address is no path.");
}

function twice(name: string): HttpError {
  return new HttpError("malformed_request", `There are two ${name} headers.`);
}
