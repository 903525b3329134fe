/** A request as it arrived. */
export interface SeenRequest {
  /** Which of the two servers it came to. */
  readonly on: "hub" | "cdn";
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
