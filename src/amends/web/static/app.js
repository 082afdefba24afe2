// Behaviour that pages share. Everything works without it; with it, pages keep themselves up to date.

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

// --- a deployment that is under way -----------------------------------------------------------------------

function startFollowing() {
  const root = document.querySelector("#charts[data-live]");
  if (!root) return;
  // The parts of the page that change listen for this and fetch themselves anew, pictures included.
  follow(`/deployments/${encodeURIComponent(root.dataset.deployment)}`, Number(root.dataset.position), () => {
    document.body.dispatchEvent(new CustomEvent("amends:moved"));
  });
}

// --- what the server tells --------------------------------------------------------------------------------

function follow(address, began, onMoved) {
  let position = began;
  const status = document.querySelector("#live-status");
  const say = (text) => {
    if (status && status.textContent !== text) status.textContent = text;
  };
  function connect() {
    const source = new EventSource(`${address}/events?after=${position}`);
    source.addEventListener("open", () => say("Live: this page follows the deployment."));
    source.addEventListener("moved", (event) => {
      position = Number(event.lastEventId);
      onMoved();
      if (!JSON.parse(event.data).finished) return;
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
startFollowing();
startEditor();
startWording();
startQuoting();
showPassages();
