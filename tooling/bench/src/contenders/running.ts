/** Parameters for whether a model runs: nothing does in a benchmark, so that any will do. */
export const BOOT = "a-boot-of-the-machine";
export const TICK = 1_000_000;

const BEFORE_BOOT = `(model.status = 1 AND EXISTS (SELECT 1 FROM model_run
  WHERE model_run.model_id = model.model_id AND model_run.boot_id = `;
const BEFORE_TICK = " AND ";
const AFTER_TICK = " BETWEEN model_run.renewed_tick_ms AND model_run.expires_tick_ms))";

/**
 * Whether a model runs now, as the registry decides it: the parts of the SQL before, between and after
 * two parameters, which are BOOT and TICK.
 */
export const RUNNING_PARTS = [BEFORE_BOOT, BEFORE_TICK, AFTER_TICK] as const;
