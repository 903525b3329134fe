import { createRequire } from "node:module";
import path from "node:path";

import type { Rolldown } from "tsdown";

const NAME = "better-sqlite3";
const LIBRARY = /[\\/]better-sqlite3[\\/]lib[\\/]database\.js$/;

// What a method is made of is looked at when it is first called: most programs that start need three of them.
const METHOD = /^\tDatabase\.prototype(\.\w+|\[[\w.]+\]) = require\(('\.\/methods\/\w+')\);$/gm;

/**
 * Bundles the JavaScript of better-sqlite3, whose dozen files take longer to find and load than a query
 * takes to run. Its native part stays in the installed package, of the very version that was bundled, and
 * is loaded from there: the one for this platform, else the one for musl, else one that was compiled.
 */
export function bundledSqlite(): Rolldown.Plugin {
  return {
    name: "bundled-sqlite",
    transform(code, id) {
      if (!LIBRARY.test(id)) return null;
      const lazy = code.replace(
        METHOD,
        (_line, name: string, file: string) =>
          `\tDatabase.prototype${name} = function (...values) { return require(${file}).apply(this, values); };`,
      );
      if (lazy === code) throw new Error(`${id} does not define its methods as it did.`);
      return lazy;
    },
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load(id) {
      if (id !== `\0${NAME}`) return null;
      // From the package that imports it: this one does not depend on it.
      const lib = path.dirname(createRequire(path.resolve("package.json")).resolve(NAME));
      const source = (file: string): string => JSON.stringify(path.join(lib, file));
      return `
        const createDatabase = require(${source("database.js")});
        module.exports = createDatabase(loadAddon, false);
        module.exports.SqliteError = require(${source("sqlite-error.js")});

        function loadAddon() {
          const { platform, arch } = process;
          let failure;
          for (const file of [
            "prebuilds/" + platform + "-" + arch,
            "prebuilds/" + platform + "musl-" + arch,
            "build/Release/better_sqlite3",
          ]) {
            try {
              const addon = { exports: {} };
              process.dlopen(addon, packageFolder() + "/" + file + ".node");
              return addon.exports;
            } catch (error) {
              failure ??= error;
            }
          }
          throw failure;
        }

        // Node's own way to a package reads its manifest and all that it exports, for milliseconds.
        function packageFolder() {
          const { existsSync } = require("node:fs");
          const { dirname } = require("node:path");
          for (let folder = __dirname; ; folder = dirname(folder)) {
            const found = folder + "/node_modules/${NAME}";
            if (existsSync(found)) return found;
            if (folder === dirname(folder)) break;
          }
          throw new Error("The package ${NAME} is missing: install this program again.");
        }
      `;
    },
  };
}
