import type { MiddlewareHandler } from "hono";
import { requestId } from "hono/request-id";

const WRITE_LENGTH = 65_536;

/**
 * What the service does beside each answer, as one would write it for Hono: a name for the request, a line of
 * the log, the time counted by route and status, and of the guard the look at the host and whence a page asks.
 */
export function observed(): readonly MiddlewareHandler[] {
  const seconds = new Map<string, { count: number; sum: number }>();
  let lines = "";
  return [
    requestId(),
    async (c, next) => {
      const start = performance.now();
      const host = c.req.header("host") ?? "";
      if (!/^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(host) || c.req.header("origin") !== undefined) {
        return c.body(null, 403);
      }
      await next();
      c.header("x-content-type-options", "nosniff");
      const ms = performance.now() - start;
      const { status } = c.res;
      const key = `${status} ${c.req.method} ${c.req.path}`;
      const meter = seconds.get(key) ?? { count: 0, sum: 0 };
      meter.count += 1;
      meter.sum += ms / 1000;
      seconds.set(key, meter);
      const line = { time: new Date(), request_id: c.get("requestId"), route: c.req.path };
      lines += `${JSON.stringify({ ...line, method: c.req.method, status, duration_ms: ms })}\n`;
      if (lines.length >= WRITE_LENGTH) {
        process.stdout.write(lines);
        lines = "";
      }
      return undefined;
    },
  ];
}
