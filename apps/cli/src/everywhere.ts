/** What every verb takes. */
export interface Everywhere {
  /** Where the registry is; left out: `CORTEX_DB`, else the data folder. */
  readonly db?: string;
  readonly json?: boolean;
  /** Ids only. */
  readonly quiet?: boolean;
  /** `false`: no colours. */
  readonly color?: boolean;
}
