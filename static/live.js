// One poll per page. It asks for the live region (#live) again: only in a visible tab, as often as the region's data-poll says
// (milliseconds; 0 ends it), more and more seldom while the server does not answer. htmx morphs the answer in, 304 changes nothing.
// Every answer says how much longer to wait just now (Poll-Stretch: the server's load), and no two pages ask in step. When the region
// knows that something will happen (data-due), it asks right after, too.
// Between polls it keeps the times on the page current, and the icon of the tab shows what data-look says of a workflow.
(() => {
  const RETRY_SECONDS = [1, 2, 4, 8, 15, 30];
  const JITTER = 0.1, MOST_MILLISECONDS = 60_000, DUE_MILLISECONDS = 1_000;
  let timer = 0, failures = 0, isPaused = false, isAsking = false, answeredAt = Date.now(), retryAt = 0, clockAhead = 0, stretch = 1;

  const region = () => document.getElementById("live");
  const interval = () => Number(region()?.dataset.poll || 0);
  const isEnded = () => interval() === 0;
  const wait = () => Math.min(MOST_MILLISECONDS, untilDue(), interval() * stretch) * (1 + JITTER * (2 * Math.random() - 1));
  const untilDue = () => {
    const left = Date.parse(region()?.dataset.due) - now();
    return left > 0 ? left + DUE_MILLISECONDS : Infinity;
  };

  const schedule = (milliseconds) => {
    clearTimeout(timer);
    if (!isEnded() && !isPaused && !document.hidden) timer = setTimeout(ask, milliseconds);
  };

  const ask = () => {
    if (isAsking || !region()) return;
    isAsking = true;
    htmx.trigger(region(), "refresh");
  };

  const answered = (headers) => {
    failures = 0;
    retryAt = 0;
    answeredAt = Date.now();
    stretch = Math.max(1, Number(headers?.get?.("Poll-Stretch")) || 1);
    schedule(wait());
  };

  const failed = () => {
    const seconds = RETRY_SECONDS[Math.min(failures, RETRY_SECONDS.length - 1)];
    failures += 1;
    retryAt = Date.now() + seconds * 1000;
    schedule(seconds * 1000);
  };

  const isPoll = (event) => event.detail.ctx?.sourceElement?.id === "live";

  // The reader went to another view of the page while a poll was on its way: its answer is of the view before.
  const place = (address) => {
    const { pathname, search } = new URL(address, document.baseURI);
    return pathname + search;
  };
  const isStale = (event) => isPoll(event) && place(event.detail.ctx.request.action) !== place(region()?.getAttribute("hx-get") || "");

  // A signed-out reader is redirected to the login page: show that page, not its text inside this one.
  document.addEventListener("htmx:before:response", (event) => {
    if (isStale(event)) return event.preventDefault();
    if (!event.detail.ctx.response.raw.redirected) return;
    event.preventDefault();
    location.reload();
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const status = event.detail.ctx.response?.status || 0;
    if (!isPoll(event)) return status === 0 || status >= 500 ? (failed(), show()) : undefined;
    isAsking = false;
    if (status === 404 || status === 403) return location.reload();
    if (status >= 200 && status < 400) answered(event.detail.ctx.response.headers); else failed();
    show();
  });

  // The focus stays where it was; when what had it is gone, it goes to the page, not to the top of the document.
  let focused = null;
  document.addEventListener("htmx:before:swap", () => {
    focused = region()?.contains(document.activeElement) ? document.activeElement : null;
  });
  const keepFocus = () => {
    if (!focused || document.activeElement !== document.body) return;
    const again = focused.isConnected ? focused : focused.id && document.getElementById(focused.id);
    (again || document.getElementById("content")).focus({ preventScroll: true });
  };

  document.addEventListener("htmx:after:swap", (event) => {
    keepFocus();
    setClock();
    showIcon();
    tick();
    if (!isPoll(event)) answered(event.detail.ctx?.response?.headers);
  });

  // Also a page that had ended looks once when it is seen again: somebody may have retried the workflow since.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden && !isPaused) ask();
  });
  window.addEventListener("online", () => schedule(0));

  document.addEventListener("click", (event) => {
    if (event.target.closest("#live-pause")) {
      isPaused = !isPaused;
      schedule(0);
      show();
    }
  });

  const showIcon = () => {
    const icon = document.getElementById("favicon");
    if (!icon) return;
    icon.dataset.plain ||= icon.getAttribute("href");
    const wanted = icon.dataset[region()?.dataset.look] || icon.dataset.plain;
    if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
  };

  // The page's clock is the server's: the reader's own may be wrong.
  const setClock = () => {
    const now = region()?.dataset.now;
    if (now) clockAhead = Date.parse(now) - Date.now();
  };
  const now = () => Date.now() + clockAhead;

  const units = [[86400, "d"], [3600, "hr"], [60, "min"], [1, "sec"]];
  const relative = (milliseconds) => {
    const seconds = Math.floor(Math.abs(milliseconds) / 1000);
    if (seconds < 1) return "now";
    const [size, unit] = units.find(([size]) => seconds >= size);
    const words = `${Math.floor(seconds / size)} ${unit}`;
    return milliseconds > 0 ? `in ${words}` : `${words} ago`;
  };
  const duration = (milliseconds) => {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    if (seconds < 60) return `${seconds} sec`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} sec`;
    return `${Math.floor(seconds / 3600)} hr ${Math.floor((seconds % 3600) / 60)} min`;
  };
  // The text node stays the same one, so that a selection around it stays too.
  const write = (element, words) => {
    if (element.textContent === words) return;
    if (element.childNodes.length === 1 && element.firstChild.nodeType === Node.TEXT_NODE) element.firstChild.data = words;
    else element.textContent = words;
  };

  const stateWords = () => {
    if (isEnded()) return ["ended", "Up to date"];
    if (failures) return ["lost", `Reconnecting in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s`];
    const age = Math.floor((Date.now() - answeredAt) / 1000);
    return isPaused ? ["paused", `Paused · ${age} s ago`] : ["live", age < 2 ? "Live" : `Live · ${age} s ago`];
  };

  const show = () => {
    const element = document.getElementById("live-state");
    if (!element) return;
    const [state, words] = stateWords();
    element.hidden = false;
    element.dataset.state = state;
    write(element.querySelector(".words"), words);
    const button = element.querySelector("button");
    button.hidden = isEnded();
    write(button, isPaused ? "Resume" : "Pause");
  };

  const tick = () => {
    for (const element of document.querySelectorAll("time[data-ago]")) write(element, relative(Date.parse(element.dateTime) - now()));
    for (const element of document.querySelectorAll("[data-since]")) write(element, duration(now() - Date.parse(element.dataset.since)));
    show();
  };

  document.addEventListener("DOMContentLoaded", () => {
    setClock();
    showIcon();
    tick();
    setInterval(tick, 1000);
    schedule(wait());
  });
})();
