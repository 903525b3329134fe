import type { NewGrant, Right } from "@cortex/model-db";

/** Everyone who asks is `ann`; what she may do differs. */
export interface AccessCase {
  readonly name: string;
  readonly grants: readonly NewGrant[];
  /** Of her token; all that she may do when left out. */
  readonly scopes?: readonly Right[];
  /** What she may do to each model, by hand, in letters: `r`ead, r`u`n, `c`hange, `a`dmin; nothing: unseen. */
  readonly may: Readonly<Record<ModelName, "" | "r" | "ru" | "ruc" | "ruca" | "rc">>;
  /** What she may do to the registry as a whole. */
  readonly mayAll: "" | "r" | "ru" | "ruc" | "ruca";
}

/** The models, and what about them decides who may do what. */
export const MODELS = {
  mine: { modelId: "team/zqmine", owner: "ann", private: false, tags: ["zqmine"] },
  hidden: { modelId: "lab/zqhidden", owner: "ann", private: true, tags: ["zqhidden"] },
  team: { modelId: "team/zqteam", owner: "bob", private: false, tags: ["zqteam", "chat"] },
  lab: { modelId: "lab/zqlab", owner: null, private: false, tags: ["zqlab"] },
  secret: { modelId: "team/zqsecret", owner: "bob", private: true, tags: ["zqsecret", "chat"] },
} as const;

export type ModelName = keyof typeof MODELS;

// An owner has an editor's rights, whatever the grants.
const OWN = { mine: "ruc", hidden: "ruc" } as const;

export const CALLERS: readonly AccessCase[] = [
  {
    name: "a reader",
    grants: [{ role: "reader" }],
    may: { ...OWN, team: "r", lab: "r", secret: "" },
    mayAll: "r",
  },
  {
    name: "an operator",
    grants: [{ role: "operator" }],
    may: { ...OWN, team: "ru", lab: "ru", secret: "" },
    mayAll: "ru",
  },
  {
    name: "an editor",
    grants: [{ role: "editor" }],
    may: { ...OWN, team: "ruc", lab: "ruc", secret: "" },
    mayAll: "ruc",
  },
  {
    name: "an admin",
    grants: [{ role: "admin" }],
    may: { mine: "ruca", hidden: "ruca", team: "ruca", lab: "ruca", secret: "ruca" },
    mayAll: "ruca",
  },
  {
    name: "an editor of the team's",
    grants: [{ role: "editor", pattern: "team/*" }],
    may: { ...OWN, team: "ruc", lab: "", secret: "" },
    mayAll: "",
  },
  {
    name: "an admin of the team's",
    grants: [{ role: "admin", pattern: "team/*" }],
    may: { mine: "ruca", hidden: "ruc", team: "ruca", lab: "", secret: "ruca" },
    mayAll: "",
  },
  {
    name: "a reader of what is tagged",
    grants: [{ role: "reader", tag: "chat" }],
    may: { ...OWN, team: "r", lab: "", secret: "" },
    mayAll: "",
  },
  {
    name: "an operator of what is bob's, and a reader of all",
    grants: [{ role: "operator", owner: "bob" }, { role: "reader" }],
    may: { ...OWN, team: "ru", lab: "r", secret: "" },
    mayAll: "r",
  },
  {
    name: "an admin with a token to read",
    grants: [{ role: "admin" }],
    scopes: ["read"],
    may: { mine: "r", hidden: "r", team: "r", lab: "r", secret: "r" },
    mayAll: "r",
  },
  {
    name: "an editor with a token to run",
    grants: [{ role: "editor" }],
    scopes: ["run"],
    may: { mine: "ru", hidden: "ru", team: "ru", lab: "ru", secret: "" },
    mayAll: "ru",
  },
  {
    name: "somebody with a grant for nothing that there is",
    grants: [{ role: "admin", pattern: "none/*" }],
    may: { ...OWN, team: "", lab: "", secret: "" },
    mayAll: "",
  },
];
