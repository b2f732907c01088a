// The list's ticks: all on this page with one, how many are ticked; and a range drawn over the histogram.
(() => {
  const ticks = () => [...document.querySelectorAll('#bulk input[name="workflow"]')];

  const count = () => {
    const all = document.querySelector("[data-tick-all]"), words = document.querySelector("[data-ticked]");
    if (!words) return;
    const ticked = ticks().filter((tick) => tick.checked).length;
    words.textContent = ticked ? `${ticked} selected` : "";
    if (all) all.checked = ticked > 0 && ticked === ticks().length;
    if (all) all.indeterminate = ticked > 0 && ticked < ticks().length;
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) for (const tick of ticks()) tick.checked = event.target.checked;
    if (event.target.closest("#bulk")) count();
  });
  document.addEventListener("htmx:after:swap", count);
  addEventListener("pageshow", count);

  // A range from one bar to another: pressed on the first, let go on the last.
  let from = null;
  const bar = (event) => event.target.closest?.("[data-bars] a");
  const ends = (link) => new URL(link.href.baseVal, location.href).searchParams;
  document.addEventListener("pointerdown", (event) => (from = bar(event)));
  document.addEventListener("dragstart", (event) => bar(event) && event.preventDefault());
  document.addEventListener("pointerup", (event) => {
    const to = bar(event), begun = from;
    from = null;
    if (!begun || !to || begun === to) return;
    const [first, last] = [begun, to].sort((one, other) => (ends(one).get("from") < ends(other).get("from") ? -1 : 1));
    const url = new URL(first.href.baseVal, location.href);
    url.searchParams.set("to", ends(last).get("to"));
    location.assign(url);
  });
})();
