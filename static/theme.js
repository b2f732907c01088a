// The reader's theme before the first paint. Without this script the form on the page still works, and "auto" follows the system by CSS.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => ["light", "dark", "auto"].find((name) => root.classList.contains(`theme-${name}`)) || "auto";
  const apply = () => root.classList.toggle("dark", chosen() === "dark" || (chosen() === "auto" && system.matches));

  const choose = (theme) => {
    root.classList.remove("theme-auto", "theme-light", "theme-dark");
    root.classList.add(`theme-${theme}`);
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    for (const button of document.querySelectorAll(".theme-switch button")) button.setAttribute("aria-pressed", String(button.value === theme));
    apply();
  };

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".theme-switch") || !event.submitter) return;
    event.preventDefault();
    choose(event.submitter.value);
  });
})();
