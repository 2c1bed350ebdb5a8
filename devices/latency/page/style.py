"""How the page looks, by day and by night, on a screen and on paper."""

STYLE = """
:root { --paper: #fbfaf7; --card: #ffffff; --ink: #1d2327; --soft: #667078; --rule: #e3e1da;
  --a: #1b6ca8; --b: #d1495b; --c: #2a9d8f; --d: #b7791f; --bad: #d1495b22; color-scheme: light; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181b; --card: #1c2226; --ink: #e6e9eb;
  --soft: #98a3ab; --rule: #2e373d; --a: #5aa9e6; --b: #ef7a85; --c: #4fc3b5; --d: #e0a84f;
  --bad: #ef7a8530; color-scheme: dark; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 34px 24px 60px; }
h1 { font-size: 25px; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 16px; margin: 34px 0 10px; }
.sub { color: var(--soft); margin: 4px 0 22px; }
.cards { display: grid; grid-template-columns: repeat(3, 1fr); gap: 16px; }
.card, figure { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 16px 18px; margin: 0; }
.card .what { font-weight: 600; font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: 13px; }
.card .big { font-size: 33px; font-weight: 650; letter-spacing: -.02em; line-height: 1.25; }
.card .big small { font-size: 15px; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.card .about, .card .rest { color: var(--soft); font-size: 13px; }
.card.one { border-top: 3px solid var(--a); } .card.two { border-top: 3px solid var(--c); }
.card.three { border-top: 3px solid var(--b); }
.notes { margin: 18px 0 0; padding: 12px 18px 12px 36px; border-radius: 10px;
  background: color-mix(in srgb, var(--d) 11%, var(--card)); border: 1px solid var(--rule); }
.two-up { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; align-items: start; }
figure svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 10px; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { color: var(--soft); font-weight: 500; } td small { color: var(--soft); }
td.wide { white-space: normal; text-align: left; }
tr:last-child td { border-bottom: 0; }
svg text { fill: var(--ink); font-size: 12px; font-family: inherit; }
svg .title { font-weight: 600; font-size: 13px; }
svg .tick, svg .unit, svg .value { fill: var(--soft); font-size: 11px; }
svg .name { font-size: 11.5px; } svg .marked { font-size: 11px; fill: var(--b); }
svg .axis { stroke: var(--soft); } svg .grid { stroke: var(--rule); }
svg .span { stroke: var(--soft); stroke-dasharray: 2 3; opacity: .7; }
svg .mark { stroke: var(--b); stroke-dasharray: 3 3; opacity: .8; }
svg .join { stroke: var(--soft); opacity: .5; }
svg .bar { fill: var(--a); opacity: .85; } svg .bar:hover { opacity: 1; }
svg .beside { fill: var(--soft); opacity: .6; } svg .reformat { fill: var(--d); }
svg .bad { fill: var(--bad); }
svg .curve { fill: none; stroke: var(--a); stroke-width: 1.7; stroke-linejoin: round; }
svg .line0 { stroke: var(--a); } svg .line1 { stroke: var(--d); } svg .line2 { stroke: var(--c); }
svg .line3 { stroke: var(--b); } svg .dot0 { fill: var(--a); } svg .dot1 { fill: var(--d); }
svg .dot2 { fill: var(--c); } svg .dot3 { fill: var(--b); } svg .ink0 { fill: var(--a); }
svg .ink1 { fill: var(--d); } svg .ink2 { fill: var(--c); } svg .ink3 { fill: var(--b); }
.key { font-size: 12.5px; color: var(--soft); margin: 8px 0 0; }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 0; }
footer { color: var(--soft); font-size: 12.5px; margin-top: 34px; }
@media (max-width: 860px) { .cards, .two-up { grid-template-columns: 1fr; } }
@media print { .card, figure { break-inside: avoid; } main { padding: 0; } }
"""
