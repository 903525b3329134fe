import { statSync } from "node:fs";

import { MODEL_STATUS, SOURCE_TYPES, type Registry } from "@cortex/model-db";
import { Gauge, Histogram, Registry as Metrics } from "prom-client";

import { commitMetrics } from "./commit-meters.ts";
import { KeptTally } from "./kept-tally.ts";
import { processMetrics } from "./process-metrics.ts";
import { RequestMeter } from "./request-meter.ts";

/** What is known of the event streams. */
export interface EventFigures {
  /** How many listen. */
  readonly size: number;
  /** The newest event that was read for them; `undefined` while nobody listens. */
  readonly head: number | undefined;
}

const DELAY_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
const STATUS_WORDS = Object.entries(MODEL_STATUS).map(([word, status]) => ({
  word: word.toLowerCase(),
  status,
}));

/**
 * The figures of a service, for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/.
 * None of them names a model or a user.
 */
export class ServiceMetrics {
  readonly requests: RequestMeter;
  readonly #registry: Registry;
  readonly #own = new Metrics();
  readonly #ofModels = new Metrics();
  readonly #eventDelay: Histogram;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.requests = new RequestMeter(this.#own);
    this.#eventDelay = new Histogram({
      name: "cortex_event_delay_seconds",
      help: "How long after a change its event was there for those who listen",
      buckets: DELAY_BUCKETS_S,
      registers: [this.#own],
    });
    commitMetrics(registry.location);
    this.#measureFiles();
    this.#countModels();
  }

  /** An event has been read for those who listen; its time in Unix milliseconds. */
  noteEvent(at: number): void {
    this.#eventDelay.observe(Math.max(0, Date.now() - at) / 1000);
  }

  /** Adds what is known of the event streams. */
  watchEvents(events: EventFigures): void {
    this.#gauge("cortex_event_listeners", "How many event streams are open", () => events.size);
    this.#gauge(
      "cortex_event_feed_lag",
      "How many events have happened that were not yet read for those who listen",
      async () => {
        const { head } = events;
        if (head === undefined) return 0;
        const newest = await this.#registry.history.latestEventId().catch(() => head);
        return Math.max(0, newest - head);
      },
    );
  }

  /** The content type of {@link render}. */
  get contentType(): string {
    return this.#own.contentType;
  }

  /** @param seesAll whether figures may be told in which every model counts. */
  async render(seesAll: boolean): Promise<string> {
    const parts = [this.#own, commitMetrics(this.#registry.location), processMetrics()];
    if (seesAll) parts.unshift(this.#ofModels);
    return (await Promise.all(parts.map((part) => part.metrics()))).join("\n");
  }

  #measureFiles(): void {
    const { location } = this.#registry;
    this.#gauge("cortex_registry_size_bytes", "The size of the registry's file", () => sizeOf(location));
    this.#gauge("cortex_registry_wal_size_bytes", "The size of its write-ahead log", () =>
      sizeOf(`${location}-wal`),
    );
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      async collect() {
        this.set(await read());
      },
    });
    this.#own.registerMetric(gauge);
  }

  #countModels(): void {
    const tally = new KeptTally(this.#registry);
    const models = new Gauge({
      name: "cortex_models",
      help: "How many models there are, by source and status; of many they are counted now and then",
      labelNames: ["source_type", "status"],
      registers: [],
      async collect() {
        // The other figures are there also while the registry cannot be read.
        this.reset();
        const counted = await tally.read().catch(() => undefined);
        if (counted === undefined) return;
        for (const source_type of SOURCE_TYPES) {
          for (const { word, status } of STATUS_WORDS) {
            const found = counted.find((each) => each.sourceType === source_type && each.status === status);
            this.set({ source_type, status: word }, found?.count ?? 0);
          }
        }
      },
    });
    this.#ofModels.registerMetric(models);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
