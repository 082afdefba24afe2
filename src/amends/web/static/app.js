// Behaviour that pages share. Everything works without it; with it, pages keep themselves up to date.

const POWERS_FROM = 3; // evidence beyond a thousand to one is shown as a power of ten

function inkOf(name) {
  const probe = document.createElement("span");
  probe.className = `ink-${name}`;
  probe.hidden = true;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

// --- relative times ---------------------------------------------------------------------------------------

function sayTimes() {
  if (document.body.dataset.accelerated !== undefined) return;
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const seconds = Math.round((now - Date.parse(element.dateTime)) / 1000);
    if (element.dataset.relative === "for") element.textContent = `for ${span(Math.max(0, seconds))}`;
    else element.textContent = seconds < 0 ? `in ${span(-seconds)}` : `${span(seconds)} ago`;
  }
}

function span(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const parts = [];
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}

// --- charts -----------------------------------------------------------------------------------------------

class Chart {
  constructor(element, kind, metricKind) {
    this.element = element;
    this.kind = kind;
    this.metricKind = metricKind;
    this.points = [];
    this.plot = null;
    new ResizeObserver(() => this.fit()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(points) {
    this.points = points;
    if (this.plot) this.plot.setData(this.data());
    else this.draw();
  }

  data() {
    const times = this.points.map((point) => Date.parse(point.at) / 1000);
    const began = times[0] ?? 0;
    const keys = this.kind === "evidence" ? ["evidence", "line"] : ["baseline", "candidate"];
    return [times.map((time) => time - began), ...keys.map((key) => this.points.map((point) => point[key]))];
  }

  fit() {
    const width = this.element.clientWidth;
    if (this.plot && width && width !== this.plot.width) this.plot.setSize({ width, height: this.plot.height });
  }

  draw() {
    if (!window.uPlot || !this.element.clientWidth) return;
    this.plot?.destroy();
    const quiet = inkOf("quiet");
    const axis = { stroke: quiet, grid: { stroke: inkOf("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const evidence = this.kind === "evidence";
    this.plot = new uPlot(
      {
        width: this.element.clientWidth,
        height: 190,
        cursor: { y: false },
        legend: { live: true },
        scales: { x: { time: false }, y: { range: (_, low, high) => this.range(low, high) } },
        axes: [
          { ...axis, space: 80, values: (_, splits) => splits.map(span) },
          { ...axis, size: 64, values: (_, splits) => splits.map((value) => this.say(value)) },
        ],
        series: [
          { label: "after", value: (_, value) => (value === null ? "–" : span(Math.round(value))) },
          this.line(evidence ? "evidence" : "baseline", evidence ? "candidate" : "baseline"),
          evidence ? { ...this.line("rollback line", "stop"), dash: [6, 4] } : this.line("candidate", "candidate"),
        ],
      },
      this.data(),
      this.element,
    );
  }

  line(label, ink) {
    return { label, stroke: inkOf(ink), width: 2, spanGaps: false, points: { show: this.points.length < 3 }, value: (_, value) => this.say(value) };
  }

  range(low, high) {
    if (this.kind !== "evidence") return [0, high > 0 ? high * 1.15 : this.metricKind === "ratio" ? 0.01 : 1];
    const margin = Math.max((high - low) * 0.1, 0.2);
    return [Math.min(low ?? 0, 0) - margin, Math.max(high ?? 0, 0) + margin];
  }

  say(value) {
    if (value === null || value === undefined) return "–";
    if (this.kind === "evidence") {
      if (Math.abs(value) >= POWERS_FROM) return `×10^${Number(value.toFixed(1))}`;
      return `×${Number(Math.pow(10, value).toPrecision(2))}`;
    }
    if (this.metricKind === "ratio") return `${Number((value * 100).toPrecision(3))}%`;
    return String(Number(value.toPrecision(3)));
  }
}

function startCharts() {
  const root = document.querySelector("#charts");
  if (!root) return;
  const address = `/deployments/${encodeURIComponent(root.dataset.deployment)}`;
  let charts = new Map();
  let position = Number(root.dataset.position);

  async function load() {
    const answer = await fetch(`${address}/series`, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const found = await answer.json();
    position = found.position;
    charts = new Map();
    for (const metric of found.series) {
      const article = root.querySelector(`[data-metric="${CSS.escape(metric.metric)}"]`);
      if (!article) continue;
      const made = [...article.querySelectorAll("[data-plot]")].map((element) => {
        element.replaceChildren();
        return new Chart(element, element.dataset.plot, metric.kind);
      });
      charts.set(metric.metric, { points: metric.points, made });
      for (const chart of made) chart.show(metric.points);
    }
    count();
  }

  function count() {
    root.dataset.points = Math.max(0, ...[...charts.values()].map((entry) => entry.points.length));
  }

  // A metric that the page has not seen needs its own heading and table, which the server writes.
  async function fetchArticles() {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#charts");
    if (!fresh) return;
    root.replaceChildren(...fresh.children);
    window.htmx?.process(root);
    await load();
  }

  async function add(points) {
    if (Object.keys(points).some((name) => !charts.has(name))) {
      await fetchArticles();
      return;
    }
    for (const [name, more] of Object.entries(points)) {
      const entry = charts.get(name);
      const last = entry.points.at(-1)?.at ?? "";
      entry.points.push(...more.filter((point) => Date.parse(point.at) > Date.parse(last)));
      for (const chart of entry.made) chart.show(entry.points);
    }
    count();
  }

  load().then(() => {
    if (root.dataset.live === undefined) return;
    follow(address, () => position, async (message, at) => {
      position = at;
      await add(message.points);
      document.body.dispatchEvent(new CustomEvent("amends:moved"));
    });
  });
}

// --- what the server tells --------------------------------------------------------------------------------

function follow(address, position, onMoved) {
  const status = document.querySelector("#live-status");
  const say = (text) => {
    if (status && status.textContent !== text) status.textContent = text;
  };
  function connect() {
    const source = new EventSource(`${address}/events?after=${position()}`);
    source.addEventListener("open", () => say("Live: this page follows the deployment."));
    source.addEventListener("moved", async (event) => {
      const message = JSON.parse(event.data);
      await onMoved(message, Number(event.lastEventId));
      if (!message.finished) return;
      source.close();
      say("The deployment has finished.");
    });
    source.addEventListener("error", () => {
      say("Connection lost: trying again. What is shown may be old.");
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }
  connect();
}

// --- the editor -------------------------------------------------------------------------------------------

function startEditor() {
  const area = document.querySelector("textarea[data-editor]");
  if (area && window.amendsEditor) {
    const nonce = document.querySelector("meta[name=style-nonce]")?.content ?? "";
    window.amendsEditor.fromTextArea(area, { nonce });
  }
}

// Says which sentences blame or judge with hindsight while they are written. It warns and never holds up.
function startWording() {
  const area = document.querySelector("textarea[data-editor]");
  const panel = document.querySelector("[data-wording]");
  const csrf = document.querySelector("input[name=csrf]")?.value;
  if (!area || !panel || !csrf) return;
  let timer = 0;
  let asked = 0;
  const look = async () => {
    if (area.value.length > MOST_JUDGED) return;
    const mine = ++asked;
    const headers = { "content-type": "application/json", "x-csrf-token": csrf };
    const body = JSON.stringify({ text: area.value });
    const answer = await fetch("/api/v1/lint", { method: "POST", headers, body }).catch(() => null);
    if (mine !== asked) return; // an older answer to a newer text would mislead
    if (answer?.ok) showWording(panel, await answer.json());
  };
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_BEFORE_WORDING);
  });
  look();
}

const PAUSE_BEFORE_WORDING = 900; // milliseconds without a key
const MOST_WORDINGS = 20;
const MOST_JUDGED = 80_000; // characters; the server takes 256 KB, and `amends lint` any length

function showWording(panel, findings) {
  const list = document.createElement("ul");
  for (const found of findings.slice(0, MOST_WORDINGS)) {
    const item = document.createElement("li");
    item.textContent = `Line ${found.line}: “${found.text}” ${found.message} ${found.suggestion}`;
    list.append(item);
  }
  const more = findings.length - MOST_WORDINGS;
  const title = document.createElement("p");
  title.textContent = `Wording to look at again: ${findings.length}${more > 0 ? `, the first ${MOST_WORDINGS} here` : ""}. It only warns.`;
  panel.replaceChildren(...(findings.length ? [title, list] : []));
}

// --- comments on passages ---------------------------------------------------------------------------------

// What is marked in the review becomes the passage of a comment.
function startQuoting() {
  const area = document.querySelector("textarea[data-quote]");
  const review = area && document.querySelector(area.dataset.quote);
  if (!review) return;
  document.addEventListener("selectionchange", () => {
    const chosen = document.getSelection();
    if (!chosen || chosen.isCollapsed || !review.contains(chosen.anchorNode) || !review.contains(chosen.focusNode)) return;
    const text = chosen.toString().trim();
    if (text) area.value = text.slice(0, area.maxLength);
  });
}

// Marks the passages that open comments speak of. Highlights change no element, so no style is written inline.
function showPassages() {
  const review = document.querySelector("#review");
  const remarks = document.querySelectorAll(".remark:not(.settled)[data-passage]");
  if (!review || !remarks.length || !window.CSS?.highlights) return;
  const places = [];
  let text = "";
  const walker = document.createTreeWalker(review, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.data.length; at += 1) {
      if (isMark(node.data[at])) continue;
      text += node.data[at];
      places.push([node, at]);
    }
  }
  const ranges = [];
  for (const remark of remarks) {
    const wanted = [...remark.dataset.passage].filter((letter) => !isMark(letter)).join("");
    const start = wanted ? text.indexOf(wanted) : -1;
    if (start < 0) continue;
    const range = new Range();
    range.setStart(...places[start]);
    const [node, at] = places[start + wanted.length - 1];
    range.setEnd(node, at + 1);
    ranges.push(range);
  }
  CSS.highlights.set("passage", new Highlight(...ranges));
  review.dataset.passages = ranges.length;
}

const isMark = (letter) => /[\s*_`~|\\[\]]/.test(letter);

sayTimes();
setInterval(sayTimes, 10_000);
startCharts();
startEditor();
startWording();
startQuoting();
showPassages();
