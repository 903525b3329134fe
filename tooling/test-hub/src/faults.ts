/** What a server does wrong. Positions are those of the file, whatever range of it was asked for. */
export type Fault =
  /** Answers so, with headers such as `retry-after`. */
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Ends the connection before this byte. */
  | { readonly kind: "cut"; readonly atByte: number }
  /** Says nothing more before this byte, and keeps the connection. */
  | { readonly kind: "stall"; readonly atByte: number }
  /** Sends this byte inverted. */
  | { readonly kind: "flip"; readonly atByte: number }
  /** Sends no faster. */
  | { readonly kind: "drip"; readonly bytesPerSecond: number }
  /** Sends the whole file whatever was asked for. */
  | { readonly kind: "ignore-range" }
  /** Claims another size of the file. */
  | { readonly kind: "size"; readonly sizeBytes: number }
  /** Sends on; relative to what was asked for. */
  | { readonly kind: "redirect"; readonly to: string };

export interface FaultPlace {
  /** On which of the two servers. @default "cdn" */
  readonly on?: "hub" | "cdn";
  /** Only where path and query hold this. */
  readonly path?: string;
  /** How many requests it hits. @default 1 */
  readonly times?: number;
}

interface Planned {
  readonly fault: Fault;
  readonly on: "hub" | "cdn";
  readonly path: string;
  left: number;
}

/** The faults that are still to happen. */
export class Faults {
  readonly #planned: Planned[] = [];

  add(fault: Fault, { on = "cdn", path = "", times = 1 }: FaultPlace): void {
    this.#planned.push({ fault, on, path, left: times });
  }

  clear(): void {
    this.#planned.length = 0;
  }

  /**
   * The faults that hit a request, which uses them up; of one kind the earliest. One at a byte hits a
   * request for that byte.
   */
  take(on: "hub" | "cdn", url: string, range: string | undefined): Fault[] {
    const taken: Fault[] = [];
    for (const planned of this.#planned) {
      const { fault } = planned;
      const isMeant = planned.on === on && planned.left > 0 && url.includes(planned.path);
      if (!isMeant || taken.some(({ kind }) => kind === fault.kind)) continue;
      if ("atByte" in fault && !asksFor(range, fault.atByte)) continue;
      planned.left--;
      taken.push(fault);
    }
    return taken;
  }
}

function asksFor(range: string | undefined, byte: number): boolean {
  const [, from = "", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  return byte >= Number(from) && (to === "" || byte <= Number(to));
}
