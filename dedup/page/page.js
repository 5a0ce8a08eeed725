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

/** Return the bytes that are packed in an island. */
async function bytesOf(id) {
  const letters = atob(byId(id).textContent), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i); // a loop: a callback takes many times as long
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

const textOf = (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Return where each line of a text begins, and where one more would. */
function linesOf(text, count) {
  const starts = new Uint32Array(count + 1);
  for (let line = 1, at = 0; line < count; line++) starts[line] = at = text.indexOf("\n", at) + 1;
  starts[count] = text.length + 1;
  return starts;
}

/** The data of a page that is one file: arrays of numbers, blocks of names, and chunks of texts, all packed. */
class Inside {
  constructor() {
    this.chunks = new Map();
    this.blocks = []; // of BLOCK groups each: the start of a text and its name, line by line; the same in small letters
  }

  /** Unpack the list, block by block, while its first rows are shown; the packed ones are dropped. */
  begin(asked) {
    this.ready = this.unpack(asked);
    return this.ready;
  }

  async unpack(asked) {
    if (document.readyState === "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));
    const count = head.shown, numbers = await bytesOf("numbers");
    const wide = (at) => new Float64Array(numbers, 8 * count * at, count);
    const narrow = (at) => new Int32Array(numbers, 16 * count + 4 * count * at, count);
    Object.assign(this, { number: wide(0), similarity: wide(1), size: narrow(0), source: narrow(1), reason: narrow(2) });
    this.place = new Int32Array(await bytesOf("places"));
    for (const id of ["numbers", "places"]) byId(id).remove();
    for (let first = 0; first < count; first += head.block) {
      const id = `names-${first / head.block}`, text = textOf(await bytesOf(id)), small = text.toLocaleLowerCase();
      byId(id).remove();
      const lines = 2 * Math.min(head.block, count - first);
      this.blocks.push({ text, small, starts: linesOf(text, lines), smallStarts: linesOf(small, lines) });
    }
    this.order = this.ordered(asked);
  }

  /** Return which groups have a text in their name or in the start of their text. */
  searched(wanted) {
    const found = new Uint8Array(head.shown);
    this.blocks.forEach(({ small, smallStarts }, block) => {
      for (let at = small.indexOf(wanted), line = 0; at >= 0; at = small.indexOf(wanted, smallStarts[line])) {
        while (smallStarts[line] <= at) line += 2; // the first line of the next group
        found[block * head.block + line / 2 - 1] = 1;
        if (line >= smallStarts.length - 1) break;
      }
    });
    return found;
  }

  /** Return the groups that fit a filter, in its order. */
  ordered(asked) {
    const { size, similarity, reason, source } = this, rows = [];
    const found = asked.search && this.searched(asked.search.toLocaleLowerCase());
    const wanted = asked.reason ? head.reasons.indexOf(asked.reason) : -1, file = asked.source === "" ? -1 : Number(asked.source);
    for (let row = 0; row < size.length; row++) {
      const like = similarity[row]; // NaN is neither less nor more
      if (size[row] < asked.size || like < asked.least || like > asked.most) continue;
      if (wanted >= 0 && reason[row] !== wanted) continue;
      if (file >= 0 && source[row] !== file) continue;
      if (found && !found[row]) continue;
      rows.push(row);
    }
    const known = (row, other) => (Number.isNaN(similarity[row]) ? other : similarity[row]);
    const near = (row) => Math.abs(known(row, 9) - head.threshold);
    const orders = {
      size: (a, b) => size[b] - size[a] || a - b,
      near: (a, b) => near(a) - near(b) || a - b,
      least: (a, b) => known(a, 9) - known(b, 9) || a - b,
      most: (a, b) => known(b, -1) - known(a, -1) || a - b,
    };
    return orders[asked.sort] ? rows.sort(orders[asked.sort]) : rows;
  }

  /** Order and filter the groups; return how many are left. */
  async find(asked) {
    await this.ready;
    this.order = this.ordered(asked);
    return this.order.length;
  }

  /** Return some of the groups that were found, in their order. */
  async window(first, last) {
    if (!this.order && last <= state.first.length) return state.first.slice(first, last);
    await this.ready;
    return [...this.order.slice(first, last)].map((row) => {
      const { text, starts } = this.blocks[Math.floor(row / head.block)], line = 2 * (row % head.block);
      const said = (line) => text.slice(starts[line], starts[line + 1] - 1);
      return { row, number: this.number[row], title: said(line), name: said(line + 1), size: this.size[row],
        similarity: Number.isNaN(this.similarity[row]) ? null : this.similarity[row],
        reason: head.reasons[this.reason[row]], place: this.place[row] };
    });
  }

  async group({ place }) {
    if (place < 0) return null;
    const chunk = Math.floor(place / head.packed);
    if (!this.chunks.has(chunk)) {
      if (document.readyState === "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));
      if (this.chunks.size > 8) this.chunks.delete(this.chunks.keys().next().value);
      this.chunks.set(chunk, JSON.parse(textOf(await bytesOf(`chunk-${chunk}`))));
    }
    return this.chunks.get(chunk)[place % head.packed];
  }
}

/** The data of a page from `dedup show`: asked for when it is needed. */
class Served {
  async ask(what, given = {}) {
    const answer = await fetch(`${what}?${new URLSearchParams(given)}`);
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error);
    return found;
  }

  begin(asked) {
    this.asked = asked;
    setTimeout(() => this.follow(), 50);
  }

  async find(asked) {
    state.first = [];
    this.asked = asked;
    return (await this.ask("find", asked)).count;
  }

  async window(first, last) {
    if (last <= state.first.length) return state.first.slice(first, last);
    return first < last ? this.ask("window", { ...this.asked, first, last }) : [];
  }

  async group({ row }) {
    return this.ask("group", { row });
  }

  /** Say how far the server has read the texts, until it is done; the list has more of them then. */
  async follow() {
    const { read, failed } = await this.ask("progress");
    if (failed) state.unread = "(not read)";
    const share = Math.floor((100 * read) / Math.max(head.count, 1));
    byId("note").textContent = failed ? `The texts could not be read: ${failed}`
      : read < head.count ? `Texts are being read: ${share} %. The search does not see the others yet.` : head.note;
    if (state.read !== read || failed) {
      state.read = read;
      state.first = [];
      if (byId("search").value && read === head.count) await listed();
      else await paint();
    }
    if (!failed && read < head.count) setTimeout(() => this.follow(), 1000);
    else document.body.dataset.read = failed ? "failed" : "all";
  }
}

const head = JSON.parse(byId("head").textContent);
const data = head.served ? new Served() : new Inside();
const number = new Intl.NumberFormat("en");
const state = { count: 0, at: -1, chosen: null, painted: 0, found: 0, decided: new Map(),
  read: 0, unread: "(being read)", offset: 0, scrolled: 0,
  first: JSON.parse(byId("first").textContent) }; // rows at the top, until the others are known

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
  const between = (low, next) => (given.whole ? (next - low > 1 ? `${low} to ${next - 1}` : low) : `${low} to ${next}`);
  const picture = drawn("svg", { viewBox: `0 0 ${wide} ${high + low}`, role: "img" });
  picture.append(drawn("title", {}, given.title));
  given.counts.forEach((count, i) => {
    const tall = count ? Math.max((counts[i] / most) * high, 1.5) : 0;
    const bar = drawn("rect", {
      x: i * step + 0.5, y: high - tall, width: Math.max(step - 1, 0.5), height: tall, class: "bar",
    });
    bar.append(drawn("title", {}, `${between(given.edges[i], given.edges[i + 1])}: ${number.format(count)}`));
    picture.append(bar);
  });
  if (given.mark !== null && given.mark !== undefined) {
    const first = given.edges[0], end = given.edges[given.edges.length - 1];
    const x = ((given.mark - first) / (end - first)) * wide;
    picture.append(drawn("line", { x1: x, x2: x, y1: 0, y2: high, class: "threshold" }));
    const side = x > wide - 80 ? { x: x - 3, "text-anchor": "end" } : { x: x + 3 };
    picture.append(drawn("text", { ...side, y: 10, class: "said" }, `threshold ${given.mark}`));
  }
  const last = given.edges[given.edges.length - 1] - (given.whole ? 1 : 0);
  for (const [x, anchor, text] of [[0, "start", given.edges[0]], [wide, "end", last]]) {
    picture.append(drawn("text", { x, y: high + 12, "text-anchor": anchor, class: "said" }, String(text)));
  }
  const label = make("figcaption", {}, make("span", {}, given.title));
  const box = make("figure", { className: "histogram" }, label, picture);
  if (given.counts.some((count) => count > 0)) {
    const change = () => box.replaceWith(histogram({ ...given, log: !given.log }));
    label.append(make("button", { className: "small", type: "button", on: { click: change } }, given.log ? "linear" : "log"));
  }
  return box;
}

// the list

const HEIGHT = 58, TALLEST = 10_000_000; // pixels: of a row, and of an element in any browser

function asked() {
  const number = (id, other) => (byId(id).value === "" ? other : Number(byId(id).value));
  return {
    search: byId("search").value.trim(), sort: byId("sort").value, reason: byId("reason").value,
    source: byId("source").value, least: number("least", -1), most: number("most", 2), size: number("size", 0),
  };
}

/** What is asked for at first: all groups, the largest first. */
const START = { search: "", sort: "size", reason: "", source: "", least: -1, most: 2, size: 0 };

async function listed() {
  const turn = ++state.found;
  const count = await data.find(asked());
  if (turn === state.found) await show(count);
}

/** Show so many groups, from the top. */
async function show(count) {
  state.count = count;
  state.at = -1;
  byId("found").textContent = `${number.format(count)} of ${number.format(head.shown)} shown`;
  state.offset = state.scrolled = 0;
  byId("space").style.height = `${Math.min(count * HEIGHT, TALLEST)}px`;
  byId("list").scrollTop = 0;
  await paint();
}

/** Return how much higher the whole list is than the element, which browsers let grow only so far. */
const hidden = () => Math.max(state.count * HEIGHT - TALLEST, 0);

/** Show the list from a place on, in pixels of the whole list. */
function scrollToPlace(place) {
  const list = byId("list");
  const most = Math.max(state.count * HEIGHT - list.clientHeight, 0);
  const wanted = Math.min(Math.max(place, 0), most);
  state.offset = most ? Math.round((wanted / most) * hidden()) : 0;
  list.scrollTop = state.scrolled = wanted - state.offset;
}

/** After the user scrolled: a small step is a step of the whole list, a long one is a part of it. */
function scrolled() {
  const list = byId("list");
  const moved = Math.abs(list.scrollTop - state.scrolled);
  if (hidden() && moved) {
    const far = (list.scrollTop / Math.max(TALLEST - list.clientHeight, 1)) * (state.count * HEIGHT - list.clientHeight);
    scrollToPlace(moved < list.clientHeight ? list.scrollTop + state.offset : far);
  }
  return paint();
}

async function paint() {
  const turn = ++state.painted;
  const list = byId("list"), space = byId("space");
  const top = list.scrollTop + state.offset;
  const first = Math.max(0, Math.floor(top / HEIGHT) - 8);
  const last = Math.min(state.count, Math.ceil((top + list.clientHeight) / HEIGHT) + 8);
  const rows = await data.window(first, last);
  if (turn !== state.painted) return;
  space.replaceChildren(...rows.map((row, i) => rowOf(row, first + i)));
  if (!state.count) space.replaceChildren(make("p", { className: "nothing" }, head.count ? "Nothing fits the filter." : head.nothing));
}

/** Return a name, or the start of a long one; of a long path the end. */
function short(name) {
  const letters = [...name];
  if (letters.length <= 48) return name;
  return name.startsWith("/") ? `…${letters.slice(-47).join("")}` : `${letters.slice(0, 47).join("")}…`;
}

function rowOf(row, at) {
  const about = [row.similarity === null ? "" : row.similarity.toFixed(3), `${head.words.members}: ${number.format(row.size)}`];
  if (row.reason) about.push(row.reason);
  if (row.place < 0) about.push("text not in this file");
  const node = make(
    "div",
    { className: "row", role: "option", tabIndex: -1, on: { click: () => open(row, at) } },
    make("span", { className: "title", dir: "auto" }, ...visible(row.title === null ? state.unread : row.title || "(empty)")),
    make("span", { className: "about" }, state.decided.has(row.number) ? make("b", {}, "decided · ") : "",
      `${about.filter(Boolean).join(" · ")} · `, make("bdi", { title: row.name }, ...visible(short(row.name)))),
  );
  node.setAttribute("aria-selected", row.row === state.chosen?.row);
  node.style.top = `${at * HEIGHT - state.offset}px`;
  return node;
}

async function step(by) {
  const next = Math.min(Math.max(state.at + by, 0), state.count - 1);
  if (next < 0) return;
  const list = byId("list");
  const top = list.scrollTop + state.offset;
  if (next * HEIGHT < top) scrollToPlace(next * HEIGHT);
  if ((next + 1) * HEIGHT > top + list.clientHeight) scrollToPlace((next + 1) * HEIGHT - list.clientHeight);
  const [row] = await data.window(next, next + 1);
  await open(row, next);
}

// a group

async function open(row, at) {
  state.chosen = row;
  state.at = at;
  paint();
  const place = byId("detail");
  document.body.classList.add("opened");
  let group;
  const slow = setTimeout(() => state.chosen === row
    && place.replaceChildren(back(), make("p", { className: "nothing" }, "The texts are being read …")), 300);
  try {
    group = await data.group(row);
  } catch (problem) {
    clearTimeout(slow);
    if (state.chosen !== row) return;
    place.replaceChildren(back(), make("p", { className: "warning" }, ...visible(`The texts could not be read: ${problem.message}`)));
    return;
  }
  clearTimeout(slow);
  if (state.chosen !== row) return;
  if (!group) {
    place.replaceChildren(back(), make("p", { className: "nothing" }, head.without));
    return;
  }
  const main = group.members[0], others = group.members.slice(1);
  place.scrollTop = 0;
  place.replaceChildren(
    back(),
    make("h2", {}, `${head.words.group} `, make("bdi", {}, ...visible(head.numbered ? String(row.number) : row.name))),
    make("p", { className: "about" }, `${head.words.members}: ${number.format(row.size)}`,
      group.left_out > 0 ? `; ${number.format(group.left_out)} of them are not shown` : ""),
    make("p", { className: "evidence" }, ...main.evidence.map((line) => make("span", {}, line))),
    make("div", { id: "members", role: "tablist", hidden: others.length < 2 }),
    make("div", { id: "beside" }),
  );
  const tabs = byId("members");
  others.forEach((other, i) => {
    tabs.append(make("button", { type: "button", role: "tab", on: { click: () => beside(row, main, other, i) } },
      make("bdi", { title: other.name }, ...visible(short(other.name))), other.similarity === null ? "" : ` ${other.similarity.toFixed(3)}`));
  });
  if (others.some((other) => other.spans.length && !other.differs)) {
    tabs.append(make("button", { type: "button", role: "tab", on: { click: () => inPlace(row, main, others) } }, "all in place"));
  }
  if (others.length) beside(row, main, others[0], 0);
  else byId("beside").append(side(main, "left", []));
}

function chosen(at) {
  [...byId("members").children].forEach((tab, i) => tab.setAttribute("aria-selected", i === at));
}

/** Show the main text alone, with all that it shares with any other; a click goes to the other. */
function inPlace(row, main, others) {
  chosen(others.length);
  const spans = others.flatMap((other, at) => other.spans.map((span, i) => ({ left: span.slice(0, 2), name: i + 1, at })));
  const go = ({ at, name }) => {
    beside(row, main, others[at], at);
    light(name);
  };
  byId("beside").replaceChildren(
    make("p", { className: "evidence" }, "All that is shared, in its place: a click shows where else it occurs."),
    side(main, "left", spans, others[0], go));
}

function back() {
  return make("button", { className: "back", type: "button", on: { click: () => document.body.classList.remove("opened") } }, "← list");
}

/** Show two texts side by side. */
function beside(row, main, other, at) {
  chosen(at);
  const spans = other.spans.map((span, i) => ({ left: span.slice(0, 2), right: span.slice(2, 4), name: i + 1 }));
  byId("beside").replaceChildren(
    make("p", { className: "evidence" }, ...other.evidence.map((line) => make("span", {}, line))),
    ...(head.decides ? [decision(row, main, other)] : []),
    make("div", { className: other.differs ? "sides" : "sides apart" }, side(main, "left", spans, other), side(other, "right", spans, other)),
  );
  if (!other.differs && spans.length) light(1);
}

function side(member, which, spans, other, go) {
  const text = make("div", { className: "text", dir: "auto" }, ...marked(member, which, spans, other, go));
  const label = which === "left" ? head.words.left : head.words.right;
  const verdict = member.kept === undefined ? "label" : `verdict ${member.kept ? "kept" : "removed"}`;
  const said = member.kept === undefined ? label : member.kept ? "kept" : "removed";
  return make("section", { className: `side ${which}` },
    make("h3", {}, make("span", { className: verdict }, said), " ", make("bdi", {}, ...visible(String(member.name)))),
    text);
}

/** Return the text of a member as nodes: what is shared has a number and a colour; the rest differs. */
function marked(member, which, spans, other, go = ({ name }) => jumpTo(which === "left" ? "right" : "left", name)) {
  const nodes = [];
  const own = spans.map((span) => ({ ...span, start: span[which][0], end: span[which][1] }))
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
      if (from > at) nodes.push(...differing(text.slice(at, from), alike));
      const jump = () => go(span);
      const node = make("mark", { className: `shared c${span.name % 6}`, tabIndex: 0, title: "click: to its partner",
        on: { click: jump, keydown: (event) => { if (event.key === "Enter") { event.stopPropagation(); jump(); } } } },
        make("sup", {}, String(span.name)), ...visible(text.slice(from, to)));
      node.dataset.span = span.name;
      nodes.push(node);
      at = to;
    }
    if (at < length) nodes.push(...differing(text.slice(at), alike));
    end = offset + [...text].length;
  }
  if (member.length > end) nodes.push(make("p", { className: "gap" }, `… ${number.format(member.length - end)} characters left out …`));
  if (!member.length) nodes.push(make("p", { className: "gap" }, "(no text)"));
  return nodes;
}

/** Return text that is not shared, as nodes; numbers in it stand out, white space around it does not. */
function differing(text, alike) {
  const core = text.trim();
  if (alike || !core) return visible(text);
  const nodes = [], from = text.indexOf(core);
  let at = 0;
  for (const found of core.matchAll(/\p{Nd}+(?:[.,:]\p{Nd}+)*/gu)) {
    if (found.index > at) nodes.push(...visible(core.slice(at, found.index)));
    nodes.push(make("b", { className: "digits" }, found[0]));
    at = found.index + found[0].length;
  }
  nodes.push(...visible(core.slice(at)));
  return [...visible(text.slice(0, from)), make("span", { className: "differs" }, ...nodes), ...visible(text.slice(from + core.length))];
}

function jumpTo(which, name) {
  const partner = document.querySelector(`.side.${which} mark[data-span="${name}"]`);
  if (!partner) return;
  light(name);
  if (own(partner)) partner.closest(".side").scrollIntoView({ block: "nearest" });
  else partner.scrollIntoView({ block: partner.offsetHeight > innerHeight / 2 ? "start" : "center" });
  partner.focus({ preventScroll: true });
}

/** Return the text around a node if it scrolls by itself: of passages, and where one text is above the other. */
function own(node) {
  const text = node.closest(".text");
  return getComputedStyle(text).overflowY === "auto" ? text : null;
}

/** Mark a span on both sides; where each side scrolls by itself, both go to it. */
function light(name) {
  document.querySelectorAll("mark.lit").forEach((node) => node.classList.remove("lit"));
  document.querySelectorAll(`mark[data-span="${name}"]`).forEach((node) => {
    node.classList.add("lit");
    const text = own(node);
    if (text) text.scrollTop += node.getBoundingClientRect().top - text.getBoundingClientRect().top - 48;
  });
}

// decisions

const STORE = `dedup decisions ${head.seal}`;

function decision(row, main, other) {
  const known = state.decided.get(row.number)?.get(String(other.name)) ?? { verdict: "", note: "" };
  const note = make("input", { type: "text", value: known.note, placeholder: "note", "aria-label": "note", maxLength: 500 });
  const decide = (verdict) => {
    if (!state.decided.has(row.number)) state.decided.set(row.number, new Map());
    const of = state.decided.get(row.number);
    of.set(String(other.name), { verdict, note: note.value, id: other.id, main: main.id });
    if (!verdict && !note.value) of.delete(String(other.name));
    if (!of.size) state.decided.delete(row.number);
    remember();
    box.replaceWith(decision(row, main, other));
    paint();
  };
  note.addEventListener("change", () => decide(state.decided.get(row.number)?.get(String(other.name))?.verdict || "unsure"));
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
  for (const cluster of [...state.decided.keys()].sort((a, b) => a - b)) {
    const of = [...state.decided.get(cluster).values()];
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
    localStorage.setItem(STORE, JSON.stringify([...state.decided].map(([cluster, of]) => [cluster, [...of]])));
  } catch { /* a page from a file may have no store: the decisions last as long as the page */ }
}

function recall() {
  try {
    for (const [cluster, of] of JSON.parse(localStorage.getItem(STORE) ?? "[]")) state.decided.set(cluster, new Map(of));
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

async function table() {
  const lines = ["name,members,similarity,reason,text"];
  for (let first = 0; first < state.count; first += 5000) {
    for (const row of await data.window(first, Math.min(first + 5000, state.count))) {
      lines.push([row.name, row.size, row.similarity, row.reason, row.title].map(cell).join(","));
    }
  }
  return [...lines, ""].join("\r\n");
}

// the beginning

function choices(known) {
  const reasons = known.filter(Boolean);
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
    Enter: () => step(0),
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
  byId("pictures").addEventListener("toggle", () => byId("histograms").append(...head.histograms.map(histogram)), { once: true });
  byId("note").textContent = head.note;
  recall();
  choices(head.reasons);
  remember();
  byId("deciding").hidden = !head.decides;
  byId("pictures").hidden = !head.histograms.length;
  if (!head.count) byId("detail").append(make("p", { className: "nothing" }, ...visible(head.nothing)));
  if (!head.count || (head.count === 1 && !head.decides)) document.body.classList.add("single");
  for (const id of ["search", "least", "most", "size"]) byId(id).addEventListener("input", listed);
  for (const id of ["sort", "reason", "source"]) byId(id).addEventListener("change", listed);
  byId("list").addEventListener("scroll", scrolled, { passive: true });
  addEventListener("resize", paint);
  document.addEventListener("keydown", keys);
  byId("export").addEventListener("click", () => save("overrides.jsonl", overrides(), "application/jsonl"));
  byId("table").addEventListener("click", async () => save("list.csv", await table(), "text/csv"));
  data.begin(START);
  await show(head.shown);
  addEventListener("pageshow", () => { // some browsers fill in what was typed before the page was loaded again
    if (JSON.stringify(asked()) !== JSON.stringify(START)) listed();
  });
  document.body.dataset.ready = Math.round(performance.now() - started);
  const wide = matchMedia("(min-width: 800px)").matches;
  if (state.count && (wide || head.count === 1)) await step(0);
}

begin();
