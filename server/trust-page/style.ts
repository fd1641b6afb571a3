/** The trust page's looks: the app's paper, ink and copper, without the app. */
export const style = `
@font-face{font-family:Plex;font-weight:400;src:url(/font/latin-400.woff2)}
@font-face{font-family:Plex;font-weight:600;src:url(/font/latin-600.woff2)}
@font-face{font-family:"Plex Arabic";font-weight:400;src:url(/font/arabic-400.woff2)}
@font-face{font-family:"Plex Arabic";font-weight:600;src:url(/font/arabic-600.woff2)}
@font-face{font-family:"Plex Mono";font-weight:400;src:url(/font/mono-400.woff2)}
:root{color-scheme:light dark;--paper:#faf8f4;--sheet:#fff;--well:#f1ede5;--line:#e2dcd0;--ink:#1b2230;--ink-2:#4c5566;--seal:#94481a;--on-seal:#fff;--good:#1f6b4a;--warn:#8a5a00;--margin:4.5rem}
@media(prefers-color-scheme:dark){:root{--paper:#12151b;--sheet:#171b23;--well:#1e232d;--line:#2b313d;--ink:#ece8e0;--ink-2:#b3b6bd;--seal:#e8a878;--on-seal:#1a1208;--good:#7cc7a2;--warn:#e0b45c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:400 1rem/1.55 Plex,"Plex Arabic",system-ui,sans-serif}
header,main{max-width:46rem;margin-inline:auto;padding-inline:1.25rem}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;justify-content:space-between;align-items:baseline;padding-block:1.25rem}
.mark{direction:ltr;font-weight:600;color:var(--seal);letter-spacing:.01em}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem}
nav a{color:var(--ink-2);padding-block:.35rem}
nav a[aria-current]{color:var(--ink);text-decoration:none;font-weight:600}
main{background:var(--sheet);border:1px solid var(--line);border-radius:6px;padding-block:.5rem 2rem;margin-block-end:3rem}
h1{font-size:1.5rem;line-height:1.25;margin-block:1.25rem .5rem;overflow-wrap:anywhere}
h2{font-size:1.125rem;margin-block:2rem .5rem}
p{margin-block:.5rem}
.quiet{color:var(--ink-2)}
.notice{border-inline-start:3px solid var(--seal);background:var(--well);padding:.6rem .9rem;border-radius:0 6px 6px 0;overflow-wrap:anywhere}
[dir=rtl] .notice{border-radius:6px 0 0 6px}
#test{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center;margin-block:1rem}
#test p{flex:1 1 16rem;margin:0}
#test[data-state=good]{border-color:var(--good)}
#test[data-state=good] p{color:var(--good);font-weight:600}
#test[data-state=not]{border-color:var(--warn)}
#test[data-state=not] .open{background:none;color:var(--ink-2);font-weight:400}
a{color:var(--seal)}
a.button{color:var(--on-seal)}
.button{display:inline-block;background:var(--seal);color:var(--on-seal);border:0;border-radius:6px;padding:.6rem 1rem;font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
.button.plain{background:none;color:var(--seal);border:1px solid currentColor}
[hidden]{display:none!important}
:focus-visible{outline:2px solid var(--seal);outline-offset:2px}
.print{font-family:"Plex Mono",monospace;direction:ltr;text-align:start;unicode-bidi:isolate;display:grid;grid-template-columns:repeat(8,auto);gap:.15rem .5rem;background:var(--well);border-radius:6px;padding:.75rem 1rem;margin-block:.5rem;max-width:34rem}
[dir=rtl] .print{margin-inline-start:auto}
.words{direction:ltr;text-align:start;unicode-bidi:isolate;display:grid;grid-template-columns:repeat(4,auto);gap:.1rem 1rem;padding:0;margin-block:.25rem .5rem;list-style:none;max-width:34rem}
[dir=rtl] .words{margin-inline-start:auto}
details{border-block-start:1px solid var(--line)}
details:last-of-type{border-block-end:1px solid var(--line)}
summary{cursor:pointer;padding-block:.8rem;font-weight:600}
ol{margin-block:0 .75rem;padding-inline-start:1.4rem}
ol.steps li{margin-block:.4rem;padding-inline-start:.3rem}
details .button{margin-block-end:1rem}
b{font-weight:600}
@media(max-width:34rem){.print{grid-template-columns:repeat(4,auto)}.words{grid-template-columns:repeat(2,auto)}main{border-width:1px 0;border-radius:0}h1{font-size:1.3rem}}
`
