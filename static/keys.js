// Keys. What they do stands in the page: data-go="w" on a link is reached by `g w`, data-key="f" on a link, button or field by `f`.
// A link is followed, a field or button is focused (Enter presses it), a data-copy button copies. `?` lists what works here.
(() => {
  const SEQUENCE_MILLISECONDS = 1200;
  let isGoing = false, timer = 0;

  const isTyping = (element) =>
    element.isContentEditable || (element.matches("input, textarea, select") && !["checkbox", "radio", "button", "submit"].includes(element.type));
  const isShown = (element) => element.checkVisibility();
  const isReady = (element) => isShown(element) || element.matches("[data-copy]");
  const named = (key) => [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(isReady);
  const search = () => named("/") || [...document.querySelectorAll("main input[type=search]")].find(isShown);
  const going = (key) => document.querySelector(`[data-go="${CSS.escape(key)}"]`);

  const use = (element) => {
    if (element.matches("a[href], summary, [data-copy], [data-opens]")) return element.click();
    element.focus();
    element.scrollIntoView({ block: "nearest" });
    if (element.select) element.select();
  };

  // Rows of the list on this page: j and k go through their links, x ticks the row of the one in focus.
  const links = (selector) => [...document.querySelectorAll(selector)].filter(isShown);
  const rows = () => [links("main .row-link"), links("main .graph-pane a[href]"), links("main .timeline a[href]")].find((all) => all.length) || [];
  const rowOf = (element) => element.closest("tr, li");
  const step = (distance) => {
    const all = rows();
    const here = all.findIndex((link) => link === document.activeElement || rowOf(link)?.contains(document.activeElement));
    const marked = all.findIndex((link) => link.getAttribute("aria-expanded") === "true" || link.getAttribute("aria-current"));
    const from = here >= 0 ? here : marked;
    const next = all[from < 0 ? (distance > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + distance))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return Boolean(next);
  };
  const tick = () => {
    const box = rowOf(document.activeElement)?.querySelector("input[type=checkbox]");
    box?.click();
    return Boolean(box);
  };
  const view = (key) => {
    const found = named(key);
    if (found) use(found);
    return Boolean(found);
  };

  const press = (key) => {
    if (key === "?") return open();
    if (key === "/") return search() ? (use(search()), true) : document.querySelector("[data-palette]")?.click() ?? true;
    if (named(key)) return view(key);
    if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
    return key === "x" && tick();
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]") || event.key.length !== 1) return;
    if (isGoing) {
      isGoing = false;
      const place = going(event.key);
      if (place) return event.preventDefault(), location.assign(place.href);
    } else if (event.key === "g") {
      isGoing = true;
      clearTimeout(timer);
      timer = setTimeout(() => (isGoing = false), SEQUENCE_MILLISECONDS);
      return;
    }
    if (press(event.key)) event.preventDefault();
  });

  // The sheet
  const wordsOf = (element) => (element.dataset.keyWords || element.getAttribute("aria-label") || element.textContent).trim().replace(/\s+/g, " ");
  const entry = ([keys, words]) => {
    const row = document.createElement("div"), name = document.createElement("dt"), what = document.createElement("dd");
    for (const key of keys.split(" ")) name.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    what.append(words);
    row.append(name, what);
    return row;
  };
  const section = (title, entries) => {
    const box = document.createElement("section"), head = document.createElement("h3"), lines = document.createElement("dl");
    head.append(title);
    lines.append(...entries.map(entry));
    box.append(head, lines);
    return box;
  };
  const here = () => {
    const found = [...document.querySelectorAll('[data-key]:not([data-key=""])')].filter(isReady).map((element) => [element.dataset.key, wordsOf(element)]);
    if (rows().length) {
      if (!named("j")) found.push(["j", "Next row"], ["k", "Row before"]);
      found.push(["Enter", "Open the row"]);
      if (rows().some((link) => rowOf(link)?.querySelector("input[type=checkbox]"))) found.push(["x", "Tick the row"]);
    }
    return found;
  };
  const everywhere = () => [
    ["Ctrl K", "Find a page, a template, a workflow, an action"],
    ["/", search() ? "Search on this page" : "Find anything"],
    ["?", "This list"],
    ["Esc", "Close what is open"],
  ];
  const places = () => [...document.querySelectorAll("[data-go]")].map((link) => [`g ${link.dataset.go}`, link.firstChild.textContent.trim()]);

  const open = () => {
    const dialog = document.getElementById("keys-sheet");
    const found = here();
    const sections = [...(found.length ? [section("Here", found)] : []), section("Everywhere", everywhere()), section("Go to", places())];
    document.getElementById("keys-list").replaceChildren(...sections);
    dialog.showModal();
    return true;
  };
  document.addEventListener("click", (event) => event.target.closest("[data-opens=keys-sheet]") && open());
})();
