// Forms marked data-once are sent once, however often they are clicked. A start form that comes back from the browser's
// memory asks for a workflow of its own: its idempotency key is used up.
(() => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.hasAttribute("data-sent")) return event.preventDefault();
    form.setAttribute("data-sent", "");
    event.submitter?.setAttribute("aria-busy", "true");
  });

  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) {
      form.removeAttribute("data-sent");
      form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
      const key = form.elements.namedItem("idempotency_key");
      if (key) key.value = crypto.getRandomValues(new Uint32Array(4)).join("-");
    }
  });
})();
