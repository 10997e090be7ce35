/** The page around what is shown: its head, and a sentence where something cannot be shown. */

import { connectionView } from "./connection_view.js";
import { element, foreign } from "./elements.js";
import { gatesView } from "./gates_view.js";
import { listView } from "./list_view.js";

const NONE =
  "Airflow has no asset of an audited connection. A UseApiAuditOperator records what it sees as events of an asset: run one, and its connection is listed here.";

/** Everything, as it is to be drawn. */
export function pageView(state, formats, now) {
  return element("main", { id: "page", tabindex: -1 }, head(state, formats), problem(state.error), body(state, formats, now));
}

function head({ refreshed, isReading }, formats) {
  const when = refreshed ? ["Read ", element("time", { datetime: new Date(refreshed).toISOString() }, formats.clock(refreshed))] : "Reading";
  return element(
    "header",
    { class: "head top" },
    element("h1", {}, "useapi.net"),
    element(
      "p",
      { class: "soft refreshed" },
      when,
      ` · ${formats.timeZone} `,
      element("button", { type: "button", "data-action": "refresh", "aria-disabled": String(isReading) }, "Refresh"),
    ),
  );
}

function body(state, formats, now) {
  if (!state.connections) {
    return state.error ? null : element("p", { class: "card empty" }, "Asking Airflow.");
  }
  if (state.route.id === null) {
    return overview(state, formats, now);
  }
  const row = state.connections.find(({ id }) => id === state.route.id);
  if (!row) {
    return [
      element("p", { class: "back" }, element("a", { href: "#/" }, "← All connections")),
      element("p", { class: "note" }, "Airflow shows you no audited connection called ", foreign(state.route.id), "."),
    ];
  }
  return connectionView(row, state.history, formats, now);
}

function overview(state, formats, now) {
  return [
    element("h2", {}, "Connections"),
    state.connections.length ? listView(state.connections, formats, now) : element("p", { class: "card empty" }, NONE),
    element("h2", {}, "Waiting gates"),
    state.gatesError ? element("p", { class: "note" }, state.gatesError) : state.gates && gatesView(state.gates, state.reasons, formats, now),
    element("p", { class: "soft foot" }, "What audits recorded and which gates wait, as far as Airflow shows it to you. The page asks useapi.net nothing."),
  ];
}

function problem(error) {
  if (!error) {
    return null;
  }
  const isOut = error.kind === "logged-out";
  return element(
    "p",
    { class: "note problem" },
    error.message,
    isOut ? [" ", element("a", { href: "../", "data-airflow": true }, "Log in")] : null,
  );
}
