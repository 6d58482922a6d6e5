// Calls of the service. Addresses are relative, so that the page works behind a proxy with a prefix.

const RETRIES = 60;
let key = sessionStorage.getItem("pystyle-key") ?? "";

/** What the service refuses, with its own sentence. */
export class ServiceError extends Error {
  constructor(status, sentence, seconds = 1) {
    super(sentence);
    this.status = status;
    this.seconds = seconds;
  }
}

/** Send this key from now on. It is kept for this tab alone. */
export function useKey(text) {
  key = text.replace(/[^\x21-\x7e]/g, ""); // No key has others, and no header may.
  sessionStorage.setItem("pystyle-key", key);
}

/** The networks, and the styles that they have learned. */
export async function networks() {
  return (await (await call("v1/styles")).json()).networks;
}

/** The address of a painting that is kept by the service from now on. */
export async function upload(painting, signal) {
  return (await (await call("v1/styles", { fields: [["style", painting]], signal })).json()).style;
}

/** The picture that a network paints. A service that is busy is asked again. */
export async function paint(fields, signal) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await (await call("v1/paint", { fields, signal, accept: "image/jpeg" })).blob();
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 429 || tries === 5) throw error;
      await pause(error.seconds, signal);
    }
  }
}

/** The state of a new job of optimisation. */
export async function start(fields, signal) {
  return (await call("v1/stylize", { fields, signal })).json();
}

/** End a job. It works while the page is closed, too. */
export async function cancel(id) {
  await call(`v1/stylize/${id}`, { method: "DELETE", keepalive: true });
}

/** The picture of a job that is over. */
export async function result(id, signal) {
  return (await call(`v1/stylize/${id}/result`, { signal })).blob();
}

/** The states of a job until it is over, also where a connection or the service ends in between: `lost` is called. */
export async function* follow(id, signal, lost) {
  for (let tries = 0; ; tries += 1) {
    try {
      for await (const event of events(id, signal)) {
        tries = 0;
        yield event.state;
        if (event.name === "end") return;
      }
    } catch (error) {
      // A TypeError is what a connection that breaks gives.
      const isLost = error instanceof TypeError || [0, 429, 503].includes(error.status);
      if (!isLost || tries === RETRIES) throw error;
      if (error.status === 429) yield await (await call(`v1/stylize/${id}`, { signal })).json();
      else lost();
    }
    await pause(1, signal);
  }
}

async function* events(id, signal) {
  const answer = await call(`v1/stylize/${id}/events`, { signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const lines = Object.fromEntries(part.split("\n").map((line) => [line.split(": ", 1)[0], line]));
      // Lines that begin with a colon only keep the connection open.
      if (lines.data) yield { name: lines.event.slice(7), state: JSON.parse(lines.data.slice(6)) };
    }
  }
}

async function call(path, { method, fields, signal, accept, keepalive } = {}) {
  const headers = {};
  if (key) headers.Authorization = `Bearer ${key}`;
  if (accept) headers.Accept = accept;
  let body;
  if (fields) {
    body = new FormData();
    for (const [name, value] of fields) body.append(name, value);
  }
  let answer;
  try {
    answer = await fetch(path, {
      method: method ?? (body ? "POST" : "GET"),
      body,
      headers,
      signal,
      keepalive,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, "The service does not answer. Try again when it is there.");
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const seconds = Number(answer.headers.get("Retry-After")) || 1;
  throw new ServiceError(answer.status, problem.detail ?? `The service answered ${answer.status}.`, seconds);
}

/** Wait for some seconds. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => (clearTimeout(timer), reject(new DOMException("Ended.", "AbortError")));
    const timer = setTimeout(() => (signal?.removeEventListener("abort", end), resolve()), 1000 * seconds);
    signal?.addEventListener("abort", end, { once: true });
  });
}
