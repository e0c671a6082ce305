// The table of insights: filters in the address, filtering, sorting and paging on the server.

import { ask } from "../addresses.js";
import { debounce, h } from "../dom.js";
import { formatMoment, formatNumber, formatPercent } from "../format.js";
import { fill, searchField } from "../parts.js";
import { readState, writeState } from "../state.js";
import { pager, table } from "../table.js";

const DEFAULTS = {
  search: "", direction: "", model: "", state: "any", sort: "generated_at", descending: "true", offset: "0", before: "",
};
const LIMIT = 50;
const DIRECTIONS = { "": "Any", up: "Up", flat: "Flat", down: "Down" };
const STATES = { any: "Any", open: "Open", closed: "Closed", scored: "Scored" };

/** Shows the table in a section; returns a function that follows a changed address. */
export function showInsights(section, deployId, signal) {
  const path = `/deployment/${encodeURIComponent(deployId)}`;
  const change = (changes) => writeState(path, { ...readState(DEFAULTS), offset: "0", ...changes }, DEFAULTS);
  const found = h("p", { class: "unseen", role: "status" });
  const place = h("div");
  section.append(filters(change), found, place);
  const update = () => {
    const state = readState(DEFAULTS);
    fill(
      place,
      "the insights",
      () => ask("insights", { ...state, deploy_id: deployId, limit: LIMIT }, signal),
      (page) => {
        found.textContent = `${page.total} insights match`;
        return content(page, state, change);
      },
      signal,
    );
  };
  update();
  return update;
}

function filters(change) {
  const state = readState(DEFAULTS);
  const choice = (label, name, options) =>
    h(
      "label",
      null,
      `${label} `,
      h(
        "select",
        { name, change: (event) => change({ [name]: event.target.value, before: "" }) },
        Object.entries(options).map(([value, text]) => h("option", { value, selected: value === state[name] }, text)),
      ),
    );
  const type = (name) => debounce((text) => change({ [name]: text, before: "" }), 250);
  return h(
    "form",
    { class: "toolbar", role: "search", submit: (event) => event.preventDefault() },
    h("label", null, "Search ", searchField(state.search, "ticker, symbol, model, tag", type("search"))),
    choice("Direction", "direction", DIRECTIONS),
    choice("State", "state", STATES),
    h("label", null, "Model ", searchField(state.model, "exact name", type("model"))),
  );
}

function content(page, state, change) {
  const sorting = {
    key: state.sort,
    descending: state.descending === "true",
    change: (sort, descending) => change({ sort, descending }),
  };
  return [
    table({ caption: "Insights", columns: COLUMNS, rows: page.rows, sorting, empty: "No insight matches." }),
    h(
      "div",
      { class: "window" },
      pager({ offset: Number(state.offset), limit: LIMIT, total: page.total, change: (offset) => change({ offset }) }),
      windowNote(page, state, change),
    ),
  ];
}

// A deployment may have millions: what is above is about one window of them, and says so.
function windowNote(page, state, change) {
  if (page.older === null && !state.before) return null;
  const span = page.oldest_at ? `made ${formatMoment(page.oldest_at)} to ${formatMoment(page.newest_at)} UTC` : "";
  return h(
    "p",
    { class: "muted" },
    `Among ${page.size.toLocaleString("en-US")} insights ${span}. `,
    page.older !== null
      ? h("button", { type: "button", "data-focus": "older", click: () => change({ before: page.older }) }, "Older ones")
      : null,
    " ",
    state.before ? h("button", { type: "button", "data-focus": "newest", click: () => change({ before: "" }) }, "Newest ones") : null,
  );
}

const directionCell = (row) => h("span", { class: `direction ${row.direction ?? ""}` }, row.direction ?? "–");

function scoreCell(row) {
  if (row.score_direction === null) return "–";
  return `${formatPercent(row.score_direction)}${row.score_is_final ? "" : " so far"}`;
}

const COLUMNS = [
  { title: "Made (UTC)", sort: "generated_at", cell: (row) => formatMoment(row.generated_at) },
  { title: "Ticker", sort: "ticker", cell: (row) => h("span", { title: row.symbol }, row.ticker ?? row.symbol ?? "–") },
  { title: "Direction", sort: "direction", cell: directionCell },
  { title: "Closes (UTC)", sort: "closes_at", cell: (row) => formatMoment(row.closes_at) },
  { title: "Confidence", sort: "confidence", numeric: true, cell: (row) => formatPercent(row.confidence) },
  { title: "Magnitude", sort: "magnitude", numeric: true, cell: (row) => formatPercent(row.magnitude, 2) },
  { title: "Weight", sort: "weight", numeric: true, cell: (row) => formatNumber(row.weight) },
  { title: "Reference", numeric: true, cell: (row) => formatNumber(row.reference_value) },
  { title: "Final", numeric: true, cell: (row) => formatNumber(row.reference_value_final) },
  {
    title: "Score",
    sort: "score_direction",
    numeric: true,
    hint: "How right the direction was",
    cell: scoreCell,
  },
  { title: "Model", sort: "source_model", cell: (row) => row.source_model ?? "–" },
  { title: "Tag", cell: (row) => h("span", { class: "detail" }, row.tag ?? "") },
];
