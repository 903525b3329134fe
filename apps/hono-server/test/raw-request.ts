import { connect } from "node:net";

/** An answer as it stood on the wire. */
export interface RawAnswer {
  /** 0 where the connection was closed without an answer. */
  readonly status: number;
  /** By their names in small letters; what came twice is joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many answers there were; those that only say `100 Continue` are none. */
  readonly count: number;
}

/** A request of which each byte is the test's own, to a port of this machine. */
export interface RawRequest {
  readonly port: number;
  readonly bytes: string | Uint8Array;
  /** Whether the client closes its half once all is sent. */
  readonly ends?: boolean;
  readonly timeoutMs?: number;
  /** How long to listen to events after the last one; not at all when left out. */
  readonly settleMs?: number;
}

/**
 * Sends bytes over a socket and reads what comes until the answer is whole or the connection is closed.
 *
 * @throws Error when nothing comes in time, 10,000 ms when left out.
 */
export async function sendRaw({
  port,
  bytes,
  ends = false,
  timeoutMs = 10_000,
  settleMs = 0,
}: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let text = "";
    let settling: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`No answer within ${timeoutMs} ms to ${JSON.stringify(String(bytes).slice(0, 300))}`));
    }, timeoutMs);
    const finish = (): void => {
      clearTimeout(timer);
      clearTimeout(settling);
      socket.destroy();
      resolve(toAnswer(text));
    };
    socket.setEncoding("latin1");
    socket.on("connect", () => {
      socket.write(bytes);
      if (ends) socket.end();
    });
    socket.on("data", (chunk: string) => {
      text = (text + chunk).replace(/^HTTP\/1\.1 1\d\d [^]*?\r\n\r\n/, "");
      if (isWhole(text)) {
        clearTimeout(settling);
        if (isEvents(text)) settling = setTimeout(finish, settleMs);
        else finish();
      }
    });
    socket.on("end", finish);
    // A server may close while there is still more to send.
    socket.on("error", finish);
  });
}

function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const head = text.slice(0, end).toLowerCase();
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  // Events go on for ever.
  if (isEvents(head)) return true;
  if (length !== undefined) return text.length - end - 4 >= Number(length);
  return head.includes("transfer-encoding: chunked")
    ? text.endsWith("0\r\n\r\n")
    : / (?:204|304) /.test(head);
}

function isEvents(text: string): boolean {
  return /^content-type: text\/event-stream/im.test(text);
}

function toAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end === -1 ? text.length : end).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const raw = end === -1 ? "" : text.slice(end + 4);
  const body = headers["transfer-encoding"] === "chunked" ? withoutChunks(raw) : raw;
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? 0),
    headers,
    body: Buffer.from(body, "latin1").toString("utf8"),
    count: text.match(/^HTTP\/1\.1 \d{3} /gm)?.length ?? 0,
  };
}

function withoutChunks(raw: string): string {
  let body = "";
  for (let at = 0; at < raw.length;) {
    const lineEnd = raw.indexOf("\r\n", at);
    const length = parseInt(raw.slice(at, lineEnd), 16);
    if (!(length > 0)) break;
    body += raw.slice(lineEnd + 2, lineEnd + 2 + length);
    at = lineEnd + 2 + length + 2;
  }
  return body;
}
