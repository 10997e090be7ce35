/** The connections that are audited, and how each is: what the list shows, worst first. */

import { lastKnown, readSnapshot } from "./snapshots.js";

export const SCHEME = "useapi://account/";

/** How many of its newest events tell how often a connection is audited. */
export const RECENT = 4;

/**
 * The connections behind assets, by id.
 *
 * Assets with one URI are one connection: one that was migrated from Airflow 2 has two names.
 *
 * @param {Object[]} assets as the REST API tells of them.
 * @returns {{id: string, assets: number[]}[]}
 */
export function connectionsOf(assets) {
  const byId = new Map();
  for (const { id, uri } of assets) {
    if (typeof uri !== "string" || !uri.startsWith(SCHEME)) {
      continue;
    }
    const name = unquoted(uri.slice(SCHEME.length));
    byId.set(name, [...(byId.get(name) ?? []), id]);
  }
  return [...byId].map(([id, ids]) => ({ id, assets: ids }));
}

/**
 * The audits in events, newest first; events of anyone else's are passed over.
 *
 * @param {Object[]} events as the REST API tells of them.
 */
export function auditsOf(events) {
  const audits = new Map();
  for (const event of events) {
    const snapshot = readSnapshot(event.extra);
    if (snapshot) {
      audits.set(event.id, { id: event.id, recorded: event.timestamp, at: snapshot.at, snapshot, task: taskOf(event) });
    }
  }
  return [...audits.values()].sort((one, other) => other.at - one.at || other.id - one.id);
}

/**
 * How a connection is.
 *
 * @param {Object[]} audits newest first.
 * @param {number} now in milliseconds.
 */
export function stateOf(audits, now) {
  const newest = audits[0] ?? null;
  if (!newest) {
    return { level: "unknown", newest, known: null, critical: 0, warnings: 0, interval: null, isOverdue: false };
  }
  const { findings } = newest.snapshot;
  const critical = findings.filter((each) => each.severity === "critical").length;
  const warnings = findings.length - critical;
  const interval = usualInterval(audits.map((each) => each.at));
  return {
    level: critical ? "critical" : warnings ? "warning" : "fine",
    newest,
    known: lastKnown(newest.snapshot),
    critical,
    warnings,
    interval,
    isOverdue: interval !== null && now - newest.at > 2 * interval,
  };
}

/** How far audits are apart, as a rule: the middle one of the last distances, null if there is none. */
export function usualInterval(moments) {
  const distances = moments.slice(1).map((at, index) => moments[index] - at).sort((one, other) => one - other);
  return distances.length ? distances[Math.floor(distances.length / 2)] : null;
}

/** The active and all linked accounts of a snapshot; nulls if it tells of none. */
export function accountsOf(snapshot) {
  const services = snapshot?.services ?? [];
  return snapshot
    ? { active: sum(services, "active"), total: sum(services, "total") }
    : { active: null, total: null };
}

/** Connections with their states, worst first. */
export function worstFirst(rows) {
  const rank = ({ state }) =>
    (state.level === "critical" ? 4 : 0) + (state.isOverdue ? 2 : 0) + (state.level === "warning" ? 1 : 0);
  return [...rows].sort(
    (one, other) =>
      rank(other) - rank(one) ||
      other.state.critical - one.state.critical ||
      other.state.warnings - one.state.warnings ||
      (one.id < other.id ? -1 : 1),
  );
}

function taskOf(event) {
  const { source_dag_id: dag, source_run_id: run, source_task_id: task, source_map_index: mapIndex } = event;
  return dag && run && task ? { dag, run, task, mapIndex: mapIndex ?? -1 } : null;
}

function unquoted(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function sum(items, name) {
  return items.reduce((total, each) => total + each[name], 0);
}
