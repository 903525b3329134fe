import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type ServerOptions as TlsOptions,
} from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { getRequestListener, type HttpBindings } from "@hono/node-server";

import { HttpError, statusOf, toErrorAnswer, toErrorBody } from "../errors.ts";
import { forbiddenHost } from "./host.ts";
import { faultOf } from "./node-request.ts";
import { newRequestId } from "./request-id.ts";

/** An app that can be served. */
export interface Served {
  /** Answers a request; `bindings` are the request and the answer as Node has them. */
  fetch(request: Request, bindings: HttpBindings): Response | Promise<Response>;
  /** Where the app has one, it is asked first. */
  readonly lane?: {
    /** Answers a request if it is one for the lane. @returns whether it is. */
    take(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
    /** Refuses a request before the app sees it; without a lane nobody is told. */
    refuse(incoming: IncomingMessage, outgoing: ServerResponse, error: HttpError): void;
  };
}

/** What a client can keep a connection waiting with, bounded: each of these ends one that is too slow. */
const OPTIONS = {
  // A request's headers, and then all of it.
  headersTimeout: 10_000,
  requestTimeout: 300_000,
  connectionsCheckingInterval: 1000,
  // Longer than the proxies in front keep theirs, so that they never use one that is just being closed.
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
  // We say so ourselves.
  requireHostHeader: false,
} satisfies ServerOptions;

/** How long a client may take nothing of its answer. */
const STALLED_MS = 120_000;

/** Beyond this many, connections are closed as they come. */
const MAX_CONNECTIONS = 10_000;

/**
 * A server for an app, which survives clients that mean harm; it is still to listen. What Node refuses by
 * itself is answered in the shape of every other failure.
 *
 * @param tls a certificate and its key, to serve HTTPS.
 */
export function createNodeServer(app: Served, tls?: Pick<TlsOptions, "cert" | "key">): Server | TlsServer {
  const respond = getRequestListener(
    (request, bindings) => app.fetch(request, bindings as HttpBindings),
    // What is left to refuse here are hosts that are only nearly addresses, such as 127.1 or port 99999.
    { errorHandler: () => toResponse(forbiddenHost()) },
  );
  const refuse = (incoming: IncomingMessage, outgoing: ServerResponse, error: HttpError): void => {
    if (app.lane === undefined) answerFault(incoming, outgoing, error);
    else app.lane.refuse(incoming, outgoing, error);
  };
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const fault = faultOf(incoming);
    if (fault !== undefined) refuse(incoming, outgoing, fault);
    else if (app.lane?.take(incoming, outgoing) !== true) void respond(incoming, outgoing);
  };
  const server =
    tls === undefined ? createServer(OPTIONS, listener) : createTlsServer({ ...OPTIONS, ...tls }, listener);
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = STALLED_MS;
  // Of a connection that is idle, too: with a listener, Node ends none by itself.
  server.on("timeout", (socket: Socket) => {
    const isComputed = isBusy(socket) && socket.writableLength === 0;
    if (!isComputed) socket.destroy();
  });
  server.on("checkExpectation", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    refuse(
      incoming,
      outgoing,
      new HttpError("expectation_failed", "Of what Expect can ask, only 100-continue is met."),
    );
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === "ECONNRESET" || !socket.writable || isBusy(socket)) socket.destroy();
    else socket.end(toMessage(unreadable(error.code)));
  });
  return server;
}

function answerFault({ url = "" }: IncomingMessage, outgoing: ServerResponse, error: HttpError): void {
  const { status, headers, body } = toErrorAnswer(error, newRequestId(), url.split("?")[0]!);
  // Whatever follows on the connection may not be what it seems.
  outgoing.writeHead(status, { ...headers, connection: "close" }).end(body);
}

function toResponse(error: HttpError): Response {
  const requestId = newRequestId();
  return Response.json(toErrorBody(error, requestId), {
    status: statusOf(error.code),
    headers: { "x-request-id": requestId },
  });
}

/**
 * Whether a whole request is being answered, or an answer has begun: its client would take for the answer,
 * or a part of it, what is said of the garbage after it. Node keeps the answer that is under way under this
 * name, and asks likewise.
 */
function isBusy(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  // oxlint-disable-next-line no-underscore-dangle -- so it is called
  const underWay = socket._httpMessage;
  return underWay?.headersSent === true || underWay?.req.complete === true;
}

/** An answer for a connection on which no request was understood. */
function toMessage(error: HttpError): string {
  const requestId = newRequestId();
  const body = JSON.stringify(toErrorBody(error, requestId));
  const status = statusOf(error.code);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    "",
    body,
  ].join("\r\n");
}

/** What Node's codes mean to a client. */
function unreadable(code: string | undefined): HttpError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new HttpError(
        "headers_too_large",
        `The headers are larger than ${OPTIONS.maxHeaderSize.toLocaleString("en")} bytes.`,
      );
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new HttpError("payload_too_large", "The chunks of the body have too much beside their content.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HttpError("request_timeout", "The request did not come to its end in time.");
    default:
      return new HttpError("malformed_request", "This is no HTTP request.");
  }
}
