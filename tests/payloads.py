"""Texts that must be shown as texts: each tries to become a script, an element or an attribute of the page that shows it.

A payload that comes to life sets `window.__xss`, makes an element `x-xss`, an attribute `data-xss`, or a handler; an expression that
is computed shows PRODUCT."""

from __future__ import annotations

FACTORS, PRODUCT = "1337*7331", "9801547"
RUN = "window.__xss=1"
CALL = "window.__xss`1`"

ELEMENTS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt >{RUN}</sCrIpT\t>",
    f"<<script>{RUN}//<</script>",
    f"<script src=data:text/javascript,{RUN}></script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<img src=x onerror={RUN}>",
    f"<img src=x:x onerror\n=\n{RUN} data-xss>",
    f"<IMG/SRC=x/ONERROR={RUN}//",
    f"<image href=x onerror={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<body onload={RUN} data-xss=1>",
    f"<details open ontoggle={RUN}>",
    f"<marquee onstart={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f"<x-xss tabindex=1 onfocus={RUN} autofocus id=xss>",
    f"<button form=f formaction=javascript:{RUN}>go</button>",
    f"<form action=javascript:{RUN}><input type=submit autofocus>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f"<embed src=javascript:{RUN}>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    f"<a href=javascript:{RUN} data-xss>click</a>",
    "<x-xss>an element</x-xss>",
    "<dialog open data-xss>Sign in again</dialog>",
    f"<template shadowrootmode=open><script>{RUN}</script></template>",
)  # fmt: skip
SVG = (
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><script href=data:,{RUN} /></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><a xlink:href=javascript:{RUN}><text y=20>x</text></a></svg>",
    f"<svg><foreignObject><iframe srcdoc='<script>{RUN}</script>'></iframe></foreignObject></svg>",
    f"</text></svg><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror={RUN}&gt;\">",
)  # fmt: skip
OUT_OF_PLACES = (
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f'" onmouseover="{RUN}" data-xss="',
    f"' onmouseover='{RUN}' data-xss='",
    f"` onmouseover={RUN} data-xss=`",
    f'x" autofocus onfocus="{RUN}" x="',
    f"x' autofocus onfocus={RUN} x='",
    f" onfocus={RUN} autofocus data-xss ",
    f"/ onerror={RUN} /",
    f"</script><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</option></select><img src=x onerror={RUN}>",
    f"--><script>{RUN}</script><!--",
    f"]]><script>{RUN}</script>",
    f'"}}</script><script>{RUN}</script>{{"',
    f'\\"-{CALL}}}//',
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"';{RUN}//",
    f'";{RUN};"',
    f"${{{RUN}}}",
)
ADDRESSES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f" javascript:{RUN}",
    f"javascript://%0a{RUN}",
    f"data:text/html,<script>parent.{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuX194c3M9MTwvc2NyaXB0Pg==",
    f"vbscript:{RUN}",
    "//evil.example/",
    "https://evil.example/\" data-xss=\"",
)  # fmt: skip
TEMPLATES = (
    f"{{{{{FACTORS}}}}}",
    f"{{{{ {FACTORS} }}}}<x-xss>",
    f"{{% if 1 %}}<x-xss>{{% endif %}}{{{{ {FACTORS} }}}}",
    "{% include 'base.html' %}{{ request.user.password }}",
    "{{ settings.SECRET_KEY|safe }}<x-xss>",
    f"#{{{FACTORS}}}<%= {FACTORS} %>",
    "<c-button onclick=x data-xss>cotton</c-button>",
)
HTMX = (
    "<div hx-get=//evil.example/ hx-trigger=load data-xss></div>",
    f"<div hx-on:load='{RUN}' hx-on::after-request={RUN} data-xss>",
    '" hx-get="/workflows" hx-trigger="load, every 1s" hx-target="body" data-xss="',
    "<hx-partial hx-target=body><x-xss></hx-partial>",
    f"<div hx-vals='js:{{a:{RUN}}}' hx-post=/theme hx-trigger=load data-xss>",
    "<div data-hx-get=/workflows data-hx-trigger=load data-xss>",
)
STYLES = (
    "<style>*{display:none}</style>",
    "\" style=\"position:fixed;inset:0;background:url(//evil.example/x)\" data-xss=\"",
    "<p style=animation-name:x onanimationstart=window.__xss=1 data-xss>",
    "}*{background:url(//evil.example/)}",
)  # fmt: skip
LETTERS = (
    f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e",
    f"\u2028{RUN}\u2029<x-xss>",
    f"<\u200bscript>{RUN}</\u200bscript><x-xss>",
    f"\u202e>tpircs/<{RUN}<x-xss>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;&quot; data-xss=&quot;",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"\ufffe<img src=x onerror={RUN}>",
    f"<noscript><p title=\"</noscript><img src=x onerror={RUN}>\">",
    f"<a id=__proto__ name=constructor><x-xss onclick={RUN}>",
)  # fmt: skip
PAYLOADS = ELEMENTS + SVG + OUT_OF_PLACES + ADDRESSES + TEMPLATES + HTMX + STYLES + LETTERS
