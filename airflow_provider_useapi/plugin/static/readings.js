/** What the page reads from Airflow: which requests, and how many. */

import { auditsOf, connectionsOf, RECENT, SCHEME } from "./connections.js";
import { gatesOf, lastReason, SENSOR, WAITING } from "./gates.js";
import { PAGE, quoted } from "./rest_api.js";

const EVENTS = "assets/events";
const NEWEST_FIRST = "-timestamp";

/**
 * Every connection with its newest audits: a request for the assets, and a small one each.
 *
 * @returns {Promise<{id: string, assets: number[], audits: Object[], events: number}[]>}
 */
export async function readConnections(api, signal) {
  const assets = [];
  const wanted = { uri_pattern: SCHEME, only_active: "false", order_by: "id" };
  for await (const { items } of api.pages("assets", "assets", wanted, signal)) {
    assets.push(...items);
  }
  return Promise.all(
    connectionsOf(assets).map(async (connection) => {
      const answers = await Promise.all(
        connection.assets.map((asset) =>
          api.get(EVENTS, { asset_id: asset, order_by: NEWEST_FIRST, limit: RECENT }, signal),
        ),
      );
      const events = answers.flatMap((answer) => answer.asset_events);
      return { ...connection, audits: auditsOf(events).slice(0, RECENT), events: events.length };
    }),
  );
}

/**
 * The audits of a connection in a window of time, page by page, newest first.
 *
 * @param {Object} connection whose; it may have several assets.
 * @param {number} from and ``to``, in milliseconds.
 */
export async function* readHistory(api, connection, from, to, signal) {
  for (const asset of connection.assets) {
    const wanted = {
      asset_id: asset,
      order_by: NEWEST_FIRST,
      timestamp_gte: new Date(from).toISOString(),
      timestamp_lte: new Date(to).toISOString(),
    };
    let read = 0;
    for await (const { items, total } of api.pages(EVENTS, "asset_events", wanted, signal)) {
      read += items.length;
      yield { audits: auditsOf(items), read, total };
    }
  }
}

/** The gates that wait, as far as the reader may see them. */
export async function readGates(api, signal) {
  const instances = [];
  const wanted = { operator: SENSOR, state: Object.keys(WAITING), order_by: "start_date" };
  for await (const { items } of api.pages("dags/~/dagRuns/~/taskInstances", "task_instances", wanted, signal)) {
    instances.push(...items);
    if (instances.length >= 10 * PAGE) {
      break; // more than anyone reads
    }
  }
  return gatesOf(instances);
}

/** Why a gate waits, as the log of its try says. */
export async function readReason(api, gate, signal) {
  const instance = `dags/${quoted(gate.dag)}/dagRuns/${quoted(gate.run)}/taskInstances/${quoted(gate.task)}`;
  const options = { map_index: gate.mapIndex, full_content: "true" };
  return lastReason(await api.get(`${instance}/logs/${gate.tryNumber}`, options, signal));
}
