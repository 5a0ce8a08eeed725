"use strict";
// The page of evidence. Texts are hostile: nodes are made one by one and get `textContent`; nothing is parsed as HTML.

const byId = (id) => document.getElementById(id);

/** Return a new element. `given` are properties; children are nodes or strings. */
function make(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function drawn(tag, given = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(given)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// data

async function unpacked(base64) {
  const bytes = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** The data of a page that stands in its own file. */
class Inside {
  constructor() {
    this.chunks = new Map();
  }

  async rows() {
    const columns = await unpacked(byId("index").textContent);
    return columns;
  }

  async group(row, columns) {
    const chunk = columns.chunk[row];
    if (chunk < 0) return null;
    if (!this.chunks.has(chunk)) {
      if (this.chunks.size > 8) this.chunks.delete(this.chunks.keys().next().value);
      this.chunks.set(chunk, await unpacked(byId(`chunk-${chunk}`).textContent));
    }
    return this.chunks.get(chunk)[columns.slot[row]];
  }
}

const head = JSON.parse(byId("head").textContent);
const data = typeof Served === "undefined" ? new Inside() : new Served(head);
const number = new Intl.NumberFormat("en");
const state = { columns: null, order: [], chosen: -1, group: null, decided: new Map() };

// characters that cannot be seen

const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

/** Return text as nodes; characters that cannot be seen, or that turn the direction, are shown by number. */
function visible(text) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(UNSEEN)) {
    if (found.index > at) nodes.push(text.slice(at, found.index));
    const code = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    nodes.push(make("span", { className: "unseen", title: `the invisible character U+${code}` }, code));
    at = found.index + found[0].length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/** Return a function that turns the number of a character into the place in a JavaScript string. */
function placesOf(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (place) => place;
  const places = [];
  let at = 0;
  for (const letter of text) {
    places.push(at);
    at += letter.length;
  }
  places.push(at);
  return (place) => places[Math.min(place, places.length - 1)];
}

// histograms

function histogram(given) {
  const wide = 300, high = 80, low = 16;
  const counts = given.counts.map((count) => (given.log ? Math.log10(1 + count) : count));
  const most = Math.max(...counts, 1e-9);
  const step = wide / counts.length;
  const picture = drawn("svg", { viewBox: `0 0 ${wide} ${high + low}`, role: "img" });
  picture.append(drawn("title", {}, given.title));
  given.counts.forEach((count, i) => {
    const tall = count ? Math.max((counts[i] / most) * high, 1.5) : 0;
    const bar = drawn("rect", {
      x: i * step + 0.5, y: high - tall, width: Math.max(step - 1, 0.5), height: tall, class: "bar",
    });
    bar.append(drawn("title", {}, `${given.edges[i]} to ${given.edges[i + 1]}: ${number.format(count)}`));
    picture.append(bar);
  });
  if (given.mark !== null && given.mark !== undefined) {
    const first = given.edges[0], last = given.edges[given.edges.length - 1];
    const x = ((given.mark - first) / (last - first)) * wide;
    picture.append(drawn("line", { x1: x, x2: x, y1: 0, y2: high, class: "threshold" }));
    const side = x > wide - 80 ? { x: x - 3, "text-anchor": "end" } : { x: x + 3 };
    picture.append(drawn("text", { ...side, y: 10, class: "said" }, `threshold ${given.mark}`));
  }
  const names = [[0, "start", given.names ? given.names[0] : given.edges[0]]];
  names.push([wide, "end", given.names ? given.names[1] : given.edges[given.edges.length - 1]]);
  for (const [x, anchor, text] of names) {
    picture.append(drawn("text", { x, y: high + 12, "text-anchor": anchor, class: "said" }, String(text)));
  }
  const label = make("figcaption", {}, given.title);
  const box = make("figure", { className: "histogram" }, label, picture);
  if (given.counts.some((count) => count > 0)) {
    const change = () => box.replaceWith(histogram({ ...given, log: !given.log }));
    label.append(" ", make("button", { className: "small", type: "button", on: { click: change } }, given.log ? "linear" : "log"));
  }
  return box;
}

// the list

const HEIGHT = 58;

function similarityOf(row) {
  return state.columns.similarity[row];
}

function listed() {
  const asked = byId("search").value.trim().toLocaleLowerCase();
  const reason = byId("reason").value, sort = byId("sort").value, columns = state.columns;
  const least = Number(byId("least").value || 0), most = Number(byId("most").value || 1);
  const source = byId("source").value, size = Number(byId("size").value || 0);
  const rows = [];
  for (let row = 0; row < columns.size.length; row++) {
    const like = columns.similarity[row];
    if (columns.size[row] < size || (like !== null && (like < least || like > most))) continue;
    if (reason && columns.reason[row] !== reason) continue;
    if (source && String(columns.source[row]) !== source) continue;
    if (asked && !state.searched[row].includes(asked)) continue;
    rows.push(row);
  }
  const near = (row) => Math.abs((columns.similarity[row] ?? 9) - head.threshold);
  const orders = {
    input: null,
    size: (a, b) => columns.size[b] - columns.size[a] || a - b,
    near: (a, b) => near(a) - near(b) || a - b,
    least: (a, b) => (columns.similarity[a] ?? 9) - (columns.similarity[b] ?? 9) || a - b,
    most: (a, b) => (columns.similarity[b] ?? -1) - (columns.similarity[a] ?? -1) || a - b,
  };
  if (orders[sort]) rows.sort(orders[sort]);
  state.order = rows;
  byId("found").textContent = `${number.format(rows.length)} of ${number.format(columns.size.length)} shown`;
  byId("space").style.height = `${rows.length * HEIGHT}px`;
  paint();
}

function paint() {
  const list = byId("list"), space = byId("space");
  const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 8);
  const last = Math.min(state.order.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + 8);
  const rows = [];
  for (let at = first; at < last; at++) rows.push(rowOf(at));
  space.replaceChildren(...rows);
  if (!state.order.length) space.replaceChildren(make("p", { className: "nothing" }, head.count ? "Nothing fits the filter." : head.nothing));
}

function rowOf(at) {
  const row = state.order[at], columns = state.columns, like = columns.similarity[row];
  const decided = state.decided.has(row);
  const about = [`${head.words.members}: ${number.format(columns.size[row])}`];
  if (like !== null) about.push(like.toFixed(3));
  if (columns.reason[row]) about.push(columns.reason[row]);
  if (columns.chunk && columns.chunk[row] < 0) about.push("text not in this file");
  const node = make(
    "div",
    { className: "row", role: "option", tabIndex: -1, on: { click: () => open(row) } },
    make("span", { className: "title", dir: "auto" }, ...visible(columns.title[row] || "(empty)")),
    make("span", { className: "about" }, `${columns.name[row]} · ${about.join(" · ")}`, decided ? make("b", {}, " decided") : ""),
  );
  node.setAttribute("aria-selected", row === state.chosen);
  node.style.top = `${at * HEIGHT}px`;
  return node;
}

function step(by) {
  const at = state.order.indexOf(state.chosen);
  const next = Math.min(Math.max(at + by, 0), state.order.length - 1);
  if (next < 0) return;
  const list = byId("list");
  if (next * HEIGHT < list.scrollTop) list.scrollTop = next * HEIGHT;
  if ((next + 1) * HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = (next + 1) * HEIGHT - list.clientHeight;
  open(state.order[next]);
}

// a group

async function open(row) {
  state.chosen = row;
  paint();
  const place = byId("detail");
  let group;
  try {
    group = await data.group(row, state.columns);
  } catch (problem) {
    place.replaceChildren(back(), make("p", { className: "warning" }, `The texts could not be read: ${problem.message}`));
    return;
  }
  if (state.chosen !== row) return;
  state.group = group;
  document.body.classList.add("opened");
  if (!group) {
    place.replaceChildren(back(), make("p", { className: "nothing" }, head.without));
    return;
  }
  const main = group.members[0], others = group.members.slice(1);
  const name = state.columns.name[row];
  place.replaceChildren(
    back(),
    make("h2", {}, `${head.words.group} ${name}`),
    make("p", { className: "about" }, `${head.words.members}: ${number.format(state.columns.size[row])}`,
      group.left_out ? `; ${number.format(group.left_out)} of them are not in this file` : ""),
    make("div", { id: "members", role: "tablist", hidden: others.length < 2 }),
    make("div", { id: "beside" }),
  );
  const tabs = byId("members");
  others.forEach((other, i) => {
    tabs.append(make("button", { type: "button", role: "tab", on: { click: () => beside(row, main, other, i) } },
      `${other.name}`, other.similarity === null ? "" : ` ${other.similarity.toFixed(3)}`));
  });
  if (others.length) beside(row, main, others[0], 0);
  else byId("beside").append(side(main, "left", []));
  place.scrollTop = 0;
}

function back() {
  return make("button", { className: "back", type: "button", on: { click: () => document.body.classList.remove("opened") } }, "← list");
}

/** Show two texts side by side. */
function beside(row, main, other, at) {
  [...byId("members").children].forEach((tab, i) => tab.setAttribute("aria-selected", i === at));
  const spans = other.spans.map((span, i) => ({ left: span.slice(0, 2), right: span.slice(2, 4), name: i + 1 }));
  byId("beside").replaceChildren(
    make("p", { className: "evidence" }, ...other.evidence.map((line) => make("span", {}, line))),
    ...(head.decides ? [decision(row, main, other)] : []),
    make("div", { className: "sides" }, side(main, "left", spans, other), side(other, "right", spans, other)),
  );
  if (!other.differs && spans.length) jumpTo("left", 1);
}

function side(member, which, spans, other) {
  const text = make("div", { className: "text", dir: "auto" }, ...marked(member, which, spans, other));
  const label = which === "left" ? head.words.left : head.words.right;
  const verdict = member.kept === undefined ? "label" : `verdict ${member.kept ? "kept" : "removed"}`;
  const said = member.kept === undefined ? label : member.kept ? "kept" : "removed";
  return make("section", { className: `side ${which}` },
    make("h3", {}, make("span", { className: verdict }, said), " ", make("bdi", {}, ...visible(String(member.name)))),
    text);
}

/** Return the text of a member as nodes: what is shared has a number and a colour; the rest differs. */
function marked(member, which, spans, other) {
  const nodes = [];
  const own = spans.map((span) => ({ start: span[which][0], end: span[which][1], name: span.name }))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const alike = !other || !other.differs || other.difference === "identical" || other.difference === "format";
  let end = 0;
  for (const [offset, text] of member.pieces) {
    if (offset > end) nodes.push(make("p", { className: "gap" }, `… ${number.format(offset - end)} characters left out …`));
    const place = placesOf(text), length = text.length;
    let at = 0;
    for (const span of own) {
      const from = Math.max(place(Math.max(span.start - offset, 0)), at);
      const to = span.end - offset <= 0 ? 0 : Math.min(place(span.end - offset) ?? length, length);
      if (to <= from || from >= length) continue;
      if (from > at) nodes.push(differing(text.slice(at, from), alike));
      const jump = () => jumpTo(which === "left" ? "right" : "left", span.name);
      const node = make("mark", { className: `shared c${span.name % 6}`, tabIndex: 0, title: "click: to its partner",
        on: { click: jump, keydown: (event) => { if (event.key === "Enter") { event.stopPropagation(); jump(); } } } },
        make("sup", {}, String(span.name)), ...visible(text.slice(from, to)));
      node.dataset.span = span.name;
      nodes.push(node);
      at = to;
    }
    if (at < length) nodes.push(differing(text.slice(at), alike));
    end = offset + [...text].length;
  }
  if (member.length > end) nodes.push(make("p", { className: "gap" }, `… ${number.format(member.length - end)} characters left out …`));
  return nodes;
}

/** Return text that is not shared; numbers in it stand out. */
function differing(text, alike) {
  if (alike || !text.trim()) return make("span", {}, ...visible(text));
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(/\p{Nd}+(?:[.,:]\p{Nd}+)*/gu)) {
    if (found.index > at) nodes.push(...visible(text.slice(at, found.index)));
    nodes.push(make("b", { className: "digits" }, found[0]));
    at = found.index + found[0].length;
  }
  nodes.push(...visible(text.slice(at)));
  return make("span", { className: "differs" }, ...nodes);
}

function jumpTo(which, name) {
  const partner = document.querySelector(`.side.${which} mark[data-span="${name}"]`);
  if (!partner) return;
  partner.scrollIntoView({ block: "center" });
  partner.focus({ preventScroll: true });
  document.querySelectorAll("mark.lit").forEach((node) => node.classList.remove("lit"));
  document.querySelectorAll(`mark[data-span="${name}"]`).forEach((node) => node.classList.add("lit"));
}

// decisions

const STORE = `dedup decisions ${head.seal}`;

function decision(row, main, other) {
  const known = state.decided.get(row)?.get(String(other.name)) ?? { verdict: "", note: "" };
  const note = make("input", { type: "text", value: known.note, placeholder: "note", "aria-label": "note", maxLength: 500 });
  const decide = (verdict) => {
    if (!state.decided.has(row)) state.decided.set(row, new Map());
    const of = state.decided.get(row);
    of.set(String(other.name), { verdict, note: note.value, id: other.id, main: main.id });
    if (!verdict && !note.value) of.delete(String(other.name));
    if (!of.size) state.decided.delete(row);
    remember();
    box.replaceWith(decision(row, main, other));
    paint();
  };
  note.addEventListener("change", () => decide(state.decided.get(row)?.get(String(other.name))?.verdict || "unsure"));
  const button = (verdict, text) => make("button", { type: "button", className: known.verdict === verdict ? "chosen" : "",
    "aria-pressed": known.verdict === verdict, on: { click: () => decide(known.verdict === verdict ? "" : verdict) } }, text);
  const box = make("div", { className: "decision" },
    button("instead", "keep this one instead"), button("keep", "not a duplicate"), button("unsure", "unsure"), note);
  box.dataset.decide = "";
  box.decide = decide;
  return box;
}

/** Return the decisions as JSON lines: cluster, id, verdict, note, and the checksum of the report. */
function overrides() {
  const lines = [];
  for (const row of [...state.decided.keys()].sort((a, b) => a - b)) {
    const cluster = state.columns.number[row];
    const of = [...state.decided.get(row).values()];
    const instead = of.find((each) => each.verdict === "instead");
    if (instead) lines.push({ cluster, id: instead.main, verdict: "remove", note: instead.note, report: head.seal });
    for (const each of of) {
      const verdict = each.verdict === "instead" ? "keep" : each.verdict;
      lines.push({ cluster, id: each.id, verdict, note: each.note, report: head.seal });
    }
  }
  return lines.map((line) => JSON.stringify(line) + "\n").join("");
}

function remember() {
  const count = [...state.decided.values()].reduce((sum, of) => sum + of.size, 0);
  byId("export").hidden = !head.decides;
  byId("export").disabled = !count;
  byId("export").textContent = count ? `save ${number.format(count)} decision${count === 1 ? "" : "s"}` : "no decisions yet";
  try {
    localStorage.setItem(STORE, JSON.stringify([...state.decided].map(([row, of]) => [row, [...of]])));
  } catch { /* a page from a file may have no store: the decisions last as long as the page */ }
}

function recall() {
  try {
    for (const [row, of] of JSON.parse(localStorage.getItem(STORE) ?? "[]")) state.decided.set(row, new Map(of));
  } catch { /* see above */ }
}

function save(name, text, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Return a value for a CSV file; what a spreadsheet would take for a formula is quoted. */
function cell(value) {
  let text = String(value ?? "");
  if (/^[=+\-@\t\r]/.test(text) && typeof value !== "number") text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function table() {
  const columns = state.columns;
  const rows = state.order.map((row) => [columns.name[row], columns.size[row], columns.similarity[row], columns.reason[row],
    columns.title[row]].map(cell).join(","));
  return ["name,size,similarity,reason,text", ...rows, ""].join("\r\n");
}

// the beginning

function choices() {
  const reasons = [...new Set(state.columns.reason)].filter(Boolean).sort();
  byId("reason").append(...reasons.map((reason) => make("option", { value: reason }, reason)));
  byId("reason").hidden = reasons.length < 2;
  byId("source").append(...head.sources.map((path, i) => make("option", { value: i }, path)));
  byId("source").hidden = head.sources.length < 2;
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const box = document.querySelector("[data-decide]");
  const actions = {
    j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
    Enter: () => state.order.length && open(state.chosen < 0 ? state.order[0] : state.chosen),
    "/": () => byId("search").focus(), Escape: () => document.body.classList.remove("opened"),
    i: () => box?.decide("instead"), n: () => box?.decide("keep"), s: () => box?.decide("unsure"), u: () => box?.decide(""),
    "?": () => { byId("help").open = !byId("help").open; },
  };
  if (actions[event.key] && !(event.key === "Enter" && event.target.tagName === "BUTTON")) {
    event.preventDefault();
    actions[event.key]();
  }
}

async function begin() {
  const started = performance.now();
  byId("facts").append(...head.facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, ...visible(String(value)))]));
  byId("warnings").append(...head.warnings.map((warning) => make("p", { className: "warning" }, ...visible(warning))));
  byId("histograms").append(...head.histograms.map(histogram));
  byId("note").textContent = head.note;
  state.columns = await data.rows();
  state.searched = state.columns.title.map((title, row) => `${title}\n${state.columns.name[row]}`.toLocaleLowerCase());
  recall();
  choices();
  remember();
  if (head.count === 1) document.body.classList.add("single");
  for (const id of ["search", "least", "most", "size"]) byId(id).addEventListener("input", listed);
  for (const id of ["sort", "reason", "source"]) byId(id).addEventListener("change", listed);
  byId("list").addEventListener("scroll", paint, { passive: true });
  addEventListener("resize", paint);
  document.addEventListener("keydown", keys);
  byId("export").addEventListener("click", () => save("overrides.jsonl", overrides(), "application/jsonl"));
  byId("table").addEventListener("click", () => save("list.csv", table(), "text/csv"));
  listed();
  document.body.dataset.ready = Math.round(performance.now() - started);
  const wide = matchMedia("(min-width: 800px)").matches;
  if (state.order.length && (wide || head.count === 1)) await open(state.order[0]);
}

begin();
