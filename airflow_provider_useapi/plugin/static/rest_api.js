/**
 * Airflow's public REST API, asked with the session of the reader: Airflow decides what they may see.
 *
 * At most four requests at a time, none for longer than 20 seconds; what fails is told in a sentence.
 */

const AT_ONCE = 4;
const PATIENCE = 20_000;
export const PAGE = 100;

/** Why nothing came: ``kind`` for the page, the message for the reader. */
export class ApiError extends Error {
  constructor(kind, sentence) {
    super(sentence);
    this.kind = kind;
  }
}

export class RestApi {
  /** @param {URL} base where Airflow is. */
  constructor(base) {
    this.base = base;
    this.running = 0;
    this.waiting = [];
  }

  /**
   * Ask once.
   *
   * @param {string} path below ``api/v2/``; what is put into it is quoted by ``quoted``.
   * @param {Object} parameters by name; a list is given several times.
   * @param {AbortSignal} signal stops it.
   */
  async get(path, parameters = {}, signal = undefined) {
    const address = new URL(`api/v2/${path}`, this.base);
    for (const [name, values] of Object.entries(parameters)) {
      for (const value of [values].flat()) {
        address.searchParams.append(name, value);
      }
    }
    await this.turn();
    try {
      return await ask(address, signal);
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }

  /**
   * Every page of a list, one after the other.
   *
   * @param {string} path of the list.
   * @param {string} key under which an answer has its part of the list.
   * @param {Object} parameters of each request.
   * @param {AbortSignal} signal stops it.
   */
  async *pages(path, key, parameters, signal) {
    for (let offset = 0, total = 1; offset < total; offset += PAGE) {
      const answer = await this.get(path, { ...parameters, limit: PAGE, offset }, signal);
      const items = Array.isArray(answer[key]) ? answer[key] : [];
      total = items.length ? answer.total_entries : 0;
      yield { items, total: answer.total_entries };
    }
  }

  async turn() {
    while (this.running >= AT_ONCE) {
      await new Promise((resolve) => this.waiting.push(resolve));
    }
    this.running += 1;
  }
}

/** A part of a path, whatever is in it. */
export function quoted(text) {
  return encodeURIComponent(text).replaceAll(".", "%2E");
}

async function ask(address, signal) {
  const limit = AbortSignal.timeout(PATIENCE);
  let answer;
  try {
    answer = await fetch(address, {
      credentials: "same-origin",
      headers: { Accept: "application/json" },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    if (answer.ok) {
      return await answer.json();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw limit.aborted
      ? new ApiError("unreachable", "Airflow did not answer within 20 seconds.")
      : new ApiError("unreachable", "Airflow cannot be reached, or answered with something else.");
  }
  throw refusal(answer.status);
}

function refusal(status) {
  switch (status) {
    case 401:
      return new ApiError("logged-out", "You are logged out of Airflow. Log in, and this page goes on.");
    case 403:
      return new ApiError("forbidden", "Airflow does not let you read this.");
    case 404:
    case 405:
    case 422:
      return new ApiError("older", "This Airflow does not know what the page asks for. It needs Airflow 3.1 or later.");
    default:
      return new ApiError("broken", `Airflow could not answer (status ${status}). Its API server's log says why.`);
  }
}
