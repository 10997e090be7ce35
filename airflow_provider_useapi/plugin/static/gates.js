/** The gates that wait: task instances of the sensor, and what Airflow knows of each. */

export const SENSOR = "UseApiAccountSensor";

/** The states of a gate that waits: in the triggerer, between two looks, and on a worker. */
export const WAITING = { deferred: "in the triggerer", up_for_reschedule: "between two checks", running: "on a worker" };

/** What a gate's log says of why it waits. */
const REASONS = /^(The gate is closed: |The check failed: )/u;

/**
 * The gates among task instances, the longest waiting first.
 *
 * @param {Object[]} instances as the REST API tells of them.
 */
export function gatesOf(instances) {
  return instances
    .filter((each) => each.operator === SENSOR && each.state in WAITING)
    .map(gate)
    .sort((one, other) => (one.since ?? Infinity) - (other.since ?? Infinity));
}

/**
 * The last reason that a log tells; null if it tells none.
 *
 * @param {Object} log as the REST API gives it.
 */
export function lastReason(log) {
  const lines = Array.isArray(log?.content) ? log.content : [];
  const told = lines.map((line) => (typeof line === "string" ? line : line?.event)).filter((event) => typeof event === "string");
  const at = told.findLastIndex((event) => REASONS.test(event));
  return at < 0 ? null : told[at].slice(0, 2000);
}

function gate(instance) {
  const fields = instance.rendered_fields ?? {};
  const began = Date.parse(instance.start_date ?? instance.scheduled_when);
  const at = Number.isNaN(began) ? null : began;
  // Each check of a task that is rescheduled begins anew: Airflow does not tell of the first.
  const isRescheduled = instance.state === "up_for_reschedule";
  return {
    key: JSON.stringify([instance.dag_id, instance.dag_run_id, instance.task_id, instance.map_index]),
    dag: instance.dag_id,
    run: instance.dag_run_id,
    task: instance.task_id,
    mapIndex: instance.map_index,
    label: instance.rendered_map_index ?? (instance.map_index >= 0 ? String(instance.map_index) : null),
    tryNumber: instance.try_number,
    state: instance.state,
    since: isRescheduled ? null : at,
    lastCheck: isRescheduled ? at : null,
    connection: word(fields.useapi_conn_id),
    service: word(fields.service),
    // What was never on a worker has no host, and Airflow keeps no rendered fields of it.
    startedInTriggerer: !instance.hostname,
  };
}

function word(value) {
  return typeof value === "string" && value ? value.slice(0, 200) : null;
}
