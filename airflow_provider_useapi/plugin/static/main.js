/** Keeps what is shown: reads it from Airflow, draws it, and reads it again while it is visible. */

import { airflowBase, askedFor, chosenTimeZone, follow, tellAddress, wearColours } from "./airflow_window.js";
import { stateOf, worstFirst } from "./connections.js";
import { Formats } from "./formats.js";
import { HistoryReader } from "./history_reader.js";
import { morph } from "./morph.js";
import { pageView } from "./page_view.js";
import { readConnections, readGates, readReason } from "./readings.js";
import { ApiError, RestApi } from "./rest_api.js";

const EVERY = 60_000;
const api = new RestApi(airflowBase());
const state = {
  route: { id: null },
  connections: null,
  gates: null,
  gatesError: null,
  reasons: new Map(),
  error: null,
  refreshed: null,
  isReading: false,
  history: null,
};
const history = new HistoryReader(api, draw);

function draw() {
  const now = Date.now();
  state.history = history.shown(now);
  morph(document.getElementById("page"), pageView(state, new Formats(chosenTimeZone()), now));
}

/** Read all that is shown. What is on the page stays until the new is here. */
async function refresh() {
  if (state.isReading) {
    return;
  }
  state.isReading = true;
  draw();
  try {
    await Promise.all([refreshConnections(), refreshGates()]);
    state.error = null;
    state.refreshed = Date.now();
  } catch (error) {
    state.error = explained(error);
  } finally {
    state.isReading = false;
  }
  draw();
  openHistory();
}

async function refreshConnections() {
  const now = Date.now();
  const found = await readConnections(api);
  state.connections = worstFirst(found.map((each) => ({ ...each, state: stateOf(each.audits, now) })));
}

async function refreshGates() {
  try {
    state.gates = await readGates(api);
    state.gatesError = null;
  } catch (error) {
    if (error.kind === "logged-out" || error.kind === "unreachable") {
      throw error;
    }
    // Who may not read task instances still sees the connections.
    state.gatesError = error.kind === "forbidden" ? "Airflow does not let you read task instances, so waiting gates cannot be shown." : explained(error).message;
  }
}

function openHistory() {
  const row = state.connections?.find(({ id }) => id === state.route.id);
  if (row) {
    history.open(row);
  } else {
    history.close();
  }
}

function explained(error) {
  return error instanceof ApiError ? error : new ApiError("broken", "Airflow's answer has another form than the page knows.");
}

function takeRoute(hash) {
  const [, id] = hash.match(/^#\/connections\/(.+)$/u) ?? [];
  try {
    state.route = { id: id === undefined ? null : decodeURIComponent(id) };
  } catch {
    state.route = { id };
  }
  tellAddress(hash || "#/");
  draw();
  openHistory();
}

async function tellReason(key) {
  const gate = state.gates.find((each) => each.key === key);
  if (!gate) {
    return;
  }
  let said;
  try {
    said = (await readReason(api, gate)) ?? "Its log does not say yet.";
  } catch (error) {
    said = explained(error).message;
  }
  state.reasons.set(key, said);
  draw();
  say(said);
}

/** For screen readers, and once: a table that changes while it is read would be noise. */
function say(words) {
  document.getElementById("said").textContent = words;
}

const ACTIONS = {
  refresh,
  reason: tellReason,
  stop: () => history.stop(),
  days: (days) => history.choose(Number(days)),
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  const button = event.target.closest("button[data-action]");
  if (link) {
    event.preventDefault();
    follow(link.href);
  } else if (button) {
    ACTIONS[button.dataset.action](button.dataset.value);
  }
});

window.addEventListener("hashchange", () => {
  takeRoute(window.location.hash);
  window.scrollTo(0, 0);
  document.querySelector("h2")?.focus({ preventScroll: true });
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - (state.refreshed ?? 0) > EVERY) {
    refresh();
  }
});
setInterval(() => {
  if (!document.hidden) {
    refresh();
  }
}, EVERY);

wearColours();
takeRoute(askedFor());
refresh();
