/**
 * The window of Airflow around this page: its colours, its time zone, its address.
 *
 * The page is a frame of the same origin that may neither open windows nor navigate the one around
 * it. So a link into Airflow is clicked in the window around it. Opened by itself, outside of
 * Airflow, the page does without all of that.
 */

/** The window around, or null; asking for its document fails where it is somebody else's. */
function around() {
  try {
    return window.parent !== window && window.parent.document ? window.parent : null;
  } catch {
    return null;
  }
}

/** Where Airflow is: the page is at ``useapi/`` below it. */
export function airflowBase() {
  return new URL("../", new URL(".", document.baseURI));
}

/** An address in Airflow's own UI. */
export function airflowAddress(...parts) {
  return new URL(parts.map(encodeURIComponent).join("/"), airflowBase()).href;
}

/** Where Airflow shows a task instance. */
export function taskAddress({ dag, run, task, mapIndex }) {
  const parts = ["dags", dag, "runs", run, "tasks", task];
  return airflowAddress(...parts, ...(mapIndex >= 0 ? ["mapped", String(mapIndex)] : []));
}

/** Follow a link into Airflow, in the window around this page. */
export function follow(address) {
  const outer = around();
  if (!outer) {
    window.location.assign(address);
    return;
  }
  const link = outer.document.createElement("a");
  link.href = address;
  outer.document.body.append(link);
  link.click();
  link.remove();
}

/** The time zone that the reader has chosen in Airflow, or that of their system. */
export function chosenTimeZone() {
  try {
    return JSON.parse(window.localStorage.getItem("timezone"));
  } catch {
    return null;
  }
}

/** Wear Airflow's colours, light or dark, and its font; and again whenever they change. */
export function wearColours() {
  const outer = around();
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const wear = () => {
    const dark = outer?.document.documentElement.classList.contains("dark");
    const light = outer?.document.documentElement.classList.contains("light");
    document.documentElement.dataset.colours = dark ? "dark" : light ? "light" : system.matches ? "dark" : "light";
    const font = outer && outer.getComputedStyle(outer.document.body).fontFamily;
    if (font) {
      document.documentElement.style.setProperty("--font", font);
    }
  };
  wear();
  system.addEventListener("change", wear);
  if (outer) {
    new MutationObserver(wear).observe(outer.document.documentElement, { attributeFilter: ["class"] });
  }
}

/**
 * What the page shows, as the end of its address; a link that leads here has it on the outer window.
 */
export function askedFor() {
  const hash = window.location.hash || around()?.location.hash || "";
  if (hash !== window.location.hash) {
    // Airflow 3.3 makes the outer address of this one, as soon as the page is loaded.
    window.history.replaceState(null, "", hash);
  }
  return hash;
}

/** Let the outer address say what is shown, so that it can be kept, sent and loaded again. */
export function tellAddress(hash) {
  const outer = around();
  if (outer && outer.location.hash !== hash) {
    const { pathname, search } = outer.location;
    outer.history.replaceState(outer.history.state, "", `${pathname}${search}${hash}`);
  }
}
