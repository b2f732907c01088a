// The graph of a workflow. It scrolls by itself; this adds zoom, dragging, following what runs, and the state of each poll: the drawing
// stays on the page (the morph skips it) and only nodes that changed are touched, so that place, zoom and focus stay.
(() => {
  const FOLLOW = "graph-follow", LEAST = 0.04, MOST = 3, READABLE = 0.56, STEP = 1.25, SMALL = 0.8, FAR = 0.5, VERY_FAR = 0.28, SLACK = 4;
  let key = null, nodes = [], lines = [], shown = { nodes: [], lines: "", selected: null }, zoom = 1, clockAhead = 0, hasMoved = false;

  const pane = () => document.querySelector(".graph-pane");
  const svg = () => pane()?.querySelector("svg");
  const isLive = () => Boolean(document.getElementById("live"));
  const told = () => JSON.parse(document.getElementById("graph-state")?.textContent || "null");

  // Its state
  const apply = () => {
    const state = told();
    clockAhead = (Date.parse(document.getElementById("live")?.dataset.now) || Date.now()) - Date.now();
    if (!pane()) return void (key = null);
    if (pane().dataset.drawing !== key) return begin(state);
    if (!state) return;
    state.nodes.forEach((mark, i) => nodes[i] && differs(mark, shown.nodes[i]) && write(nodes[i], mark, state.looks));
    for (let i = 0; i < lines.length; i += 1) if (state.lines[i] !== shown.lines[i]) lines[i].setAttribute("class", `line l-${state.lines[i]}`);
    if (state.selected !== shown.selected) select(state.selected);
    shown = state;
    tick();
    follow();
  };

  const differs = (one, other) => one !== other && (typeof one === "string" || typeof other === "string" || String(one) !== String(other));

  const write = (node, mark, looks) => {
    const [css, lead = "", since = "", tail = "", words = looks[css][1], bands = []] = typeof mark === "string" ? [mark] : mark;
    node.setAttribute("class", node.getAttribute("class").replace(/ n-\S+/, ` n-${css}`));
    const glyph = node.querySelector(".glyph");
    if (glyph) glyph.textContent = looks[css][0];
    const title = node.querySelector("title");
    title.textContent = `${title.textContent.split("\n")[0]}\n${words}`;
    const parts = node.querySelectorAll(".lead tspan");
    if (parts.length) [lead, "", tail].forEach((text, i) => (parts[i].textContent = text));
    if (parts.length) since ? (parts[1].dataset.from = since) : delete parts[1].dataset.from;
    node.querySelector(".bands")?.replaceChildren(...bands.map(band));
  };

  const band = ([css, x, width]) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.setAttribute("class", `b-${css}`);
    for (const [name, value] of [["x", x], ["width", width], ["height", 6]]) rect.setAttribute(name, value);
    return rect;
  };

  const select = (index) => {
    for (const node of nodes.filter((node) => node.classList.contains("is-selected"))) {
      node.classList.remove("is-selected");
      node.removeAttribute("aria-current");
    }
    nodes[index]?.classList.add("is-selected");
    nodes[index]?.setAttribute("aria-current", "true");
    reveal(nodes[index]);
  };

  // In the words of the server (dashboard/cutting.py)
  const brief = (seconds) => {
    for (const [size, unit, partSize, part] of [[86400, "d", 3600, "h"], [3600, "h", 60, "m"], [60, "m", 1, "s"]])
      if (seconds >= size) return `${Math.floor(seconds / size)}${unit} ${Math.floor((seconds % size) / partSize)}${part}`;
    return `${Math.max(0, Math.floor(seconds))} s`;
  };
  const tick = () => {
    for (const part of pane()?.querySelectorAll("[data-from]") || [])
      part.textContent = brief((Date.now() + clockAhead - Date.parse(part.dataset.from)) / 1000);
  };

  // A drawing that was not there before
  const begin = (state) => {
    key = pane().dataset.drawing;
    nodes = [...pane().querySelectorAll(".node")];
    lines = [...pane().querySelectorAll(".line")];
    shown = state || { nodes: [], lines: "", selected: null };
    const tools = document.getElementById("graph-tools");
    if (tools) tools.hidden = false;
    const box = document.getElementById(FOLLOW);
    if (box) box.checked = localStorage.getItem(FOLLOW) === "yes";
    const tallest = parseFloat(getComputedStyle(pane()).maxHeight);
    pane().style.height = `${pane().offsetHeight}px`;
    const whole = Math.min(1, fitting(pane().clientWidth, tallest));
    setZoom(whole >= READABLE ? whole : 1);
    reveal(nodes[shown.selected] || pane().querySelector(".k-frame, .n-failed, .n-running"), "start");
    follow();
  };

  // Zoom and place
  const natural = () => svg().viewBox.baseVal;
  const fitting = (width, height) => Math.min(width / natural().width, height / natural().height);

  const setZoom = (wanted, x = pane().clientWidth / 2, y = pane().clientHeight / 2) => {
    const next = Math.min(MOST, Math.max(LEAST, wanted)), grown = next / zoomNow();
    const left = (pane().scrollLeft + x) * grown - x, top = (pane().scrollTop + y) * grown - y;
    zoom = next;
    svg().setAttribute("width", natural().width * zoom);
    svg().setAttribute("height", natural().height * zoom);
    pane().classList.toggle("is-small", zoom < SMALL);
    pane().classList.toggle("is-far", zoom < FAR);
    pane().classList.toggle("is-very-far", zoom < VERY_FAR);
    pane().scrollTo({ left, top, behavior: "instant" });
  };
  const zoomNow = () => svg().width.baseVal.value / natural().width;

  const ZOOMS = {
    fit: () => setZoom(Math.min(1, fitting(pane().clientWidth, pane().clientHeight))),
    1: () => setZoom(1),
    in: () => setZoom(zoomNow() * STEP),
    out: () => setZoom(zoomNow() / STEP),
  };
  const KEYS = { "+": "in", "=": "in", "-": "out", 0: "fit" };

  const reveal = (node, behavior = "smooth") => {
    if (!node) return;
    const seen = pane().getBoundingClientRect(), at = node.getBoundingClientRect();
    if (at.left >= seen.left && at.right <= seen.right && at.top >= seen.top && at.bottom <= seen.bottom) return;
    const isCalm = behavior !== "smooth" || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const left = pane().scrollLeft + at.left - seen.left - Math.max(24, (seen.width - at.width) / 2);
    const top = pane().scrollTop + at.top - seen.top - Math.max(24, (seen.height - at.height) / 2);
    pane().scrollTo({ left, top, behavior: isCalm ? "instant" : "smooth" });
  };
  const follow = () => document.getElementById(FOLLOW)?.checked && reveal(pane().querySelector(".n-running"));

  // Whoever clicks, drags, turns the wheel or presses a key
  const go = (node) => {
    const url = new URL(node.getAttribute("href"), location.href);
    if (node.matches(".k-group, .k-frame")) {
      const open = url.searchParams.get("open") || "";
      url.search = location.search;
      open ? url.searchParams.set("open", open) : url.searchParams.delete("open");
    }
    htmx.ajax("GET", url.pathname + url.search, { source: node, target: "#live", swap: "outerMorph", push: "true" });
  };

  document.addEventListener("click", (event) => {
    const tool = event.target.closest("[data-zoom]");
    if (tool && pane()) return ZOOMS[tool.dataset.zoom]();
    const node = event.target.closest(".graph-pane .node");
    if (!node) return;
    if (hasMoved) return event.preventDefault();
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !isLive()) return;
    event.preventDefault();
    go(node);
  });

  document.addEventListener("pointerdown", (event) => {
    const held = event.target.closest(".graph-pane");
    hasMoved = false;
    if (!held || event.button !== 0 || event.pointerType !== "mouse") return;
    const start = { x: event.clientX, y: event.clientY, left: held.scrollLeft, top: held.scrollTop };
    const move = (to) => {
      if (!hasMoved && Math.hypot(to.clientX - start.x, to.clientY - start.y) < SLACK) return;
      hasMoved = true;
      held.classList.add("is-dragged");
      held.scrollTo({ left: start.left + start.x - to.clientX, top: start.top + start.y - to.clientY, behavior: "instant" });
    };
    const end = () => {
      held.classList.remove("is-dragged");
      document.removeEventListener("pointermove", move);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end, { once: true });
  });
  document.addEventListener("dragstart", (event) => event.target.closest?.(".graph-pane") && event.preventDefault());

  document.addEventListener("wheel", (event) => {
    const turned = event.target.closest(".graph-pane");
    if (!turned || !event.ctrlKey) return;
    event.preventDefault();
    const at = turned.getBoundingClientRect();
    setZoom(zoomNow() * Math.exp(-event.deltaY / 400), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });

  document.addEventListener("keydown", (event) => {
    const zoomed = KEYS[event.key];
    if (!zoomed || event.ctrlKey || event.metaKey || event.altKey || !event.target.closest?.(".graph-pane")) return;
    event.preventDefault();
    ZOOMS[zoomed]();
  });

  document.addEventListener("change", (event) => {
    if (event.target.id !== FOLLOW) return;
    localStorage.setItem(FOLLOW, event.target.checked ? "yes" : "no");
    follow();
  });
  document.addEventListener("graph:next-failed", () => document.getElementById("graph-next-failed")?.click());

  // The server leaves out a drawing that is here already.
  document.addEventListener("htmx:config:request", (event) => {
    if (pane()) event.detail.ctx.request.headers["X-Graph-Drawn"] = pane().dataset.drawing;
  });
  document.addEventListener("htmx:after:swap", apply);
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    const runs = document.querySelector(".runs-scroll");
    if (runs) runs.scrollLeft = runs.scrollWidth; // the newest is on the right
    setInterval(tick, 1000);
  });
})();
