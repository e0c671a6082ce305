// A table as screen readers and keyboards want it: caption, scope, aria-sort, buttons, a region that scrolls.

import { h } from "./dom.js";

/**
 * Returns a table.
 *
 * columns: [{ title, cell(row), sort?, numeric?, hint? }]; sorting: { key, descending, change(key, descending) };
 * kind: a class for its style.
 */
export function table({ caption, columns, rows, sorting = null, empty = "Nothing here yet.", kind = "" }) {
  const head = columns.map((column) => heading(column, sorting));
  const body = rows.map((row) =>
    h(
      "tr",
      null,
      columns.map((column, index) =>
        h(
          index === 0 ? "th" : "td",
          { class: column.numeric ? "numeric" : null, scope: index === 0 ? "row" : null },
          column.cell(row),
        ),
      ),
    ),
  );
  if (!rows.length) {
    body.push(h("tr", null, h("td", { colspan: columns.length, class: "empty" }, empty)));
  }
  return h(
    "div",
    { class: `scroll ${kind}`, role: "region", "aria-label": caption, tabindex: 0 },
    h(
      "table",
      null,
      h("caption", { class: "unseen" }, caption),
      h("thead", null, h("tr", null, head)),
      h("tbody", null, body),
    ),
  );
}

function heading(column, sorting) {
  const attributes = { scope: "col", class: column.numeric ? "numeric" : null, title: column.hint };
  if (!column.sort || !sorting) return h("th", attributes, column.title);
  const active = sorting.key === column.sort;
  attributes["aria-sort"] = active ? (sorting.descending ? "descending" : "ascending") : null;
  const next = active ? !sorting.descending : Boolean(column.numeric);
  return h(
    "th",
    attributes,
    h(
      "button",
      { type: "button", class: "sort", "data-focus": `sort ${column.sort}`, click: () => sorting.change(column.sort, next) },
      column.title,
      h("span", { "aria-hidden": "true" }, active ? (sorting.descending ? " ↓" : " ↑") : ""),
    ),
  );
}

/** Returns the buttons to the pages before and after. */
export function pager({ offset, limit, total, change }) {
  const last = Math.min(offset + limit, total);
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    h("span", null, total ? `${offset + 1}–${last} of ${total.toLocaleString("en-US")}` : "0 of 0"),
    h(
      "button",
      { type: "button", "data-focus": "previous", disabled: offset === 0, click: () => change(Math.max(0, offset - limit)) },
      "Previous",
    ),
    h("button", { type: "button", "data-focus": "next", disabled: last >= total, click: () => change(offset + limit) }, "Next"),
  );
}
