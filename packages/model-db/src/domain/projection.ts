import { invalidInput } from "../errors.ts";
import { MODEL_FIELDS, type ModelField } from "./fields.ts";
import { shown } from "./input.ts";

type FieldOf<Type> = Extract<(typeof MODEL_FIELDS)[number], { type: Type }>["name"];

/** One key of a model's JSON text, and where its value comes from. */
export type ProjectedField = { readonly key: string } & (
  | { readonly field: ModelField }
  /** The first that is known. */
  | { readonly firstOf: readonly [FieldOf<"text">, FieldOf<"text">] }
  /** A time in whole Unix seconds. */
  | { readonly secondsOf: "created_at" | "updated_at" }
  | { readonly text: string }
);

const FIELDS: ReadonlySet<string> = new Set(MODEL_FIELDS.map(({ name }) => name));
const MAX_KEYS = 100;
let made = 0;

/** What the JSON text of a model says, in which order: made once, used for many reads. */
export class Projection {
  readonly fields: readonly ProjectedField[];
  /** Another for each projection. */
  readonly key: string;

  /**
   * @param fields 1 to 100 keys.
   * @throws RegistryError `invalid_input`.
   */
  constructor(fields: readonly ProjectedField[]) {
    if (!Array.isArray(fields) || fields.length === 0 || fields.length > MAX_KEYS) {
      throw invalidInput("fields", `A projection has 1 to ${MAX_KEYS} keys.`);
    }
    this.fields = fields.map((field: ProjectedField) => Object.freeze({ ...field }));
    this.key = String(++made);
    for (const field of this.fields) {
      for (const name of namesIn(field)) {
        if (!FIELDS.has(name)) throw invalidInput("fields", `A model has no field ${shown(name)}.`);
      }
    }
  }
}

/** The whole record. */
export const RECORD: Projection = new Projection(
  MODEL_FIELDS.map(({ name }) => ({ key: name, field: name })),
);

function namesIn(field: ProjectedField): readonly string[] {
  if ("field" in field) return [field.field];
  if ("firstOf" in field) return field.firstOf;
  return "secondsOf" in field ? [field.secondsOf] : [];
}
