// The palette on Ctrl-K or Cmd-K: pages, templates, workflows from the server; the actions of this page from the page itself.
// The focus stays in the field; the chosen line is told by aria-activedescendant. Choosing a button focuses it, Enter presses it.
(() => {
  const dialog = document.getElementById("palette");
  const input = document.getElementById("palette-input");
  const list = document.getElementById("palette-list");
  if (!dialog) return;
  const WAIT_MILLISECONDS = 120;
  let timer = 0, asking = null, asked = null, pending = null;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", option?.id || "");
    option?.scrollIntoView({ block: "nearest" });
  };
  const move = (step) => {
    const all = options();
    if (all.length) choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  };

  const wordsOf = (element) => (element.dataset.keyWords || element.textContent || element.getAttribute("aria-label") || "").trim().replace(/\s+/g, " ");
  const actions = () => {
    const found = [...document.querySelectorAll("main .deeds button, main .deeds a, main .page-tools a")];
    const wanted = input.value.trim().toLowerCase();
    return found.filter((element) => element.checkVisibility() && wordsOf(element).toLowerCase().includes(wanted));
  };
  const line = (element) => {
    const option = document.createElement("div");
    option.setAttribute("role", "option");
    option.className = "palette-action";
    option.append(wordsOf(element));
    option.act = () => (element.matches("a[href]") ? element.click() : element.focus());
    return option;
  };
  const group = (title, lines) => {
    const box = document.createElement("div");
    const head = document.createElement("p");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", title);
    head.className = "palette-head";
    head.setAttribute("role", "presentation");
    head.append(title);
    box.append(head, ...lines);
    return box;
  };

  const show = (html) => {
    const found = new DOMParser().parseFromString(html, "text/html").body;
    const lines = actions().map(line);
    list.replaceChildren(...(lines.length ? [group("On this page", lines)] : []), ...found.children);
    options().forEach((option, index) => (option.id = `palette-${index}`));
    if (!options().length) list.replaceChildren(group("Nothing has that name. Try fewer letters.", []));
    choose(options()[0]);
  };

  const ask = async () => {
    asking?.abort();
    const mine = (asking = new AbortController());
    asked = input.value;
    const url = `${input.dataset.url}?part=list&q=${encodeURIComponent(asked)}`;
    try {
      const response = await fetch(url, { signal: mine.signal, redirect: "error" });
      if (response.ok) show(await response.text());
    } catch (error) {
      if (!mine.signal.aborted) show("");
    }
  };

  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    input.value = "";
    pending = ask();
  };

  const take = (option) => {
    if (!option) return;
    if (!option.act) return location.assign(option.href);
    dialog.close();
    option.act();
  };

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) return dialog.close();
    const option = event.target.closest("[role=option]");
    if (option?.act) take(option);
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => (pending = ask()), WAIT_MILLISECONDS);
  });
  input.addEventListener("keydown", async (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(timer);
      if (input.value !== asked) pending = ask();
      await pending;
      return take(chosen());
    } else return;
    event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close(); else open();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-palette]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
})();
