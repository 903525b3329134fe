const TRY_AGAIN = "Check the network and the proxy settings, and try again.";
const TRUST =
  "Check this machine's clock. A network that looks into connections has a certificate of its own, whose file NODE_EXTRA_CA_CERTS names.";
// Node's words for certificates that nobody should believe (doc/api/tls.md, X509 certificate error codes).
const WRONG_CERTIFICATE = /CERT|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH|INVALID_CA/;

/** What Node, undici (`lib/core/errors.js`) and the system tell of a failure. */
interface Failure {
  readonly name?: string;
  readonly message?: string;
  /** A number in what a browser's API throws. */
  readonly code?: string | number;
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
}

/** The end of a sentence, and what to do next. */
export interface FailureInWords {
  readonly why: string;
  readonly next: string;
}

/** Whether a server could not prove who it is, which asking again does not change. */
export function isWrongCertificate(cause: unknown): boolean {
  return WRONG_CERTIFICATE.test(String((cause as Failure).code ?? ""));
}

/**
 * Says in words why nobody answered.
 *
 * @param cause what was thrown. Where a proxy is what failed, the host that it names is the proxy.
 * @param host who was asked.
 */
export function describeFailure(cause: unknown, host: string): FailureInWords {
  const failure = cause as Failure;
  const { name, code, message, hostname = host, address = hostname, port } = failure;
  if (isWrongCertificate(cause)) return { why: `its certificate proves nothing (${code})`, next: TRUST };
  if (name === "TimeoutError") return { why: "it takes too long", next: TRY_AGAIN };
  if (name === "HTTPParserError") return { why: "what it says is not HTTP", next: TRY_AGAIN };
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return {
        why: `the host ${hostname} was not found`,
        next: "Check its name, the network and the proxy settings, and try again.",
      };
    case "ECONNREFUSED":
      return {
        why: `nothing listens at ${port === undefined ? address : `${address}, port ${port}`}`,
        next: TRY_AGAIN,
      };
    case "ECONNRESET":
    case "EPIPE":
    case "UND_ERR_SOCKET":
      return { why: "the connection was cut", next: TRY_AGAIN };
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return { why: "no connection could be made in time", next: TRY_AGAIN };
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return { why: "it was silent for too long", next: TRY_AGAIN };
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "ENETDOWN":
      return { why: "this machine has no connection to it", next: TRY_AGAIN };
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return {
        why: "it speaks no TLS",
        next: "Is it http rather than https, or a proxy that is in between?",
      };
    default:
      return {
        why: message === undefined || message === "" ? String(code ?? cause) : message,
        next: TRY_AGAIN,
      };
  }
}
