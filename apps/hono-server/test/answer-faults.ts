import { errorShapeOf } from "../src/error-shape.ts";
import { errorSchema } from "../src/schemas/error.ts";
import type { RawAnswer } from "./raw-request.ts";

/** What a client may never learn: where files are, what the code and its queries are. */
const SECRETS =
  /\/tmp\/hono-server|node_modules|[/\\]src[/\\]|\bat [\w.<>]+ \(|SQLITE_|SqliteError|no such (?:table|column)|syntax error|prototype of undefined|Cannot read prop/;

/** What is wrong with an answer, whatever the question was; empty where nothing is. */
export function faultsOf({ status, headers, body, count }: RawAnswer, path: string): string[] {
  const faults: string[] = [];
  if (count > 1) faults.push(`there are ${count} answers`);
  // A connection may be closed without a word only where no request was understood.
  if (status === 0) return [...faults, "there is no answer"];
  if (status >= 500 && status !== 503) faults.push(`the status is ${status}`);
  if (SECRETS.test(body)) faults.push(`it tells a secret: ${SECRETS.exec(body)![0]}`);
  if (SECRETS.test(JSON.stringify(headers))) faults.push("a header tells a secret");
  if (headers["x-request-id"] === undefined) faults.push("it has no request id");
  for (const name of ["x-injected", "set-cookie", "access-control-allow-origin"]) {
    if (name in headers) faults.push(`there is a header ${name}`);
  }
  if (status >= 400 && body !== "") {
    // What was not understood was for no program's client in particular.
    const schemas = [errorShapeOf(path).schema, errorSchema];
    if (!schemas.some((schema) => schema.safeParse(toJson(body)).success))
      faults.push(`it is no failure as documented: ${body.slice(0, 200)}`);
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    if (/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(body)) faults.push("it has a control character");
  }
  return faults;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
