// The start form: what will run is asked for again while somebody types (htmx does that). Errors come beside the fields that were
// left, never beside those that nobody has reached. Ctrl+Enter starts.
(() => {
  const form = document.getElementById("start-form");
  if (!form) return;
  const left = new Set([...form.querySelectorAll(".has-error [name]")].map((field) => field.name));

  const leave = (event) => {
    if (event.target.name?.startsWith("p.")) left.add(event.target.name);
  };
  form.addEventListener("focusout", leave);
  form.addEventListener("change", leave);

  const messageOf = (errors, key) =>
    Object.entries(errors)
      .filter(([name]) => name === key || name.startsWith(`${key}.`))
      .map(([name, words]) => (name === key ? words : `${name.slice(key.length + 1)}: ${words}`))
      .join("; ");

  const tell = (field, words) => {
    const box = field.closest(".param");
    const hint = box.querySelector(".hint");
    let problem = hint.querySelector(".problem");
    box.classList.toggle("has-error", Boolean(words));
    field.toggleAttribute("aria-invalid", false);
    if (!words) return problem?.remove();
    field.setAttribute("aria-invalid", "true");
    problem ??= hint.insertAdjacentElement("afterbegin", Object.assign(document.createElement("span"), { className: "problem" }));
    if (problem.textContent !== `✕ ${words}`) problem.textContent = `✕ ${words}`;
  };

  const showErrors = () => {
    const text = document.getElementById("plan-errors")?.textContent;
    if (!text) return;
    const errors = JSON.parse(text);
    for (const field of form.querySelectorAll("[name^='p.']")) {
      if (left.has(field.name)) tell(field, messageOf(errors, field.name.slice(2)));
    }
  };
  document.addEventListener("htmx:after:swap", showErrors);

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit(document.getElementById("start-button"));
  });
  document.getElementById("f-version")?.addEventListener("change", () => form.requestSubmit(document.getElementById("use-version")));
})();
