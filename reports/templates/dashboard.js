"use strict";
// Asks the server for the page's content again and again, counts ages on, and says plainly when no answer comes.
(() => {
  const EVERY = 5000, PATIENCE = 15000;
  const main = document.querySelector("[data-live]");
  const banner = document.getElementById("stale");
  const section = () => main.querySelector("[data-answered]");
  let answered = Date.now();
  // The server's clock may differ from this machine's.
  let ahead = Date.parse(section().dataset.answered) - answered;

  const span = (milliseconds) => {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), rest = minutes % 60;
    if (minutes < 60) return `${minutes} min`;
    if (hours < 48) return rest && hours < 12 ? `${hours} h ${rest} min` : `${hours} h`;
    return `${Math.floor(hours / 24)} days`;
  };

  const count = () => {
    const now = Date.now();
    main.querySelectorAll("time[data-ago]").forEach((each) => {
      each.textContent = `${span(now + ahead - Date.parse(each.dateTime))} ago`;
    });
    const silent = now - answered > PATIENCE;
    document.documentElement.classList.toggle("is-stale", silent);
    banner.hidden = !silent;
    if (silent) {
      const at = new Date(answered + ahead).toISOString().slice(11, 19);
      const text = `The server has not answered for ${span(now - answered)}. What you see is of ${at} UTC.`;
      if (banner.textContent !== text) banner.textContent = text;
      document.title = `Stale – ${section().dataset.title}`;
    }
  };

  // What a person opened, scrolled to or stands on stays as it is.
  const renew = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    const open = new Set([...main.querySelectorAll("details[open]")].map((each) => each.id));
    const scrolled = [...main.querySelectorAll(".scroll")].map((each) => [each.scrollLeft, each.scrollTop]);
    const focusable = "a, button, summary, [tabindex]";
    const place = [...main.querySelectorAll(focusable)].indexOf(document.activeElement);
    fresh.querySelectorAll("details").forEach((each) => { each.open = open.has(each.id); });
    main.replaceChildren(...fresh.childNodes);
    main.querySelectorAll(".scroll").forEach((each, at) => {
      if (scrolled[at]) [each.scrollLeft, each.scrollTop] = scrolled[at];
    });
    if (place >= 0) main.querySelectorAll(focusable)[place]?.focus({ preventScroll: true });
    document.title = section().dataset.title;
  };

  const ask = async () => {
    try {
      const answer = await fetch(`parts${location.search}`, { cache: "no-store", signal: AbortSignal.timeout(EVERY * 2) });
      if (answer.ok) {
        const html = await answer.text();
        // Whoever is marking text on the page keeps the selection.
        const choosing = main.querySelector("form.filter")?.contains(document.activeElement);
        if (String(document.getSelection()) === "" && !choosing) renew(html);
        const moment = new DOMParser().parseFromString(html, "text/html").querySelector("[data-answered]");
        answered = Date.now();
        ahead = Date.parse(moment.dataset.answered) - answered;
      }
    } catch {
      // No answer: the banner says so.
    }
    count();
    setTimeout(ask, EVERY);
  };

  main.addEventListener("change", (event) => {
    if (event.target.matches("form.filter select")) event.target.form.requestSubmit();
  });
  setInterval(count, 1000);
  setTimeout(ask, EVERY);
})();
