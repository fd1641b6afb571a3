/** An enrolment sheet's looks: ink on white A4, copper where the printer has it, nothing that depends on colour. */
export const sheetStyle = `
@page{size:A4;margin:0}
*{box-sizing:border-box}
body{margin:0;background:#e9e4da;color:#1b2230;font:400 10.5pt/1.5 Plex,"Plex Arabic",sans-serif}
article{width:210mm;height:297mm;padding:18mm 20mm 16mm;margin:8mm auto;background:#fff;display:flex;flex-direction:column;break-after:page;overflow:hidden}
@media print{body{background:none}article{margin:0}}
header{display:flex;justify-content:space-between;border-block-end:.4mm solid #94481a;padding-block-end:2.5mm;color:#4c5566}
.mark{font-weight:600;color:#94481a;direction:ltr}
h1{font-size:20pt;line-height:1.2;margin:8mm 0 1mm}
h2{font-size:12pt;margin:0 0 1.5mm}
p{margin:0 0 1.5mm}
.who{font-size:13pt;font-weight:600;margin-block-end:4mm;overflow-wrap:anywhere}
.lead{margin-block-end:5mm}
.id{font-weight:400;font-size:10pt;color:#4c5566;direction:ltr;unicode-bidi:isolate}
section{counter-increment:step;position:relative;padding-block:5mm;padding-inline-start:11mm;border-block-start:.2mm solid #e2dcd0}
article{counter-reset:step}
section::before{content:counter(step);position:absolute;inset-inline-start:0;font-size:16pt;line-height:1.1;font-weight:600;color:#94481a}
.with-code{display:flex;gap:8mm;justify-content:space-between}
.with-code>div{flex:1;min-width:0}
svg{width:34mm;height:34mm;flex:none}
.address{font-weight:600;direction:ltr;unicode-bidi:isolate;overflow-wrap:anywhere}
.print{font-family:"Plex Mono",monospace;font-size:9pt;direction:ltr;unicode-bidi:isolate;display:grid;grid-template-columns:repeat(8,auto);justify-content:start;gap:0 2.2mm;margin-block:1mm}
.words{font-size:9pt;direction:ltr;unicode-bidi:isolate;display:grid;grid-template-columns:repeat(4,auto);justify-content:start;gap:0 4mm;color:#4c5566}
[dir=rtl] .print,[dir=rtl] .words{justify-content:end}
.code{font-size:16pt;margin-block:1mm 2.5mm}
.code span{font-size:10.5pt;color:#4c5566}
.code bdi{font-family:"Plex Mono",monospace;direction:ltr;letter-spacing:.04em}
.quiet{color:#4c5566;font-size:9pt}
footer{margin-block-start:auto;border-block-start:.2mm solid #e2dcd0;padding-block-start:4mm;font-size:9.5pt}
b{font-weight:600}
`
