/** How the page looks, on a screen of any width, in light and in dark. */
export const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #3a4048); --soft: light-dark(#f4f6f8, #20252b);
  --quiet: light-dark(#56606b, #a2adb8); --link: light-dark(#0b57d0, #8ab4f8); }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; display: grid; grid-template-columns: 20rem minmax(0, 1fr);
  font: 1rem/1.5 system-ui, sans-serif; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; background: var(--soft);
  border-right: 1px solid var(--line); font-size: .85rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li { overflow-wrap: anywhere; padding: .1rem 0; }
nav a:has(b) { display: flex; align-items: baseline; text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav h2, nav h3 { margin: 1rem 0 .3rem; font-size: .95rem; }
nav b { flex: 0 0 3.6rem; font-size: .75rem; }
main { padding: 1rem 2rem 4rem; max-width: 70rem; }
h2 { margin-top: 3rem; text-transform: capitalize; border-bottom: 1px solid var(--line); }
section { margin: 2rem 0; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
section:target h3 { background: light-dark(#fff3c4, #4a3f12); }
h3 { font-size: 1.1rem; overflow-wrap: anywhere; }
h4 { margin: 1rem 0 .3rem; }
h3 b { padding: .1rem .5rem; border-radius: .3rem; color: #fff; background: #1a6e3c; font-size: .85rem; }
h3 b.post, h3 b.put, h3 b.patch { background: #8a4b00; }
h3 b.delete { background: #b3261e; }
a { color: var(--link); }
small { color: var(--quiet); }
code, pre { font: .9em/1.4 ui-monospace, monospace; }
code { overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .7rem; background: var(--soft); border: 1px solid var(--line); border-radius: .3rem; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
table { table-layout: fixed; }
th:first-child, td:first-child { width: 26%; }
th:nth-child(2), td:nth-child(2) { width: 22%; }
td { overflow-wrap: anywhere; }
.failures { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; font-size: .9rem; }
@media (max-width: 60rem) {
  body { display: block; }
  nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1rem; }
}
`;
