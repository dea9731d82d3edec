/* Comforts of every page: colours, and copying. */
(() => {
  "use strict";
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

  /* Copy a script; of a replay script both halves. */
  const byHand = (text) => {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const script = button.closest("details").querySelector("pre").textContent;
      const prelude = document.getElementById("prelude");
      const whole = (prelude ? prelude.textContent + "\n" : "") + script;
      let done = true;
      try { await navigator.clipboard.writeText(whole); } catch { done = byHand(whole); }
      const said = button.textContent;
      button.textContent = done ? "Copied" : "Could not copy";
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  }
})();
