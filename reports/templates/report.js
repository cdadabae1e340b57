"use strict";
// Conveniences only: everything on the page can be read and reached without them.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const tools = (name) => {
    const box = document.querySelector(`[data-tools="${name}"]`);
    if (box) box.hidden = false;
    return box;
  };

  // The matrix: only rows with something to look at.
  const groups = all("table.matrix > tbody");
  const calm = groups.filter((group) => !group.querySelector(".mark.failed, .mark.broken, .mark.stopped, .mark.missing"));
  if (calm.length && calm.length < groups.length) {
    const button = make("button", { type: "button", textContent: "Only what did not pass" });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      calm.forEach((group) => { group.hidden = on; });
    });
    tools("matrix").append(button);
  }

  // The audit list: rows that hold every word typed.
  const rows = all("table.audit > tbody > tr");
  if (rows.length > 12) {
    const input = make("input", { type: "search", placeholder: "Filter, e.g. cologne failed", spellcheck: false });
    const said = make("small", { role: "status" });
    input.setAttribute("aria-label", "Show only runs that contain these words");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      });
      said.textContent = words.length ? `${shown} of ${rows.length}` : "";
    });
    tools("audit").append(input, said);
  }

  // Step timings: long on a phone, so they start closed there.
  const panels = all("details[data-panel]");
  const fold = (open) => panels.forEach((panel) => { panel.open = open; });
  if (panels.length) {
    const button = make("button", { type: "button" });
    const label = () => { button.textContent = panels.some((panel) => panel.open) ? "Close all steps" : "Open all steps"; };
    button.addEventListener("click", () => fold(!panels.some((panel) => panel.open)));
    panels.forEach((panel) => panel.addEventListener("toggle", label));
    if (matchMedia("(max-width: 36rem)").matches) fold(false);
    label();
    tools("panels").append(button);
  }

  // Paper shows everything.
  let closed = [];
  addEventListener("beforeprint", () => { closed = panels.filter((panel) => !panel.open); fold(true); });
  addEventListener("afterprint", () => closed.forEach((panel) => { panel.open = false; }));

  // A command can be copied where the browser allows it.
  if (navigator.clipboard) {
    all("[data-copy]").forEach((block) => {
      const button = make("button", { type: "button", textContent: "Copy" });
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(block.querySelector("code").textContent);
        button.textContent = "Copied";
      });
      block.prepend(button);
    });
  }
})();
