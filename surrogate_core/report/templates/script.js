// What the page does beyond being read: filter and sort the matrix, copy a script, open what a link leads to.
// Everything it acts on is in the page already; without it, everything can still be read.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // ---- filters: a field compares the attribute that it names with what stands at each row
  for (const form of all("form.filters")) {
    const fields = all("[data-filter]", form);
    const rows = all("[data-name]");
    const output = form.querySelector("output");
    const counted = all("tbody [data-name]", form.parentElement);
    const words = output.textContent.replace(/^\d+ of \d+ /, "");
    const fits = (row) =>
      fields.every((field) => {
        const wanted = field.value.trim().toLowerCase();
        const said = (row.dataset[field.dataset.filter] || "").toLowerCase();
        if (!wanted) return true;
        if (field.dataset.filter === "name") {
          const sentence = row.querySelector("th .promise"); // a promise is found by its words too
          return said.includes(wanted) || Boolean(sentence?.textContent.toLowerCase().includes(wanted));
        }
        return field.dataset.filter === "state" ? said.split(" ").includes(wanted) : said === wanted;
      });
    const apply = () => {
      for (const row of rows) row.hidden = !fits(row);
      for (const family of all("[data-family-of]")) {
        const members = all(".implementation[data-name]", family);
        family.hidden = members.length > 0 && members.every((member) => member.hidden);
      }
      output.textContent = `${counted.filter((row) => !row.hidden).length} of ${counted.length} ${words}`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    apply(); // a browser that goes back fills the fields in again
  }

  // ---- sorting: by the head of a column, up, down, and back to the order of the page
  const gravity = ["failed", "errored", "known", "passed", "absent", "none"];
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const state = gravity.indexOf((cell.className.match(/is-(\w+)/) || [])[1]);
    return state < 0 ? cell.textContent.trim().toLowerCase() : state;
  };
  for (const table of all("table[data-sortable]")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    for (const head of all("th[data-sort]", table)) {
      const button = document.createElement("button");
      button.type = "button";
      const link = head.querySelector(":scope > a"); // leads elsewhere: it stays beside the button
      button.append(...[...head.childNodes].filter((node) => node !== link));
      head.append(button);
      button.addEventListener("click", () => {
        const next = { undefined: "ascending", ascending: "descending" }[head.getAttribute("aria-sort") || undefined];
        for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
        const rows = [...original];
        if (next) {
          head.setAttribute("aria-sort", next);
          const sign = next === "ascending" ? 1 : -1;
          const keys = new Map(rows.map((row) => [row, key(row, head.cellIndex)]));
          rows.sort((a, b) => sign * (keys.get(a) > keys.get(b) ? 1 : keys.get(a) < keys.get(b) ? -1 : 0));
        }
        body.append(...rows);
      });
    }
  }

  // ---- copying what stands beside the button
  for (const source of all(".script > pre")) {
    const button = document.createElement("button");
    const place = source.closest(".finding, .meaning");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    const folded = source.closest("details:not(.meaning)")?.querySelector("summary").textContent; // what it is
    button.setAttribute("aria-label", `Copy, ${place.querySelector("code").textContent}: ${folded || "a surrogate that breaks it"}`);
    source.before(button);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
  }

  // ---- what a link leads to is opened, however deep it is folded
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();
})();
