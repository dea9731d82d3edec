/* Comforts only: the page is complete without this. */
(() => {
  "use strict";
  const $ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

  /* Theme: the system's, until the reader chooses. */
  const theme = document.getElementById("theme");
  const remember = (value) => { try { localStorage.setItem("theme", value); } catch { /* file:// may refuse */ } };
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = dark() ? "Light" : "Dark"; theme.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`); };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; remember(root.dataset.theme); name(); });
  theme.hidden = false;
  name();

  /* A link into something closed opens it. */
  const reveal = () => {
    if (location.hash.startsWith("#?")) return;
    let at;
    try { at = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!at) return;
    for (let e = at; e; e = e.parentElement) { if (e.tagName === "DETAILS") e.open = true; e.hidden = false; }
    at.scrollIntoView();
  };
  addEventListener("hashchange", () => (location.hash.startsWith("#?") ? restore() : reveal()));

  /* Copy both halves of a replay script. */
  for (const button of $(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const script = button.closest("details").querySelector("pre").textContent;
      const whole = document.getElementById(button.dataset.prelude).textContent + "\n" + script;
      let done = true;
      try { await navigator.clipboard.writeText(whole); } catch { done = byHand(whole); }
      const said = button.textContent;
      button.textContent = done ? "Copied" : "Could not copy";
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  }
  const byHand = (text) => {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  /* Filters: every group narrows; the address keeps them after "#?". */
  const form = document.getElementById("filters");
  const output = form.querySelector("output");
  const dtypes = $("[name=dtype]", form).map((box) => box.value);
  const several = ["status", "level", "dtype"];
  const wanted = () => {
    const data = new FormData(form);
    const sets = Object.fromEntries(several.map((key) => [key, new Set(data.getAll(key))]));
    return { ...sets, family: data.get("family"), text: data.get("text").trim().toLowerCase() };
  };
  const has = (set, value) => set.size === 0 || set.has(value);
  const fits = (f, element) => has(f.level, element.dataset.level) && (!f.text || element.textContent.toLowerCase().includes(f.text));
  const active = (f) => several.some((key) => f[key].size) || f.family || f.text;

  const apply = () => {
    const f = wanted();
    const on = active(f);
    let shown = 0;
    for (const family of $(".matrix tbody")) {
      let rows = 0;
      const here = !f.family || family.dataset.family === f.family;
      for (const row of $(".property", family)) {
        let marks = 0;
        if (here && fits(f, row)) {
          for (const cell of $("td", row)) {
            [...cell.children].forEach((mark, i) => {
              const fit = !mark.classList.contains("none") && has(f.status, mark.classList[1]) && has(f.dtype, dtypes[i]);
              mark.style.opacity = fit ? "" : ".08";
              marks += fit;
            });
          }
        }
        row.hidden = marks === 0;
        rows += marks > 0;
        shown += marks;
      }
      family.hidden = rows === 0;
      if (on) family.querySelector(".open").checked = rows > 0;
    }
    for (const finding of $(".finding")) {
      const cells = finding.dataset.cells.trim().split(" ").map((pair) => pair.split(":"));
      finding.hidden = !(fits(f, finding) && (!f.family || finding.dataset.family === f.family)
        && cells.some(([status, dtype]) => has(f.status, status) && has(f.dtype, dtype)));
    }
    output.textContent = on ? `${shown.toLocaleString("en")} cells` : "";
  };
  const keep = () => {
    const data = [...new FormData(form)].filter(([, value]) => value);
    const query = new URLSearchParams(data).toString();
    history.replaceState(null, "", query ? "#?" + query : location.pathname + location.search);
  };
  const restore = () => {
    const query = new URLSearchParams(location.hash.slice(2));
    for (const box of $("input[type=checkbox]", form)) box.checked = query.getAll(box.name).includes(box.value);
    form.elements.family.value = query.get("family") || "";
    form.elements.text.value = query.get("text") || "";
    apply();
  };
  form.hidden = false;
  form.addEventListener("input", () => { apply(); keep(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    for (const box of $(".open")) box.checked = false;
    apply();
    keep();
  }));
  if (location.hash.startsWith("#?")) restore();
  else reveal();
})();
