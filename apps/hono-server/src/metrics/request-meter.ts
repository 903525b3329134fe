import { Gauge, Histogram, type Registry } from "prom-client";

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

type Meter = Pick<Histogram.Internal<"route" | "method" | "status">, "observe">;

/**
 * Measures requests: how many, how long until their answer begins, and how many are under way. They are
 * told apart by their route, never by what they ask for, so there are only so many.
 */
export class RequestMeter {
  readonly #seconds: Histogram<"route" | "method" | "status">;
  // One look-up for each request, not one for each of its labels.
  readonly #meters = new Map<string, Meter>();
  #underWay = 0;

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: "cortex_http_request_duration_seconds",
      help: "How long it took until an answer began, by route, method and status",
      labelNames: ["route", "method", "status"],
      buckets: BUCKETS_S,
      registers: [registry],
    });
    const underWay = (): number => this.#underWay;
    const gauge = new Gauge({
      name: "cortex_http_requests_under_way",
      help: "How many requests have no answer yet",
      registers: [],
      collect() {
        this.set(underWay());
      },
    });
    registry.registerMetric(gauge);
  }

  /** A request begins; returns when. */
  begin(): number {
    this.#underWay += 1;
    return performance.now();
  }

  /**
   * Its answer is there.
   *
   * @param start when it began.
   * @param route the path of its route, as OpenAPI writes it; `none` where there is none.
   */
  end(start: number, method: string, route: string, status: number): void {
    this.#underWay -= 1;
    const key = `${status} ${method} ${route}`;
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = this.#seconds.labels(labelsOf(method, route, status));
      this.#meters.set(key, meter);
    }
    meter.observe((performance.now() - start) / 1000);
  }
}

function labelsOf(
  method: string,
  route: string,
  status: number,
): Record<"route" | "method" | "status", string> {
  return {
    route,
    method: METHODS.has(method) ? method : "other",
    status: String(status),
  };
}
