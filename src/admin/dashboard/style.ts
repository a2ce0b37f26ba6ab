/** The dashboard's only style sheet: system fonts, dark and light, one column on a phone. */
export const STYLE = `
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #fff; --ink: #1b1f24; --dim: #59636e; --line: #d5dae0;
  --good: #136c2e; --good-bg: #def5e4; --bad: #a3161b; --bad-bg: #fde5e5; --wait: #7a4d00; --wait-bg: #fdf0d0; --link: #0a56c2; }
@media (prefers-color-scheme: dark) { :root { --bg: #0f1317; --card: #181d23; --ink: #e6eaee; --dim: #9aa5b1; --line: #323a43;
  --good: #6ddc8b; --good-bg: #12301b; --bad: #ff9a9a; --bad-bg: #3a1517; --wait: #f0c46a; --wait-bg: #35290d; --link: #7fb2ff; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1rem }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; padding-block: .75rem }
header h1 { font-size: 1.1rem; margin: 0 auto 0 0 }
h2 { font-size: 1.1rem; margin: 2rem 0 .75rem } h3 { font-size: 1rem; margin: 0 }
a { color: var(--link) } p { margin: .25rem 0 } code { font-size: .9em }
.dim { color: var(--dim); font-size: .9rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem }
.grid { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); padding: 0; margin: 0; list-style: none }
.banner { border-radius: .6rem; padding: .9rem 1rem; font-weight: 600; border: 1px solid currentColor }
.banner ul { font-weight: 400; margin: .4rem 0 0; padding-left: 1.2rem }
.tag { display: inline-block; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; font-weight: 600; white-space: nowrap; color: var(--dim); background: var(--line) }
.good { color: var(--good); background: var(--good-bg) } .bad { color: var(--bad); background: var(--bad-bg) } .wait { color: var(--wait); background: var(--wait-bg) }
.row { display: flex; flex-wrap: wrap; gap: .4rem .75rem; align-items: baseline; justify-content: space-between }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .75rem; margin: .6rem 0; font-size: .95rem } dt { color: var(--dim) } dd { margin: 0 }
details { margin-top: .6rem } summary { cursor: pointer; color: var(--link); padding: .2rem 0; width: fit-content }
form { display: grid; gap: .6rem } label { display: grid; gap: .2rem; font-size: .9rem; color: var(--dim) }
input { font: inherit; color: var(--ink); background: var(--bg); border: 1px solid var(--dim); border-radius: .4rem; padding: .45rem .6rem; width: 100% }
button { font: inherit; font-weight: 600; border: 1px solid var(--dim); border-radius: .4rem; padding: .45rem .9rem; background: var(--card); color: var(--ink); cursor: pointer }
button.main { background: var(--link); color: var(--card); border-color: var(--link) }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
table { width: 100%; border-collapse: collapse; font-size: .95rem } th { color: var(--dim); font-weight: 500 }
th, td { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
tr:last-child td { border-bottom: 0 }
th, td { overflow-wrap: normal } td:last-child { width: 45% }
.error { overflow-wrap: anywhere; color: var(--bad); font-family: ui-monospace, monospace; font-size: .85rem }
.narrow { width: calc(100% - 2rem); max-width: 24rem; margin: 12vh auto 0 } footer { padding-block: 2rem }
@media (max-width: 44rem) {
  thead { position: absolute; clip-path: inset(50%) } table, tbody, tr, td { display: block }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0 } tr:last-child { border-bottom: 0 }
  td { border: 0; padding: .1rem 0 } td[data-label]::before { content: attr(data-label) ": "; color: var(--dim) }
  td:empty { display: none } .buttons button { flex: 1 }
}
`;
