/* How the report looks, by day and by night, on a screen and on a phone; and its only script.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "eval/report_int.h"

static const char *const style[] = {
    ":root{--bg:#faf9f6;--card:#fff;--ink:#1c2024;--soft:#667080;--line:#e5e2db;--good:#0f766e;",
    "--bad:#c2410c;--on:#fff;--band:#d5ebe8;color-scheme:light dark}\n",
    "@media(prefers-color-scheme:dark){:root{--bg:#14161a;--card:#1c1f25;--ink:#eae8e4;",
    "--soft:#9aa2ad;--line:#2d323a;--good:#2dd4bf;--bad:#fb923c;--on:#10141a;--band:#17403c}}\n",
    "*{box-sizing:border-box}\n",
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,",
    "'Segoe UI',Roboto,'Noto Sans',sans-serif;font-variant-numeric:tabular-nums}\n",
    "main{max-width:1040px;margin:0 auto;padding:32px 20px 64px}\n",
    "h1{font-size:30px;line-height:1.2;margin:2px 0 6px;letter-spacing:-.01em;",
    "overflow-wrap:anywhere}\n",
    "h2{font-size:20px;margin:44px 0 4px;letter-spacing:-.01em}\n",
    "p{margin:0 0 12px}.soft{color:var(--soft)}.small{font-size:14px}\n",
    ".eyebrow{color:var(--good);font-weight:600;font-size:13px;letter-spacing:.08em;",
    "text-transform:uppercase;margin:0}\n",
    ".top{display:grid;grid-template-columns:minmax(260px,5fr) 7fr;gap:14px;margin:24px 0 18px}\n",
    ".card{background:var(--card);border:1px solid var(--line);border-radius:14px;",
    "padding:16px 18px}\n",
    ".card .k{color:var(--soft);font-size:13px}.card .v{font-size:24px;font-weight:650;",
    "line-height:1.25}\n",
    ".big .v{font-size:56px;line-height:1.1;letter-spacing:-.02em;color:var(--good)}\n",
    ".big .v small{font-size:26px;letter-spacing:0}\n",
    ".grid{display:grid;grid-template-columns:repeat(3,1fr);grid-auto-rows:1fr;gap:14px}\n",
    ".lead{font-size:18px;max-width:46em}\n",
    ".scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);",
    "border-radius:14px;padding:14px;margin-top:12px}\n",
    "svg{display:block;font-size:12px}svg text{fill:var(--ink)}\n",
    "svg .t{fill:var(--soft)}svg .on{fill:var(--on)}svg .l{stroke:var(--line)}\n",
    "svg .g{fill:var(--good)}svg .b{fill:var(--bad)}svg .mid{text-anchor:middle}\n",
    "svg .end{text-anchor:end}svg .cell:hover{stroke:var(--ink);stroke-width:1.5}\n",
    "table{border-collapse:collapse;width:100%;font-size:15px}\n",
    "th,td{padding:6px 10px;text-align:right;white-space:nowrap}\n",
    "th:first-child,td:first-child,.left{text-align:left!important}\n",
    "td:first-child{white-space:normal;overflow-wrap:anywhere;min-width:9em}\n",
    "th{color:var(--soft);font-weight:600;font-size:13px;border-bottom:1px solid var(--line)}\n",
    "tbody tr+tr td{border-top:1px solid var(--line)}\n",
    "th[data-sort]{cursor:pointer}th[data-sort]:hover{color:var(--ink)}\n",
    "th[aria-sort=ascending]::after{content:' \\2191'}th[aria-sort=descending]::after",
    "{content:' \\2193'}\n",
    ".bar{display:inline-block;width:84px;height:8px;border-radius:4px;background:var(--line);",
    "margin-left:8px;overflow:hidden;vertical-align:1px}.bar i{display:block;height:100%;",
    "background:var(--good)}\n",
    ".bar i.low{background:var(--bad)}\n",
    ".two{display:grid;grid-template-columns:minmax(0,auto) 1fr;gap:22px;align-items:center}\n",
    ".shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:14px;",
    "margin-top:12px}\n",
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:14px;",
    "overflow:hidden}\n",
    "figure img,figure .none{display:block;width:100%;aspect-ratio:1;object-fit:cover;",
    "background:var(--line)}\n",
    "figcaption{padding:9px 12px 11px;font-size:14px;line-height:1.35;overflow-wrap:anywhere}\n",
    "figcaption b{color:var(--good)}figcaption .w{color:var(--bad);font-weight:700}\n",
    "details summary{cursor:pointer;color:var(--soft)}details li{overflow-wrap:anywhere}\n",
    "footer{margin-top:48px;padding-top:14px;border-top:1px solid var(--line);",
    "color:var(--soft);font-size:13.5px;overflow-wrap:anywhere}\n",
    "@media(max-width:720px){main{padding:22px 14px 48px}.top,.two{grid-template-columns:",
    "minmax(0,1fr)}.grid{grid-template-columns:repeat(2,1fr)}h1{font-size:25px}",
    ".card{padding:13px 14px}table{font-size:13.5px}th{font-size:12px}th,td{padding:5px 4px}",
    "td:first-child{min-width:6.5em}.scroll{padding:10px}.wide{display:none}}\n",
    "@media print{.card,.scroll,figure{break-inside:avoid}}\n",
};

static const char *const script[] = {
    "document.querySelectorAll('th[data-sort]').forEach(function(h){",
    "h.tabIndex=0;h.setAttribute('role','columnheader');function go(){",
    "var t=h.closest('table'),b=t.tBodies[0],i=h.cellIndex,",
    "up=h.getAttribute('aria-sort')!=='ascending',words=h.dataset.sort==='text';",
    "t.querySelectorAll('th').forEach(function(o){o.removeAttribute('aria-sort')});",
    "h.setAttribute('aria-sort',up?'ascending':'descending');",
    "function k(r){var c=r.cells[i];return words?c.textContent:parseFloat(c.dataset.v)}",
    "Array.from(b.rows).sort(function(p,q){var x=k(p),y=k(q),d=words?x.localeCompare(y):x-y;",
    "return up?d:-d}).forEach(function(r){b.appendChild(r)})}",
    "h.addEventListener('click',go);h.addEventListener('keydown',function(e){",
    "if(e.key==='Enter'||e.key===' '){e.preventDefault();go()}})});\n",
};

void oci_report_style(oc_buf *html) {
    oc_buf_puts(html, "<style>\n");
    for (size_t i = 0; i < sizeof style / sizeof *style; i++) oc_buf_puts(html, style[i]);
    oc_buf_puts(html, "</style>\n");
}

void oci_report_script(oc_buf *html) {
    oc_buf_puts(html, "<script>\n");
    for (size_t i = 0; i < sizeof script / sizeof *script; i++) oc_buf_puts(html, script[i]);
    oc_buf_puts(html, "</script>\n");
}
