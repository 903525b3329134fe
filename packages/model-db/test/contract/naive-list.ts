import {
  toRecord,
  type Comparison,
  type FilterValue,
  type ListOptions,
  type Model,
  type ModelField,
  type ModelFilter,
  type ModelSelection,
} from "../../src/index.ts";

/**
 * What `list` must answer, computed the slow way.
 *
 * @param models all models, newest registered first.
 * @returns every model that matches, in order; limit and cursor are not looked at.
 */
export function naiveList(models: readonly Model[], options: ListOptions): Model[] {
  const matching = models.filter((model) => matches(model, options));
  const { sort } = options;
  if (sort === undefined) return matching;
  const factor = sort.direction === "desc" ? -1 : 1;
  return matching.toSorted((one, other) => {
    const [a, b] = [valueOf(one, sort.field), valueOf(other, sort.field)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return factor * compare(a, b);
  });
}

/** The value of a field as lists compare it. */
export function valueOf(model: Model, field: ModelField): string | number | null {
  const value = toRecord(model)[field];
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return typeof value === "boolean" ? Number(value) : value;
}

function matches(model: Model, { filter = {}, tags = {}, search = "" }: ModelSelection): boolean {
  const fields = Object.entries(filter) as [keyof ModelFilter, ModelFilter[keyof ModelFilter]][];
  return (
    fields.every(([field, wanted]) => wanted === undefined || holds(valueOf(model, field), wanted)) &&
    (tags.all ?? []).every((tag) => model.tags.includes(tag)) &&
    (tags.any === undefined || tags.any.length === 0 || tags.any.some((tag) => model.tags.includes(tag))) &&
    !(tags.none ?? []).some((tag) => model.tags.includes(tag)) &&
    search
      .split(/\s+/)
      .filter((term) => term !== "")
      .every((term) => contains(searched(model), term))
  );
}

function holds(
  value: string | number | null,
  wanted: NonNullable<ModelFilter[keyof ModelFilter]> | null,
): boolean {
  if (Array.isArray(wanted)) return (wanted as FilterValue[]).some((one) => holds(value, one));
  if (typeof wanted !== "object" || wanted === null) return value === stored(wanted);
  return Object.entries(wanted as Comparison).every(([operator, right]) => {
    const other = stored(right as FilterValue);
    if (operator === "eq") return value === other;
    if (operator === "ne") return value !== other;
    if (value === null || other === null) return false;
    if (operator === "like") return String(value).toLowerCase().includes(String(other).toLowerCase());
    const order = compare(value, other);
    if (operator === "lt") return order < 0;
    if (operator === "le") return order <= 0;
    return operator === "gt" ? order > 0 : order >= 0;
  });
}

function stored(value: FilterValue): string | number | null {
  return typeof value === "boolean" ? Number(value) : value;
}

// Texts are in the order of their code points, as in UTF-8.
function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function searched(model: Model): string[] {
  const { modelId, alias, aliases, authorRepo, notes, tags } = model;
  return [modelId, alias ?? "", ...aliases, authorRepo ?? "", notes ?? "", ...tags];
}

function contains(texts: readonly string[], term: string): boolean {
  return texts.some((text) => text.toLowerCase().includes(term.toLowerCase()));
}
