"use strict";
// Draws the figures that can be seen, and lets a reader choose the coin.
(() => {
  const narrow = window.matchMedia("(max-width: 640px)");
  const plots = [...document.querySelectorAll(".plot")];
  const specs = new Map();
  document.documentElement.classList.add("js");

  function specOf(plot) {
    if (!specs.has(plot)) {
      specs.set(plot, plot.querySelector("script").textContent);
      plot.replaceChildren();
    }
    return JSON.parse(specs.get(plot));
  }

  // On a phone: smaller type and margins, fewer ticks, and a finger scrolls the page.
  function fitted(layout) {
    if (!narrow.matches) return layout;
    const rich = Boolean(layout.showlegend);
    layout.margin = { ...layout.margin, l: 46, r: layout.margin.r > 30 ? 38 : 8 };
    layout.margin.b = rich ? 100 : 40;
    layout.dragmode = false;
    for (const [name, axis] of Object.entries(layout)) {
      if (!/^[xy]axis/.test(name)) continue;
      axis.tickfont = { ...axis.tickfont, size: 10.5 };
      axis.fixedrange = true;
      if (axis.type === "date") axis.nticks = 5;
    }
    for (const note of layout.annotations || []) note.font = { ...note.font, size: 11 };
    if (layout.legend) layout.legend.font = { size: 11 };
    return layout;
  }

  function draw(plot) {
    const { data, layout } = specOf(plot);
    const height = narrow.matches ? Math.round(layout.height * 0.86) : layout.height;
    plot.style.height = `${height}px`;
    Plotly.react(plot, data, { ...fitted(layout), height }, {
      responsive: true,
      displaylogo: false,
      displayModeBar: narrow.matches ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    });
    plot.dataset.drawn = "yes";
  }

  const seen = (plot) => plot.offsetParent !== null;
  const waiting = () => plots.find((plot) => seen(plot) && !plot.dataset.drawn);

  // One figure at a time, the highest first: a reader can scroll while the others are drawn.
  function drawNext() {
    const plot = waiting();
    if (!plot) return;
    draw(plot);
    setTimeout(drawNext);
  }

  narrow.addEventListener("change", () => {
    for (const plot of plots) delete plot.dataset.drawn;
    drawNext();
  });

  const tabs = [...document.querySelectorAll("[data-tab]")];
  const panels = [...document.querySelectorAll("[data-panel]")];
  const cards = [...document.querySelectorAll(".card")];

  function choose(coin) {
    for (const tab of tabs) {
      const chosen = tab.dataset.tab === coin;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    for (const panel of panels) panel.hidden = panel.dataset.panel !== coin;
    for (const card of cards) card.classList.toggle("chosen", card.dataset.coin === coin);
    drawNext();
    for (const plot of plots) {
      if (seen(plot) && plot.dataset.drawn) Plotly.Plots.resize(plot);
    }
  }

  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab.dataset.tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      next.focus();
      choose(next.dataset.tab);
    });
  }
  for (const card of cards) {
    card.addEventListener("click", () => {
      choose(card.dataset.coin);
      document.querySelector("nav").scrollIntoView({ behavior: "smooth" });
    });
  }

  // On paper every coin stands; they are drawn before the printer looks.
  window.addEventListener("beforeprint", () => {
    for (const panel of panels) panel.hidden = false;
    for (let plot = waiting(); plot; plot = waiting()) draw(plot);
  });
  if (tabs.length) choose(tabs[0].dataset.tab);
  else drawNext();
})();
