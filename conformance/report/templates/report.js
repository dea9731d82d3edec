/* Comforts only: the page is complete without this. */
(() => {
  "use strict";
  const $ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

  /* Theme: the system's, until the reader chooses; the third choice is the system's again. */
  const theme = document.getElementById("theme");
  const THEMES = ["system", "light", "dark"];
  const remember = (value) => { try { localStorage.setItem("theme", value); } catch { /* file:// may refuse */ } };
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  let chosen = 0;
  const choose = (index) => {
    chosen = Math.max(index, 0) % THEMES.length;
    if (chosen) root.dataset.theme = THEMES[chosen];
    else delete root.dataset.theme;
    theme.textContent = `Colours: ${THEMES[chosen]}`;
  };
  theme.addEventListener("click", () => { choose(chosen + 1); remember(THEMES[chosen]); });
  theme.hidden = false;
  choose(THEMES.indexOf(remembered()));

  /* The address: what it leads to, after "#", or after "at=" where it has more to say after "#?".
     A link into something closed opens it. */
  let at = "";
  const filtered = () => location.hash.startsWith("#?");
  const said = () => new URLSearchParams(location.hash.slice(2));
  const reveal = () => {
    try { at = filtered() ? said().get("at") || "" : decodeURIComponent(location.hash.slice(1)); } catch { at = ""; }
    const place = at && document.getElementById(at);
    if (!place) return;
    for (let e = place; e; e = e.parentElement) { if (e.tagName === "DETAILS") e.open = true; e.hidden = false; }
    place.scrollIntoView();
  };

  /* Copy both halves of a replay script. */
  const byHand = (text) => {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  for (const button of $(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const script = button.closest("details").querySelector("pre").textContent;
      const whole = document.getElementById("prelude").textContent + "\n" + script;
      let done = true;
      try { await navigator.clipboard.writeText(whole); } catch { done = byHand(whole); }
      const said = button.textContent;
      button.textContent = done ? "Copied" : "Could not copy";
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  }

  /* Filters: every group narrows; the address keeps them after "#?". */
  const form = document.getElementById("filters");
  if (!form) { reveal(); addEventListener("hashchange", reveal); return; }
  const output = form.querySelector("output");
  const SEVERAL = ["status", "level", "dtype"];
  const ONE = ["family", "framework", "device"];
  const has = (set, value) => set.size === 0 || set.has(value);
  const wanted = () => {
    const data = new FormData(form);
    const f = { words: data.get("text").toLowerCase().match(/\S+/g) || [], order: data.get("order") || "" };
    for (const key of SEVERAL) f[key] = new Set(data.getAll(key));
    for (const key of ONE) f[key] = data.get(key) || "";
    f.on = f.words.length > 0 || SEVERAL.some((key) => f[key].size) || ONE.some((key) => f[key]);
    return f;
  };
  const texts = new Map();
  const textOf = (element) => {
    if (!texts.has(element)) texts.set(element, element.textContent.toLowerCase());
    return texts.get(element);
  };
  const says = (f, text) => f.words.every((word) => text.includes(word));
  /* An element says in its data what it is about; a facet that it is silent on does not hide it. */
  const fits = (f, element) => {
    const { cells, level, ...rest } = element.dataset;
    if (level && f.level.size && !level.split(" ").some((one) => f.level.has(one))) return false;
    if (ONE.some((key) => f[key] && rest[key] !== undefined && !rest[key].split(" ").includes(f[key]))) return false;
    if (cells && !cells.trim().split(" ").some((pair) => {
      const [status, dtype] = pair.split(":");
      return has(f.status, status) && has(f.dtype, dtype);
    })) return false;
    return !cells || says(f, textOf(element));
  };

  /* The matrix, read once: each row's marks as they stand, a status for each column and dtype. */
  const matrix = document.querySelector(".matrix");
  const dtypes = matrix ? matrix.dataset.dtypes.split(" ") : [];
  /* What is searched of a property is its whole statement, with its needs and regimes. */
  const stated = (row) => document.getElementById(decodeURIComponent(row.querySelector(".slug").hash.slice(1)));
  let model = null;
  let narrowed = false;
  const read = () => {
    model = $("tbody", matrix).map((body) => ({
      body,
      family: body.dataset.family,
      rows: $(".property", body).map((row) => ({
        row,
        level: row.dataset.level,
        text: textOf(row.cells[0]) + textOf(stated(row)),
        marks: $("td", row).map((cell) => [...(cell.firstElementChild?.children || [])].map((mark) => mark.className)),
      })),
    }));
  };
  const columns = matrix ? $("thead .turned", matrix) : [];
  /* Columns and marks are put aside by one style sheet: thousands of elements are not touched. */
  const aside = matrix && document.head.appendChild(document.createElement("style"));
  const narrow = (f) => {
    if (!model) read();
    const shown = columns.map((c) => ["framework", "device"].every((key) => !f[key] || c.dataset[key] === f[key]));
    matrix.style.setProperty("--columns", shown.filter(Boolean).length);
    const rules = columns.flatMap((c, i) => (shown[i] ? [] : `.matrix tr > :nth-child(${c.cellIndex + 1}) { display: none }`));
    const faint = "{ opacity: .1 }";
    if (f.status.size) rules.push(`.matrix .property i:not(${[...f.status].map((s) => "." + s).join()}) ${faint}`);
    if (f.dtype.size) dtypes.forEach((d, i) => { if (!f.dtype.has(d)) rules.push(`.matrix .property i:nth-child(${i + 1}) ${faint}`); });
    aside.textContent = rules.join("\n");
    const right = dtypes.map((d) => has(f.dtype, d));
    let count = 0;
    for (const { body, family, rows } of model) {
      let here = 0;
      for (const { row, level, text, marks } of rows) {
        let found = 0;
        if ((!f.family || family === f.family) && has(f.level, level) && says(f, text)) {
          marks.forEach((cell, c) => {
            if (shown[c]) cell.forEach((status, d) => { found += right[d] && status !== "none" && has(f.status, status); });
          });
        }
        if (row.hidden !== (found === 0)) row.hidden = found === 0;
        here += found > 0;
        count += found;
      }
      body.hidden = here === 0;
      if (f.on || narrowed) body.querySelector(".open").checked = f.on && here > 0;
    }
    narrowed = f.on;
    return count;
  };

  /* Order: the rows of the board, and the columns of the matrix with them. */
  const board = document.querySelector(".board tbody");
  const listed = board ? [...board.rows] : [];
  const KEYS = {
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
    score: (a, b) => b.dataset.score - a.dataset.score,
    found: (a, b) => b.dataset.found - a.dataset.found,
  };
  let order = "";
  let places = null;
  const sort = (key) => {
    if (!board || key === order) return;
    order = key;
    const sorted = [...listed];
    if (KEYS[key]) sorted.sort(KEYS[key]);
    board.append(...sorted);
    places = places || $("tr", matrix).map((row) => [row, [...row.cells].slice(1)]);
    const turn = sorted.map((row) => listed.indexOf(row));
    for (const [row, cells] of places) row.append(...turn.map((i) => cells[i]));
  };

  const others = $("#evidence [data-cells], .board tbody tr");
  const apply = () => {
    const f = wanted();
    sort(f.order);
    let shown = 0;
    for (const element of others) {
      element.hidden = !fits(f, element);
      shown += !element.hidden;
    }
    const count = matrix ? `${narrow(f).toLocaleString("en")} cells` : `${shown} properties`;
    output.textContent = f.on ? count : "";
  };
  /* Families that filters open need not be said. */
  const openers = matrix ? $(".all, .open", matrix) : [];
  const family = (opener) => opener.closest("tbody")?.dataset.family ?? "*";
  const keep = () => {
    const data = [...new FormData(form)].filter(([, value]) => value);
    for (const one of openers) if (one.checked && (!narrowed || family(one) === "*")) data.push(["open", family(one)]);
    if (data.length && at) data.push(["at", at]);
    const query = new URLSearchParams(data).toString();
    history.replaceState(null, "", query ? "#?" + query : at ? "#" + encodeURI(at) : location.pathname + location.search);
  };
  const restore = () => {
    const query = filtered() ? said() : new URLSearchParams();
    for (const field of form.elements) {
      if (field.type === "checkbox") field.checked = query.getAll(field.name).includes(field.value);
      else if (field.name) field.value = query.get(field.name) || "";
    }
    apply();
    for (const one of openers) if (!narrowed || family(one) === "*") one.checked = query.getAll("open").includes(family(one));
    reveal();
  };
  const changed = () => { at = ""; apply(); keep(); };
  form.hidden = false;
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
  for (const one of openers) one.addEventListener("change", keep);
  addEventListener("hashchange", () => { if (filtered()) restore(); else { reveal(); keep(); } });
  /* A finding that one opens is where the address leads, until it is closed. */
  for (const summary of $(".finding > summary")) {
    summary.addEventListener("click", () => {
      const finding = summary.parentElement;
      if (!finding.open) at = finding.id;
      else if (at === finding.id) at = "";
      keep();
    });
  }

  /* In the matrix: what a mark means is shown where one points; arrows go from cell to cell. */
  if (matrix) {
    matrix.addEventListener("mouseover", (event) => {
      const mark = event.target.closest("[aria-label]");
      if (mark && !mark.title) mark.title = mark.getAttribute("aria-label");
    });
    const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    matrix.addEventListener("keydown", (event) => {
      const cell = event.target.closest(".property > *");
      if (!cell || !STEPS[event.key]) return;
      const [down, right] = STEPS[event.key];
      const rows = $(".property", matrix).filter((row) => row.offsetParent);
      let next = cell;
      do {
        const row = rows[rows.indexOf(next.parentElement) + down];
        next = row && row.cells[next.cellIndex + right];
      } while (next && !(next.offsetParent && next.querySelector("a")));
      if (next) next.querySelector("a").focus();
      event.preventDefault();
    });
    /* One stop a row for the Tab key: the arrows do the rest. */
    for (const link of $(".property td + td a", matrix)) link.tabIndex = -1;
  }
  if (filtered()) restore();
  else reveal();
})();
