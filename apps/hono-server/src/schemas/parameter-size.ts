const BILLION = 1e9;
const MILLION = 1e6;
const THOUSAND = 1e3;

/** A count of parameters in a word, such as `7.2B` or `494.03M`, as Ollama writes it (its `format.HumanNumber`). */
export function toParameterSize(count: number): string {
  if (count >= BILLION) return `${rounded(count / BILLION, 1)}B`;
  if (count >= MILLION) return `${rounded(count / MILLION, 2)}M`;
  return count >= THOUSAND ? `${rounded(count / THOUSAND, 0)}K` : `${count}`;
}

function rounded(value: number, decimals: number): string {
  return value.toFixed(Number.isInteger(value) ? 0 : decimals);
}
