import type { Rolldown } from "tsdown";

const RUNTIME = "rolldown-runtime.cjs";
const LOADING = `require("./${RUNTIME}")`;

/**
 * Puts the bundler's runtime into the program's first file as well: a file of 900 bytes takes longer to find than
 * the command that is asked for most takes to read its models. The files that are loaded later share their own.
 */
export function inlinedRuntime(): Rolldown.Plugin {
  return {
    name: "inlined-runtime",
    generateBundle(_options, bundle) {
      const runtime = bundle[RUNTIME];
      if (runtime?.type !== "chunk") return;
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk" || !chunk.isEntry || !chunk.code.includes(LOADING)) continue;
        const [before, after] = chunk.code.split(LOADING) as [string, string];
        chunk.code = `${before}((exports)=>{${runtime.code}\nreturn exports})({})${after}`;
      }
    },
  };
}
