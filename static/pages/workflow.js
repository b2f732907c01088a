// The log of a workflow's page. What is shown of it stays in the browser: every request for the page says up to which line it has it
// (header HX-Log), the answer brings the lines that came since in a <template>, and they are appended here.
(() => {
  const NEAR_END = 40;
  let isWhole = false, unseen = 0, above = 0;

  const log = () => document.querySelector(".log[data-log]");
  const follow = () => document.getElementById("log-follow");
  const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
  const toEnd = (box) => (box.scrollTop = box.scrollHeight);
  const center = (box, row) => (box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3);

  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx, box = log();
    if (box && !isWhole && !box.hasAttribute("data-rest")) request.headers["HX-Log"] = `${box.dataset.log}:${box.dataset.after}`;
    if (request.form?.matches?.(".log-form")) for (const [name, value] of [...request.body]) if (!value) request.body.delete(name);
  });

  // A log that was not here before opens at the match that is shown, else where it explains the failure, else at its end.
  const open = (box) => {
    box.dataset.opened = "";
    unseen = 0;
    const row = linked() || box.querySelector(".is-match") || box.querySelector(".is-error");
    if (row) center(box, row); else toEnd(box);
    tell();
  };

  const linked = () => {
    const number = /^#L(\d+)$/.exec(location.hash)?.[1];
    return number && document.getElementById(`L${number}`);
  };

  // The line that the address names may be one that was not sent: ask for those around it.
  const seek = () => {
    const number = /^#L(\d+)$/.exec(location.hash)?.[1];
    if (!number || !log() || linked()) return;
    const place = new URL(location.href);
    if (place.searchParams.get("line") === number) return;
    place.searchParams.set("line", number);
    location.replace(place);
  };

  const append = (box) => {
    const rest = document.querySelector(`template[data-log="${CSS.escape(box.dataset.log)}"]`);
    if (!rest || Number(rest.dataset.after) <= Number(box.dataset.after)) return;
    const stays = follow()?.checked && isAtEnd(box), lines = rest.content.querySelectorAll("p:not(.log-attempt)").length;
    box.querySelector(".log-none")?.remove();
    box.append(document.importNode(rest.content, true));
    box.dataset.after = rest.dataset.after;
    if (stays) toEnd(box); else unseen += lines;
    tell();
  };

  const tell = () => {
    const button = document.getElementById("log-new"), box = log();
    if (!button || !box) return;
    if (isAtEnd(box)) unseen = 0;
    button.hidden = unseen === 0;
    button.textContent = `▼ ${unseen.toLocaleString("en")} new line${unseen === 1 ? "" : "s"}`;
  };

  const look = () => {
    const box = log();
    if (!box) return;
    if (box.hasAttribute("data-rest")) {
      isWhole = true;
      return htmx.ajax("GET", document.getElementById("live").getAttribute("hx-get"), { target: "#live", swap: "outerMorph" }).finally(() => (isWhole = false));
    }
    if (!("opened" in box.dataset)) open(box);
    append(box);
  };

  document.addEventListener("htmx:before:swap", () => (above = log()?.scrollHeight || 0));
  document.addEventListener("htmx:after:swap", (event) => {
    const box = log(), isEarlier = event.detail.ctx?.sourceElement?.closest?.(".log-above");
    if (box && isEarlier) box.scrollTop += box.scrollHeight - above;
    look();
  });
  document.addEventListener("scroll", (event) => event.target === log() && tell(), true);
  document.addEventListener("click", (event) => {
    if (event.target.id !== "log-new") return;
    toEnd(log());
    tell();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "log-follow" && event.target.checked) toEnd(log());
    const form = event.target.matches("select") && event.target.closest(".log-form");
    if (form) form.requestSubmit();
  });
  addEventListener("hashchange", () => {
    seek();
    const row = linked();
    if (row) center(log(), row);
  });
  document.addEventListener("DOMContentLoaded", () => {
    seek();
    look();
  });
})();
