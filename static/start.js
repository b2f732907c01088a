// The start form: one click, one request; and a form that comes back from the browser's memory asks for a workflow of its own.
(() => {
  const form = document.querySelector("form[data-once]");
  form?.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    form.querySelector("button[type=submit]").setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", (event) => {
    if (!form || !event.persisted) return;
    delete form.dataset.sent;
    form.elements.idempotency_key.value = crypto.getRandomValues(new Uint32Array(4)).join("-");
  });
})();
