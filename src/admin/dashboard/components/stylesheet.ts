/** The dashboard's only style sheet: system fonts, light and dark, one column on a phone. */
export const STYLESHEET = `
:root { color-scheme: light dark; --bg: #f5f6f8; --card: #fff; --ink: #1a1f26; --muted: #5a6572; --line: #dfe3e8; --edge: #8b95a1;
  --good: #146c32; --good-bg: #e2f4e7; --bad: #a3161b; --bad-bg: #fde8e7; --warn: #7a4d00; --warn-bg: #fcf0d2; --neutral-bg: #e9ecf0; --link: #0b55c0; --on-link: #fff;
  --bar-good: #4f9d69; --bar-warn: #d99a1c; --bar-bad: #cf3a3f; --bar-neutral: #c3cad2 }
@media (prefers-color-scheme: dark) { :root { --bg: #101418; --card: #181d23; --ink: #e5e9ee; --muted: #9ba6b3; --line: #2b333c; --edge: #66717d;
  --good: #79dd95; --good-bg: #14301d; --bad: #ffa09e; --bad-bg: #3b1719; --warn: #f1c66d; --warn-bg: #362a0e; --neutral-bg: #262d35; --link: #86b4ff; --on-link: #0c1420;
  --bar-good: #4c9a66; --bar-warn: #c99532; --bar-bad: #e0575b; --bar-neutral: #48525d } }
* { box-sizing: border-box }
html { scroll-padding-top: 4rem }
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: center; padding-block: .75rem }
.brand { font-weight: 700; color: var(--ink); text-decoration: none; letter-spacing: -.01em }
nav { display: flex; flex-wrap: wrap; gap: .15rem; flex: 1 }
nav a { color: var(--muted); text-decoration: none; padding: .3rem .65rem; border-radius: .5rem }
nav a:hover { background: var(--neutral-bg); color: var(--ink) }
.account { color: var(--muted); text-decoration: none; padding: .3rem .65rem; border-radius: .5rem } .account:hover, .account[aria-current] { color: var(--ink); background: var(--neutral-bg) }
.qr { display: block; width: 14rem; max-width: 100%; background: #fff; border-radius: .5rem } .codes { columns: 2; font: .95rem/1.7 ui-monospace, SFMono-Regular, Menlo, monospace; padding-left: 1.5rem }
nav a[aria-current] { color: var(--ink); background: var(--neutral-bg); font-weight: 600 }
h1 { font-size: 1.5rem; letter-spacing: -.015em; line-height: 1.25; margin: 1rem 0 .75rem } h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem } h3 { font-size: 1rem; margin: 0 }
a { color: var(--link); text-underline-offset: .15em } a.plain { color: inherit; text-decoration-color: var(--edge) }
p { margin: .4rem 0 } p, dd { max-width: 75ch } code, pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, monospace }
.muted, caption, figcaption { color: var(--muted); font-size: .9rem }
.hidden, caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip { position: absolute; left: 1rem; top: -4rem; background: var(--card); padding: .5rem 1rem; border-radius: .5rem } .skip:focus { top: .5rem; z-index: 1 }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.15rem }
.narrow { max-width: 30rem; margin: 8vh auto 0 } main.narrow { width: calc(100% - 2rem); max-width: 24rem; padding: 1.25rem } .narrow h1 { margin-top: 0 }
.row { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; justify-content: space-between }
.breadcrumbs { margin: 1rem 0 -.5rem; font-size: .9rem; color: var(--muted) }
.banner { border-radius: .75rem; padding: 1rem 1.25rem; margin-top: .5rem } .banner strong { font-size: 1.25rem; letter-spacing: -.01em; margin-right: .35rem }
.banner ul { margin: .4rem 0 0; padding-left: 1.2rem; color: var(--ink) } .banner a { color: inherit; font-weight: 600 }
.notice { background: var(--neutral-bg); border-radius: .75rem; padding: .7rem 1rem; max-width: none; margin: .75rem 0 }
.good { color: var(--good); background: var(--good-bg) } .bad { color: var(--bad); background: var(--bad-bg) } .warn { color: var(--warn); background: var(--warn-bg) }
.tag { display: inline-block; border-radius: 1rem; padding: .05rem .6rem; font-size: .82rem; font-weight: 600; white-space: nowrap } .neutral, .unknown { color: var(--ink); background: var(--neutral-bg) }
ul.statuses, ul.tasks, ul.grid, ul.numbers { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; position: relative } .actions, td, h1, h2 { position: relative }
.statuses { grid-template-columns: repeat(auto-fill, minmax(min(100%, 14.5rem), 1fr)); margin-top: .6rem !important }
.status { display: block; height: 100%; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .6rem .9rem; color: var(--ink); text-decoration: none }
.status:hover { border-color: var(--edge) } .clip { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden }
.grid { grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)) } .numbers { grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)) } .numbers strong { display: block; font-size: 1.5rem; letter-spacing: -.02em }
.task { display: grid; grid-template-columns: minmax(12rem, 1fr) minmax(20rem, 2fr) 120px auto; gap: .5rem 1.5rem; align-items: center; padding-block: .75rem }
.task h3 a { color: var(--ink); text-decoration: none } .task h3 a:hover { text-decoration: underline } .task p { margin: 0 } .task dl { margin: 0; font-size: .92rem; grid-template: auto auto / 1fr 1.5fr 1.3fr; grid-auto-flow: column; gap: 0 1rem }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: .25rem 0 } dt { color: var(--muted) } dd { margin: 0 }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .75rem }
button, .button { display: inline-block; font: inherit; font-weight: 600; font-size: .92rem; line-height: 1.4; border: 1px solid var(--edge); border-radius: .5rem; padding: .35rem .85rem; background: var(--card); color: var(--ink); cursor: pointer; text-decoration: none; text-align: center }
button:hover, .button:hover { border-color: var(--ink) } button.main, .button.main { background: var(--link); color: var(--on-link); border-color: var(--link) }
button.destructive { background: var(--bad); color: var(--card); border-color: var(--bad) } button.subtle, .button.subtle { border-color: transparent; background: none; color: var(--muted) } .subtle:hover { color: var(--ink) !important; background: var(--neutral-bg) !important }
form { display: grid; gap: .75rem } header form { display: block } .filters { display: flex; flex-wrap: wrap; align-items: end; gap: .6rem; margin: 1rem 0 }
label { display: grid; gap: .2rem; font-size: .9rem; color: var(--muted) }
input, select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--edge); border-radius: .5rem; padding: .4rem .6rem; width: 100%; min-width: 0; min-height: 2.4rem } .filters label { flex: 0 1 18rem }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
progress { width: 100%; height: .6rem; accent-color: var(--bar-good) }
table { width: 100%; border-collapse: collapse; font-size: .93rem } th { color: var(--muted); font-weight: 500; white-space: nowrap }
th, td { text-align: left; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top } tr:last-child > td, tr:last-child > th[scope=row] { border-bottom: 0 }
td.number, th.number, .button, dd code { white-space: nowrap } td.number, th.number { text-align: right; padding-right: 1.5rem } td.number:last-child, th.number:last-child { padding-right: 0 } td time { white-space: nowrap } td { overflow-wrap: break-word } td:last-child { overflow-wrap: anywhere; padding-right: 0 }
.empty { color: var(--muted); margin: .25rem 0 } .error { color: var(--bad); font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace }
pre.error { background: var(--bad-bg); border-radius: .5rem; padding: .75rem 1rem; white-space: pre-wrap; margin: 0 }
figure { margin: 0 } svg { display: block; max-width: 100% } .chart { width: 100%; height: auto } .chart text { fill: var(--muted); font-size: 11px } .axis { stroke: var(--line) } .usual { stroke: var(--ink); stroke-dasharray: 4 4; opacity: .6 }
.bar-good { fill: var(--bar-good); background: var(--bar-good) } .bar-warn { fill: var(--bar-warn); background: var(--bar-warn) } .bar-bad { fill: var(--bar-bad); background: var(--bar-bad) } .bar-neutral { fill: var(--bar-neutral); background: var(--bar-neutral) }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: .2em; vertical-align: -.05em; margin: 0 .3em 0 .6em } .legend { color: var(--muted); font-size: .9rem } figcaption { margin-top: .4rem }
.calendar { border-collapse: separate; border-spacing: 3px; table-layout: fixed } .calendar th, .calendar td { padding: .15rem; text-align: center; border: 0; height: 1.6rem; vertical-align: middle } .calendar td { border-radius: .3rem } .calendar th:first-child { width: 3.5rem; text-align: left }
.month-covered { background: var(--bar-good) } .month-default { background: repeating-linear-gradient(45deg, var(--warn-bg) 0 5px, var(--warn) 5px 7px) } .month-missing { background: repeating-linear-gradient(-45deg, var(--bad-bg) 0 3px, var(--bad) 3px 7px) } .calendar .now { outline: 2px solid var(--ink); outline-offset: 1px }
pre.wrap { white-space: pre-wrap; margin: .5rem 0 } summary { cursor: pointer } .calendar-card { margin-top: .75rem } .calendar-card h2 { margin: 0 } .nowrap { white-space: nowrap }
footer { padding-block: 2.5rem } .live { font-weight: 600; margin-right: .6rem } .live::before { content: ""; display: inline-block; width: .6em; height: .6em; border-radius: 50%; margin-right: .4em; background: var(--bar-neutral) } .live.on, .live.off { background: none } .live.on::before { background: var(--bar-good) }
@media (max-width: 62rem) { .task { grid-template-columns: minmax(0, 1fr) auto } .task dl { grid-column: 1 / -1; grid-row: 2 } }
@media (max-width: 44rem) {
  header, main, footer { padding-inline: .9rem } .card { padding: .85rem .9rem } nav { order: 3; flex-basis: 100%; margin: .25rem -.5rem 0 } nav a { padding: .25rem .5rem } header .account { margin-left: auto } .codes { columns: 1 }
  .statuses { grid-template-columns: 1fr } .task { grid-template-columns: minmax(0, 1fr) } .task dl { grid-row: auto; grid-template: none / auto 1fr; grid-auto-flow: row } .actions > * { flex: 1 1 auto }
  table:not(.calendar) thead { display: block; position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) } table:not(.calendar), table:not(.calendar) tbody, table:not(.calendar) tr, table:not(.calendar) td { display: block }
  table:not(.calendar) tr { border-bottom: 1px solid var(--line); padding: .6rem 0 } table:not(.calendar) tr:last-child { border-bottom: 0 }
  table:not(.calendar) td { border: 0; padding: .1rem 0; text-align: left } td:not([data-label=""])[data-label]::before { content: attr(data-label) ": "; color: var(--muted) } table:not(.calendar) td:empty { display: none }
  .filters label, .filters button { flex: 1 1 100% } .chart text { font-size: 26px }
  .calendar { border-spacing: 1px } .calendar th:first-child { width: 2.6rem }
}
@media (prefers-reduced-motion: no-preference) { a, button, .status { transition: background-color .12s, border-color .12s } }
`;
