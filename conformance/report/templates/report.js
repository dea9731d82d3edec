/* Comforts only: the page is complete without this. */
(() => {
  "use strict";
  const $ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

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
    if (place.id === "filters") place.querySelector("input").focus();
  };

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
  const plural = (n, one) => `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`;
  const inWords = (items, most) => {
    const all = items.length > most ? [...items.slice(0, most - 1), `${items.length - most + 1} more`] : items;
    return [all.slice(0, -1).join(", "), all.at(-1)].filter(Boolean).join(" and ");
  };
  /* An element says in its data what it is about. */
  const fits = (f, element) => {
    const { cells, level, family } = element.dataset;
    return has(f.level, level) && (!f.family || family === f.family) && says(f, textOf(element)) &&
      cells.trim().split(" ").some((pair) => {
        const [status, dtype] = pair.split(":");
        return has(f.status, status) && has(f.dtype, dtype);
      });
  };

  /* The matrix, read once, before it is put in another order: each row's marks as they stand, a
     status for each column and dtype. */
  const matrix = document.querySelector(".matrix");
  const dtypes = matrix ? matrix.dataset.dtypes.split(" ") : [];
  const columns = matrix ? $("thead .turned", matrix) : [];
  const about = (f, column) => (!f.device || f.device === column.dataset.device) &&
    (!f.framework || [column.dataset.framework, column.dataset.library].includes(f.framework));
  /* What is searched of a property is its whole statement, with its needs and regimes. */
  const stated = (row) => document.getElementById(decodeURIComponent(row.querySelector(".slug").hash.slice(1)));
  /* The page is smaller where neighbours that are alike are one mark: one for each dtype is made here. */
  for (const run of matrix ? $(".property i", matrix) : []) {
    const [first, ...more] = run.textContent;
    if (!more.length) continue;
    run.textContent = first;
    run.after(...more.map(() => run.cloneNode(true)));
  }
  /* Where nothing but passes are, the link is made here: they are most of the matrix. */
  for (const row of matrix ? $(".property", matrix) : []) {
    const slug = row.querySelector(".slug").hash.replace("#property/", "");
    $("td", row).forEach((cell, i) => {
      const marks = cell.querySelector("b");
      if (!marks?.querySelector(".pass")) return;
      const link = document.createElement("a");
      link.href = `${columns[i].querySelector("a").getAttribute("href").split("#")[0]}#${columns[i].dataset.device}/${slug}`;
      link.setAttribute("aria-label", marks.getAttribute("aria-label"));
      link.append(...marks.childNodes);
      marks.replaceWith(link);
    });
  }
  const each = (marks) => (marks.length === 1 ? dtypes.map(() => marks[0]) : marks);
  let model = null;
  let narrowed = false;
  const read = () => {
    model = $("tbody", matrix).map((body) => ({
      body,
      family: body.dataset.family,
      size: body.querySelector(".family small"),
      sums: $(".family td", body).map((cell) => ({ cell, whole: [...cell.childNodes], now: "" })),
      rows: $(".property", body).map((row) => ({
        row,
        family: body.dataset.family,
        level: row.dataset.level,
        slug: row.querySelector(".slug").textContent,
        text: textOf(row.cells[0]) + textOf(stated(row)),
        links: $("td", row).map((cell) => cell.querySelector("a")?.getAttribute("href")),
        marks: $("td", row).map((cell) => each($("i", cell).map((mark) => mark.className))),
      })),
    }));
  };
  /* A family's mark is the worst of its cells that fit, and how many share it. */
  const ranks = matrix ? matrix.dataset.ranks.split(" ") : [];
  const detailed = new Set(matrix ? matrix.dataset.detailed.split(" ") : []);
  const glyph = (status) => form.querySelector(`[value="${status}"] + * .mark`).textContent;
  const sum = (f, found, { cell, whole }) => {
    if (!f.on) return cell.replaceChildren(...whole);
    const worst = ranks.find((status) => found.get(status));
    if (!worst) return cell.replaceChildren();
    const mark = document.createElement("i");
    mark.className = worst;
    mark.textContent = glyph(worst);
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", `${found.get(worst)} ${worst}`);
    const many = document.createElement("small");
    if (detailed.has(worst)) many.textContent = found.get(worst);
    cell.replaceChildren(mark, many);
  };
  /* Columns and marks are put aside by one style sheet: thousands of elements are not touched. */
  const aside = matrix && document.head.appendChild(document.createElement("style"));
  const narrow = (f) => {
    const shown = columns.map((c) => about(f, c));
    matrix.style.setProperty("--columns", shown.filter(Boolean).length);
    const rules = columns.flatMap((c, i) => (shown[i] ? [] : `.matrix tr > :nth-child(${c.cellIndex + 1}) { display: none }`));
    const faint = "{ opacity: .1 }";
    if (f.status.size) rules.push(`.matrix .property i:not(${[...f.status].map((s) => "." + s).join()}) ${faint}`);
    if (f.dtype.size) dtypes.forEach((d, i) => { if (!f.dtype.has(d)) rules.push(`.matrix .property i:not(:only-child):nth-child(${i + 1}) ${faint}`); });
    aside.textContent = rules.join("\n");
    const right = dtypes.map((d) => has(f.dtype, d));
    let count = 0;
    for (const { body, family, size, sums, rows } of model) {
      const ends = columns.map(() => new Map());
      let here = 0;
      for (const { row, level, text, marks } of rows) {
        let found = 0;
        if ((!f.family || family === f.family) && has(f.level, level) && says(f, text)) {
          marks.forEach((cell, c) => {
            if (shown[c]) cell.forEach((status, d) => {
              if (!right[d] || !status || !has(f.status, status)) return;
              found += 1;
              ends[c].set(status, (ends[c].get(status) || 0) + 1);
            });
          });
        }
        if (row.hidden !== (found === 0)) row.hidden = found === 0;
        here += found > 0;
        count += found;
      }
      body.hidden = here === 0;
      size.textContent = f.on ? here : rows.length;
      sums.forEach((one, c) => {
        const now = f.on ? [...ends[c]].join() : "";
        if (now !== one.now || !f.on !== !narrowed) sum(f, ends[c], one);
        one.now = now;
      });
      if (f.on || narrowed) body.querySelector(".open").checked = f.on && here > 0;
    }
    narrowed = f.on;
    return count;
  };

  /* Causes: a row gives its cells by number, the worst first.  Counted and named are those that fit. */
  let causes = null;
  const gather = () => {
    const properties = model.flatMap(({ rows }) => rows);
    causes = $("#causes [data-places]").map((row) => {
      const regimes = JSON.parse(row.dataset.regimes);
      const cells = row.dataset.places.split(" ").map((place) => {
        const [c, p, d, r] = place.split(".");
        const cell = { c, column: columns[c], property: properties[p], dtype: dtypes[d], regime: regimes[r] || "" };
        cell.text = `${textOf(row.cells[1])} ${cell.column.textContent} ${cell.property.slug} ${cell.regime}`.toLowerCase();
        return cell;
      });
      return { row, cells, count: row.querySelector("small"), whole: [2, 3].map((i) => [...row.cells[i].childNodes]) };
    });
  };
  const among = (f, { column, property, dtype, text }) =>
    about(f, column) && (!f.family || property.family === f.family) && has(f.level, property.level) && has(f.dtype, dtype) && says(f, text);
  const names = (cells) => {
    const worst = [...new Map([...cells].reverse().map((cell) => [cell.c, cell])).values()].reverse();
    const links = worst.slice(0, 12).flatMap(({ c, column, property }, i) => {
      const link = document.createElement("a");
      link.href = property.links[c];
      link.textContent = column.textContent;
      return i ? [", ", link] : [link];
    });
    return worst.length > 12 ? [...links, ` and ${worst.length - 12} more`] : links;
  };
  const where = (cells) => {
    const found = (key) => [...new Set(cells.map(key))].filter(Boolean);
    const more = document.createElement("small");
    const regimes = found((cell) => cell.regime);
    more.textContent = inWords(dtypes.filter((d) => cells.some((cell) => cell.dtype === d)), 6)
      + (regimes.length ? `; counterexamples in ${inWords(regimes, 4)}` : "");
    return [inWords(found((cell) => cell.property.slug), 5), more];
  };
  const explain = (f) => {
    let shown = 0;
    for (const { row, cells, count, whole } of causes) {
      const left = has(f.status, row.dataset.status) ? cells.filter((cell) => among(f, cell)) : [];
      row.hidden = !left.length;
      if (row.hidden) continue;
      shown += 1;
      count.textContent = plural(left.length, "cell");
      const parts = left.length === cells.length ? whole : [names(left), where(left)];
      parts.forEach((part, i) => row.cells[i + 2].replaceChildren(...part));
    }
    return shown;
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

  const others = $("#evidence [data-cells]");
  const apply = () => {
    const f = wanted();
    if (matrix && !model) { read(); gather(); }
    sort(f.order);
    for (const element of others) element.hidden = !fits(f, element);
    const cells = matrix ? narrow(f) : 0;
    const reasons = matrix ? explain(f) : 0;
    const properties = new Set(others.filter((e) => !e.hidden).map((e) => e.dataset.property)).size;
    const said = matrix
      ? `${plural(cells, "cell")} in the matrix, ${plural(reasons, "reason")}`
      : `${properties} ${properties === 1 ? "property" : "properties"}`;
    output.textContent = !f.on ? "" : cells + reasons + properties ? said : "nothing matches";
    for (const note of $("#evidence .nothing")) {
      note.hidden = !f.on || $("[data-cells], [data-places], .property", note.parentElement).some((e) => !e.hidden);
    }
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
  for (const element of $(".skip, .keys, .order")) element.hidden = false;
  for (const field of form.elements) if (!form.contains(field)) field.addEventListener("input", changed);
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

  /* The matrix's column names stay in sight: below the bar, or at the top of the window. */
  const frame = matrix?.closest(".scroll");
  const settle = () => {
    const bar = form.getBoundingClientRect();
    root.style.setProperty("--bar", `${Math.ceil(bar.height)}px`);
    if (!frame) return;
    const { top, height } = frame.getBoundingClientRect();
    const head = matrix.tHead.offsetHeight;
    const under = Math.min(Math.max(bar.bottom, 0) - top, height - head);
    matrix.tHead.style.setProperty("--under", `${Math.max(under, 0)}px`);
    frame.style.scrollPadding = `${head + Math.max(under, 0)}px 0 0 ${matrix.tHead.rows[0].cells[0].offsetWidth}px`;
  };
  for (const moved of ["scroll", "resize"]) addEventListener(moved, () => requestAnimationFrame(settle), { passive: true });
  new ResizeObserver(settle).observe(form);

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
