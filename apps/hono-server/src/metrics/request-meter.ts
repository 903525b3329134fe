import { Gauge, type Histogram, type Registry } from "prom-client";

const NAME = "cortex_http_request_duration_seconds";
const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

type Labels = Readonly<Record<"route" | "method" | "status", string>>;

/** The requests of one route, method and status. */
interface Meter {
  readonly method: string;
  readonly status: number;
  readonly labels: Labels;
  /** How many took at most as long as each bucket says and longer than the one before; the last, longer than all. */
  readonly counts: number[];
  sumSeconds: number;
}

/**
 * Measures requests: how many, how long until their answer begins, and how many are under way. They are
 * told apart by their route, never by what they ask for, so there are only so many. It counts by itself: a
 * histogram of the library looks its labels up at each request, which takes as long as the rest of the guard.
 */
export class RequestMeter {
  // By route, of which each has few: a key of all three would be a text made and hashed for each request.
  readonly #meters = new Map<string, Meter[]>();
  #underWay = 0;

  constructor(registry: Registry) {
    const described = {
      name: NAME,
      help: "How long it took until an answer began, by route, method and status",
      type: "histogram",
      aggregator: "sum",
    };
    const get = async (): Promise<object> => ({
      ...described,
      values: [...this.#meters.values()].flat().flatMap(valuesOf),
    });
    registry.registerMetric({ ...described, get } as unknown as Histogram);
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
    const seconds = (performance.now() - start) / 1000;
    const meter = this.#meterOf(METHODS.has(method) ? method : "other", route, status);
    let bucket = 0;
    while (bucket < BUCKETS_S.length && seconds > BUCKETS_S[bucket]!) bucket += 1;
    meter.counts[bucket]! += 1;
    meter.sumSeconds += seconds;
  }

  #meterOf(method: string, route: string, status: number): Meter {
    let meters = this.#meters.get(route);
    if (meters === undefined) this.#meters.set(route, (meters = []));
    for (const meter of meters) if (meter.status === status && meter.method === method) return meter;
    const labels = { route, method, status: String(status) };
    const counts = [...BUCKETS_S, Infinity].fill(0);
    const meter: Meter = { method, status, labels, counts, sumSeconds: 0 };
    meters.push(meter);
    return meter;
  }
}

// https://prometheus.io/docs/instrumenting/exposition_formats/#histograms-and-summaries
function valuesOf({ labels, counts, sumSeconds }: Meter): object[] {
  let count = 0;
  const buckets = counts.map((own, index) => ({
    metricName: `${NAME}_bucket`,
    labels: { le: BUCKETS_S[index] ?? "+Inf", ...labels },
    value: (count += own),
  }));
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels, value: sumSeconds },
    { metricName: `${NAME}_count`, labels, value: count },
  ];
}
