/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The style of the page. Colours are named once for light and once for dark. Every text has a
 * contrast of at least 4.5 with its background, every bar at least 3.
 */
#include "base/strbuf.h"
#include "cli/report/report.h"

#include <openssl/evp.h>
#include <string.h>

#define LIGHT                                                                                     \
	"color-scheme:light;--page:#fcfcfb;--ink:#1c2126;--soft:#57616b;--line:#dadfe4;"          \
	"--tint:#f0f2f4;--track:#eceff2;--seen:#7d8894;--unmanaged:#5f86bd;--invited:#2a5ca8;"    \
	"--accepted:#1a7d5a;--declined:#b0521c;--open:#7d8894;--cancelled:#4b545d;--bad:#b3261e;" \
	"--warn:#8a5d00;--good:#1a7d5a;"
#define DARK                                                                                      \
	"color-scheme:dark;--page:#14171b;--ink:#e7eaed;--soft:#a5afb9;--line:#333a42;"           \
	"--tint:#20252b;--track:#22272d;--seen:#7b8793;--unmanaged:#6a92cf;--invited:#94bbf4;"    \
	"--accepted:#4dbf8d;--declined:#e7935b;--open:#7b8793;--cancelled:#c2cad2;--bad:#ff8a7d;" \
	"--warn:#e4b84a;--good:#4dbf8d;"

static const char style[] =
	/* colours and fonts */
	":root{" LIGHT "}"
	"@media (prefers-color-scheme:dark){:root{" DARK "}}"
	"*{box-sizing:border-box}"
	"html{-webkit-text-size-adjust:100%;text-size-adjust:100%}"
	"body{margin:0;background:var(--page);color:var(--ink);"
	"font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',"
	"sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}"
	"header,main,footer{max-width:54rem;margin:0 auto;padding:0 clamp(1rem,4vw,2.5rem)}"
	"header{padding-top:clamp(1.5rem,5vw,3.5rem)}"
	"h1{margin:0;font-size:clamp(1.55rem,1.2rem + 1.9vw,2.2rem);line-height:1.18;"
	"font-weight:650;letter-spacing:-.015em;text-wrap:balance}"
	"h2{margin:0 0 .25rem;font-size:1.2rem;line-height:1.3;font-weight:650;"
	"letter-spacing:-.005em}"
	"h3{margin:2rem 0 .25rem;font-size:1rem;font-weight:650}"
	"p{margin:.25rem 0;max-width:44rem}"
	".soft,.when,caption,dt{color:var(--soft)}"
	".when{margin-top:.5rem}"
	"code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',"
	"monospace;background:var(--tint);border-radius:.25rem;padding:.15em .4em;"
	"-webkit-box-decoration-break:clone;box-decoration-break:clone}"
	"section{margin:0 0 3rem;padding-top:1.5rem;border-top:1px solid var(--line)}"

	/* state of the service */
	".banner{margin:1.75rem 0 0;padding:.15rem 0 .15rem 1rem;border-left:4px solid var(--good)}"
	".banner+.banner{margin-top:1rem}"
	".banner p{margin:0}.banner .do{margin-top:.4rem}"
	".bad{border-color:var(--bad)}.warn{border-color:var(--warn)}"
	".banner strong{font-weight:650}"
	".bad strong{color:var(--bad)}.warn strong{color:var(--warn)}.good "
	"strong{color:var(--good)}"
	".tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:1rem 1.5rem;"
	"margin:2rem 0 2.5rem;padding:0}"
	".tiles div{display:flex;flex-direction:column-reverse;justify-content:flex-end}"
	".tiles dt{font-size:.9rem;line-height:1.35}"
	".tiles dd{margin:0;font-size:clamp(1.75rem,1.3rem + 1.8vw,2.4rem);line-height:1.15;"
	"font-weight:650;letter-spacing:-.02em}"

	/* charts */
	"figure{margin:1.25rem 0 0}svg{display:block;overflow:visible}"
	"svg text{fill:var(--ink);font-size:.9375rem}"
	"svg .note{fill:var(--soft);font-size:.8125rem;font-weight:400}svg "
	".small{fill:var(--soft);font-size:.75rem}"
	"svg .name{font-weight:600}.track{fill:var(--track)}.axis{fill:var(--line)}"
	".seen{fill:var(--seen)}.unmanaged{fill:var(--unmanaged)}.invited{fill:var(--invited)}"
	".accepted{fill:var(--accepted)}.declined{fill:var(--declined)}.open{fill:var(--open)}"
	".cancelled{fill:var(--cancelled)}"
	".key{display:flex;flex-wrap:wrap;gap:.35rem 1.25rem;margin:.75rem 0 0;padding:0;"
	"list-style:none;font-size:.9rem}"
	".key li{display:flex;align-items:center;gap:.45rem}.key svg{flex:none;width:.75rem}"

	/* tables */
	"table{width:100%;border-collapse:collapse;font-size:.9375rem}"
	"caption{padding:.5rem 0;text-align:left;font-size:.9rem}"
	"th,td{padding:.5rem 0 .5rem 1rem;text-align:right;vertical-align:baseline;"
	"border-top:1px solid var(--line);font-weight:400}"
	"thead th{border-top:0;color:var(--soft);font-size:.8125rem;vertical-align:bottom;"
	"overflow-wrap:normal}"
	"th:first-child{padding-left:0;text-align:left}tbody th{font-weight:600}"
	"details{margin-top:1rem}"
	"summary{display:inline-block;cursor:pointer;color:var(--invited);"
	"font-size:.9rem;text-decoration:underline;text-underline-offset:.2em}"
	"summary:focus-visible{outline:3px solid var(--invited);outline-offset:3px;"
	"border-radius:.2rem}"
	".hosts th svg{margin-top:.4rem;min-width:8rem}.hosts tbody th{width:38%}"

	/* what is stuck */
	".todo{margin:1rem 0 0;padding:0;list-style:none}"
	".todo>li{display:grid;grid-template-columns:3.5rem minmax(0,1fr);gap:0 1rem;"
	"padding:.85rem 0;border-top:1px solid var(--line)}"
	".todo .n{font-size:1.35rem;line-height:1.2;font-weight:650}"
	".todo .what{font-weight:600}.todo .do{margin-top:.4rem}"
	".do code{display:inline-block;max-width:100%;margin:.15rem .4rem .15rem 0}"
	".rest .n,.rest .what{font-size:1rem;font-weight:600;line-height:1.55}"
	".rest>li{padding:.4rem 0}"
	"ul.faults{margin:.4rem 0 0;padding-left:1.1rem;color:var(--soft);font-size:.9375rem}"

	"footer{padding-bottom:3rem;font-size:.9rem}"
	"footer dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.35rem 1.25rem;"
	"margin:.75rem 0 1.5rem}footer dd{margin:0}"

	".people{table-layout:fixed}.people td,.people th{text-align:left}"
	".people thead th{width:31%}.people thead th:nth-child(2){width:38%}"

	/* narrow windows: a host is a card, with the column's head beside each figure */
	"@media (max-width:40rem){.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}"
	".less{display:none}.todo>li{grid-template-columns:2.75rem minmax(0,1fr);gap:0 .75rem}"
	".hosts thead,.people "
	"thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
	".hosts tbody,.hosts caption{display:block}.hosts tr{display:grid;"
	"grid-template-columns:1fr 1fr;gap:.1rem 1.5rem;padding:.85rem 0;"
	"border-top:1px solid var(--line)}"
	".hosts tbody th{width:auto;grid-column:1/-1;padding:0 0 .35rem}"
	".hosts th,.hosts td{border:0}.hosts "
	"td{display:flex;justify-content:space-between;padding:0}"
	".hosts td::before{content:attr(data-head);color:var(--soft)}"
	".people tbody,.people caption,.people tr,.people tbody th,.people td{display:block}"
	".people tr{padding:.7rem 0;border-top:1px solid var(--line)}"
	".people tbody th,.people td{width:auto;padding:0;border:0}"
	"footer dl{grid-template-columns:1fr;gap:0}footer dd{margin-bottom:.6rem}}"

	/* paper: always light; the tables are printed too */
	"@media print{:root{" LIGHT "--page:#fff}body{font-size:10pt;print-color-adjust:exact;"
	"-webkit-print-color-adjust:exact}header,main,footer{max-width:none;padding:0}"
	"section{break-inside:auto;margin-bottom:1.5rem}figure,tr,.todo>li{break-inside:avoid}"
	"h2,h3{break-after:avoid}summary{display:none}"
	"details::details-content{display:block;content-visibility:visible}}";

/* The policy names the style by its hash, so no other style and no script is allowed. */
void report_style(struct strbuf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE], encoded[4 * EVP_MAX_MD_SIZE / 3 + 8] = "";
	unsigned n = 0;

	if (EVP_Digest(style, strlen(style), digest, &n, EVP_sha256(), NULL) == 1)
		EVP_EncodeBlock(encoded, digest, (int)n);
	strbuf_addf(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
		(const char *)encoded);
	strbuf_add(out, "<style>");
	strbuf_add(out, style);
	strbuf_add(out, "</style>\n");
}
