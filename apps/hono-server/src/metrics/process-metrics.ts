import { collectDefaultMetrics, type Metric, Registry } from "prom-client";

// Of a histogram that has counted nothing yet, the library tells 2^63 - 1 ns, and what is no number.
const MOST_LAG_S = 86_400;

let registry: Registry | undefined;

/** What Node says of the process: memory, processor time, garbage collection, the event loop. */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const metric of registry.getMetricsAsArray() as unknown as NamedMetric[]) {
      if (metric.name.startsWith("nodejs_eventloop_lag_")) leaveOutUnmeasured(metric);
    }
  }
  return registry;
}

type NamedMetric = Metric & { readonly name: string };

function leaveOutUnmeasured(metric: Metric): void {
  const get = metric.get.bind(metric) as () => Promise<{ values: { value: number }[] }>;
  const measured = async (): Promise<object> => {
    const { values, ...described } = await get();
    return { ...described, values: values.filter(({ value }) => value < MOST_LAG_S) };
  };
  Object.assign(metric, { get: measured });
}
