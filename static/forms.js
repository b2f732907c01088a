// Small things of every page. Forms marked data-once are sent once, however often they are clicked. A start form that comes back
// from the browser's memory asks for a workflow of its own: its idempotency key is used up. Copy buttons, windows, menus, messages.
(() => {
  document.documentElement.classList.add("js");

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

  // Messages: one status region; good news leaves by itself, an error stays until it is closed.
  const STAY_MILLISECONDS = 8000;
  const messages = () => document.getElementById("messages");
  const settle = (line) => {
    const close = Object.assign(document.createElement("button"), { type: "button", className: "toast-close", textContent: "×" });
    close.setAttribute("aria-label", "Close this message");
    close.addEventListener("click", () => line.remove());
    line.append(close);
    if (!line.classList.contains("error")) setTimeout(() => line.matches(":hover, :focus-within") || line.remove(), STAY_MILLISECONDS);
  };
  const say = (words, tone = "") => {
    const line = Object.assign(document.createElement("p"), { className: `toast-line ${tone}`, textContent: words });
    messages()?.append(line);
    settle(line);
  };
  document.addEventListener("toast", (event) => say(event.detail.words, event.detail.tone));

  const copied = (button) => {
    if (!button.checkVisibility()) return say(`Copied: ${button.dataset.keyWords || button.textContent}`, "success");
    if (button.dataset.copied) return;
    button.dataset.copied = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = button.dataset.copied;
      delete button.dataset.copied;
    }, 1500);
  };
  const copy = async (button) => {
    const words = button.dataset.copyText || document.getElementById(button.dataset.copy)?.textContent.trim() || "";
    try {
      await navigator.clipboard.writeText(words);
      copied(button);
    } catch {
      say("The browser did not let this page copy. Select the text and copy it yourself.", "error");
    }
  };

  // A window may also stand in the page and be opened by its address: #NAME.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const opener = event.target.closest("[data-opens]");
    const opened = opener && document.getElementById(opener.dataset.opens);
    if (opened?.showModal && !opened.open && opened.id !== "keys-sheet") {
      event.preventDefault();
      opened.showModal();
    }
    if (event.target.matches("dialog[open]")) event.target.close();
    for (const menu of document.querySelectorAll("details[data-menu][open], details[data-confirm][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("details[data-menu][open], details[data-confirm][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("DOMContentLoaded", () => messages()?.querySelectorAll(".toast-line").forEach(settle));
})();
