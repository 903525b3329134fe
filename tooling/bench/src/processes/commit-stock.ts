import Database from "better-sqlite3";

// The same without a registry and with the settings that better-sqlite3 comes with.
const [path, commits] = process.argv.slice(2);
const connection = new Database(path);
const update = connection.prepare("UPDATE model SET notes = ? WHERE seq = 1");
for (let index = 0; index < Number(commits); index++) update.run(`note ${index}`);
connection.close();
