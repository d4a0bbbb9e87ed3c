"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
/** Transcripts and programs, most of the file: read when the first is opened. */
let texts = null;
const ROW = 26, AHEAD = 12;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const make = (tag, props, ...children) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (key.includes("-") || key === "role") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children);
  return node;
};

/* ---- What is known of each row. ---- */

performance.mark("sockeye-read");
const { columns, rows, tables } = data;
const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
const name = (column) => {
  const base = `${column.system} ${column.build}`.trim();
  const same = columns.filter((c) => c.system === column.system && c.build === column.build);
  return same.length > 1 ? `${base}, ${column.subject}${same.some((c) => c !== column && c.subject === column.subject) ? ` in ${column.run}` : ""}` : base;
};
const names = columns.map(name);
const changed = (answer) => data.since === null ? answer.verdict === "changed" : answer.since !== undefined;
const deviates = (answer) => answer.findings !== undefined;
// Whether a rule was asked and is not broken: without frames most are not asked.
const keeps = (answer) => answer.group !== null && !deviates(answer) && answer.verdict !== "error" && !answer.unjudged;
/** What is undocumented is a remark, and no deviation. */
const remarked = (answer) => answer.remarks !== undefined;
const RANKS = ["violates", "surprises", "undocumented"];
const ranksOf = (answer) => [...answer.findings || [], ...answer.remarks || []].map((found) => found.rank);
for (const row of rows) {
  row.suite = row.id.split("/")[0];
  row.differs = row.outcomes > 1;
  row.deviates = row.answers.some(deviates);
  row.changed = row.answers.some(changed);
  row.ranks = new Set(row.answers.flatMap(ranksOf));
}
/** What people call a tag. */
const ALSO = [["df", /\bdo(?:n['’]?t| not) fragment\b|\bdf bit\b/g], ["pmtu", /\bpath mtu\b/g], ["dual-stack", /\bdual stack\b/g], ["half-close", /\bhalf close\b/g]];
for (const row of rows) row.interest = row.differs || row.deviates || row.changed || row.answers.some((a) => a.verdict === "error" || a.unexpected);
const needs = () => texts ??= JSON.parse($("texts").textContent);
/** Which texts have a word in one of their lines: lines are looked through once, texts by numbers. */
const saying = new Map();
const textsSaying = (word) => {
  let said = saying.get(word);
  if (said) return said;
  const all = needs(), upTo = new Uint32Array(all.lines.length + 1);
  all.lines.forEach((line, at) => { upTo[at + 1] = upTo[at] + (line.toLowerCase().includes(word) ? 1 : 0); });
  said = new Uint8Array(all.texts.length);
  all.texts.forEach((numbers, at) => {
    let last = 0;
    for (const n of numbers) {
      const from = n >= 0 ? n : last + 1, to = n >= 0 ? n : -n;
      if (upTo[to + 1] > upTo[from]) { said[at] = 1; return; }
      last = to;
    }
  });
  if (saying.size > 30) saying.clear();
  saying.set(word, said);
  return said;
};
/** A search: tags by their names or by what people call them, phrases in quotes, words. */
const parsed = (text) => {
  let left = text.toLowerCase();
  const tags = new Set();
  for (const [tag, said] of ALSO) if (data.tags.includes(tag)) left = left.replace(said, () => { tags.add(tag); return " "; });
  const all = (left.match(/"[^"]+"?|\S+/g) || []).map((word) => word.replaceAll('"', "")).filter(Boolean);
  for (const word of all) if (data.tags.includes(word)) tags.add(word);
  return { tags: [...tags], words: all.filter((word) => !tags.has(word)) };
};
/** The options and flags that a tag means. */
const means = (tag) => data.means[data.tags.indexOf(tag)].map((name) => name.toLowerCase());
/** A search as tests of a row. */
const wanted = (text) => {
  const { tags, words } = parsed(text);
  const tests = [];
  for (const word of words) {
    let said = null;
    tests.push((row) => {
      if (hay(row).includes(word)) return true;
      said ??= textsSaying(word);
      return row.answers.some((answer) => said[answer.text] === 1);
    });
  }
  for (const tag of tags) tests.unshift((row) => (row.tags || []).includes(data.tags.indexOf(tag)));
  return tests;
};
/** How much of a search a text names, from 0 to 1: its words, and of a tag an option or what people call it. */
const naming = (text) => {
  const { tags, words } = parsed(text);
  const tests = words.map((word) => (said) => said.includes(word));
  for (const tag of tags) {
    const names = means(tag), called = ALSO.find(([of]) => of === tag)?.[1];
    tests.push((said) => names.some((name) => said.includes(name)) || (called !== undefined && said.search(called) >= 0));
  }
  return (said) => tests.filter((test) => test(said)).length / Math.max(1, tests.length);
};
/** What a transcript has of a search, as it is written there: its words, and the options of its tags. */
const written = (text) => {
  const { tags, words } = parsed(text);
  return [...tags.flatMap(means), ...words];
};
const hay = (row) => row.hay ??= `${row.id} ${row.title} ${row.answers.map((a) => data.words[a.word]).join(" ")}`.toLowerCase();
const byId = new Map(rows.map((row) => [row.id, row]));
const suites = [...new Set(rows.map((row) => row.suite))];

/* ---- State, which is the fragment: #ID?text=…&suite=…&only=…, or #grid?… for the table itself.  ---- */

const state = { row: "", text: "", suite: "", rank: "", differs: false, deviates: false, changed: false };
const ONLY = ["differs", "deviates", "changed"];
const encodeId = (id) => encodeURIComponent(id).replace(/%(2F|5B|5D|2C|3A|3D|2B|40)/g, decodeURIComponent);
const fragment = () => {
  const words = new URLSearchParams();
  if (state.text) words.set("text", state.text);
  if (state.suite) words.set("suite", state.suite);
  if (state.rank) words.set("rank", state.rank);
  const only = ONLY.filter((key) => state[key]);
  if (only.length) words.set("only", only.join(","));
  const query = words.toString();
  return `#${encodeId(state.row)}${query ? `?${query}` : ""}`;
};
const readFragment = () => {
  const [id, query = ""] = location.hash.slice(1).split("?");
  let row = id;
  try { row = decodeURIComponent(id); } catch { /* Not ours: no such row. */ }
  const words = new URLSearchParams(query);
  const only = (words.get("only") || "").split(",");
  state.row = byId.has(row) ? row : "";
  state.text = words.get("text") || "";
  state.suite = suites.includes(words.get("suite")) ? words.get("suite") : "";
  state.rank = RANKS.includes(words.get("rank")) ? words.get("rank") : "";
  for (const key of ONLY) state[key] = only.includes(key);
  return row === state.row ? "" : row;
};
const remember = (push) => {
  const to = fragment() === "#" ? location.pathname + location.search : fragment();
  history[push ? "pushState" : "replaceState"](null, "", to);
};

/* ---- The rows that are shown: suites, tables, cases. ---- */

const folded = new Set();
/** Tables of which the rows on which all agree are shown too. */
const unfolded = new Set();
let shown = [], asked = "";
const matching = () => {
  const tests = wanted(state.text);
  return rows.filter((row) => (!state.suite || row.suite === state.suite)
    && (!state.differs || row.differs) && (!state.deviates || row.deviates)
    && (!state.changed || row.changed) && (!state.rank || row.ranks.has(state.rank)) && tests.every((test) => test(row)));
};
const COUNTED = ["violate", "surprise", "changed", "new", "failed", "undocumented", "not here", "not run", "unexpected"];
const summary = (cases) => columns.map((_, at) => {
  const n = COUNTED.map(() => 0);
  for (const row of cases) {
    const answer = row.cells[at] === null ? null : row.answers[row.cells[at]];
    if (answer === null || answer.verdict === "skipped") { n[7] += 1; continue; }
    const ranks = ranksOf(answer);
    if (ranks.includes("violates")) n[0] += 1;
    if (ranks.includes("surprises")) n[1] += 1;
    if (remarked(answer)) n[5] += 1;
    if (answer.not_here) { n[6] += 1; continue; }
    if (changed(answer)) n[2] += 1;
    if (answer.verdict === "new") n[3] += 1;
    if (answer.verdict === "error") n[4] += 1;
    if (answer.unexpected) n[8] += 1;
  }
  return COUNTED.flatMap((word, i) => n[i] ? [`${n[i].toLocaleString("en")} ${word}`] : []).join(" · ");
});
const header = (kind, key, label, asks, cases) => ({
  kind, key, label, asks, size: cases.length, cases,
  differ: cases.filter((row) => row.differs).length,
});
const layOut = () => {
  const cases = matching();
  shown = [];
  const group = (list, key) => {
    const groups = new Map();
    for (const row of list) {
      const name = key(row);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    }
    return groups;
  };
  document.body.classList.toggle("seeking", !!(state.text || state.suite || state.rank || state.differs || state.deviates || state.changed));
  document.body.classList.toggle("asking", !!state.text);
  if (columns.length > 1 && state.text !== asked) { asked = state.text; apart(state.text ? cases : rows); }
  // Of what is sought, that first in which columns differ, then what else is to be looked at.
  const tells = (row) => row.differs ? 2 : row.interest ? 1 : 0;
  const most = ([, list]) => Math.max(...list.map(tells));
  const telling = (groups) => state.text ? [...groups].sort((a, b) => most(b) - most(a)) : groups;
  for (const [suite, inSuite] of telling(group(cases, (row) => row.suite))) {
    shown.push(header("suite", suite, suite, "", inSuite));
    if (folded.has(suite)) continue;
    for (const [at, inTable] of telling(group(inSuite, (row) => row.table))) {
      const table = tables[at];
      shown.push(header("table", `${table.name}[`, table.name.slice(suite.length + 1), table.question, inTable));
      if (folded.has(`${table.name}[`)) continue;
      const push = (list) => { for (const row of list) shown.push({ kind: "case", key: row.id, row }); };
      const first = inTable.filter((row) => row.interest), rest = inTable.filter((row) => !row.interest);
      if (state.text) first.sort((a, b) => tells(b) - tells(a));
      push(first);
      if (!rest.length) continue;
      const all = unfolded.has(table.name) || rest.some((row) => row.id === state.row);
      if (rest.length > 2 && !(cases.length < 40 && !cases.some((row) => row.interest)))
        shown.push({ kind: "rest", key: `${table.name}]`, table: table.name, size: rest.length, open: all });
      if (all || rest.length <= 2 || shown.at(-1).kind !== "rest") push(rest);
    }
  }
  $("none").hidden = shown.length > 0;
  $("grid").setAttribute("aria-rowcount", shown.length + 1);
  const differ = cases.filter((row) => row.differs).length;
  const all = cases.length === rows.length ? "" : ` of ${rows.length.toLocaleString("en")}`;
  $("count").textContent = `${cases.length.toLocaleString("en")}${all} ${rows.length === 1 ? "case" : "cases"}`
    + (columns.length > 1 ? `, ${differ.toLocaleString("en")} differ between platforms` : "")
    + `, ${cases.filter((row) => row.deviates).length.toLocaleString("en")} deviate`
    + RANKS.map((rank) => [rank, cases.filter((row) => row.ranks.has(rank)).length])
      .map(([rank, n]) => n ? `, ${n.toLocaleString("en")} ${{ violates: "violate a standard", surprises: "surprise", undocumented: "undocumented" }[rank]}` : "").join("")
    + `, ${cases.filter((row) => row.changed).length.toLocaleString("en")} changed`;
};

/* ---- Drawing as needed. ---- */

const body = $("body"), scroller = $("scroll");
const above = make("tr", { className: "space", "aria-hidden": "true" }, make("td", { colSpan: columns.length + 1 }));
const below = above.cloneNode(true);
const drawn = new Map();
let active = { at: 0, column: 0 };

/** The columns of one system by their versions, where there are several. */
const parts = (build) => (build.match(/^\d+(?:\.\d+)*/)?.[0] || "").split(".").filter(Boolean).map(Number);
const newer = (a, b) => { for (let i = 0; i < 3; i += 1) if ((a[i] || 0) !== (b[i] || 0)) return (a[i] || 0) - (b[i] || 0); return 0; };
const lines = (() => {
  const of = new Map();
  columns.forEach((column, at) => {
    const key = `${column.system} ${column.subject.startsWith("uml") ? "uml" : ""}`;
    if (parts(column.build).length) of.set(key, [...of.get(key) || [], at]);
  });
  return [...of.values()].map((ats) => ats.sort((a, b) => newer(parts(columns[a].build), parts(columns[b].build))));
})();
const short = (at) => parts(columns[at].build).join(".");
/** Where an outcome begins, by column: only where each outcome is of versions that follow each other. */
const begins = (row) => {
  if (row.begins) return row.begins;
  row.begins = new Map();
  for (const ats of lines) {
    const groups = ats.filter((at) => row.cells[at] !== null).map((at) => [at, row.answers[row.cells[at]].group]).filter(([, group]) => group !== null);
    const first = groups.filter(([, group], i) => i === 0 || groups[i - 1][1] !== group);
    if (first.length < 2 || new Set(first.map(([, group]) => group)).size !== first.length) continue;
    for (const [at] of first.slice(1)) row.begins.set(at, `since ${short(at)}`);
  }
  return row.begins;
};
const marks = (answer, differs) => {
  const list = [];
  if (deviates(answer)) list.push(["deviates", "!", `deviates: ${answer.findings[0].rank}`]);
  if (changed(answer)) list.push(["changed", "≠", "changed"]);
  if (answer.unexpected) list.push(["changed", "✎", "unexpected"]);
  const claims = new Set((answer.claims || []).map(([, standing]) => standing));
  if (claims.has("confirmed")) list.push(["confirmed", "✓", "a claim confirmed"]);
  if (claims.has("refuted")) list.push(["refuted", "✗", "a claim refuted"]);
  if (remarked(answer)) list.push(["undocumented", "?", "undocumented"]);
  if (answer.verdict === "new" && !answer.not_here) list.push(["new", "+", "never observed before"]);
  if (differs && answer.group !== null) list.unshift(["letter", LETTERS[answer.group] || "*", `outcome ${LETTERS[answer.group] || answer.group}`]);
  return list;
};
const cell = (row, at) => {
  const number = row.cells[at];
  const td = make("td", { role: "gridcell", tabIndex: -1 });
  td.setAttribute("aria-colindex", at + 2);
  if (number === null) {
    td.className = "absent";
    td.append("–");
    td.setAttribute("aria-label", `${names[at]}: not asked`);
    td.title = "not asked";
    return td;
  }
  const answer = row.answers[number], word = answer.not_here ? "– not here" : data.words[answer.word];
  const list = marks(answer, row.differs);
  if (answer.group === null) td.className = "absent";
  else if (deviates(answer)) td.className = "bad";
  else if (row.deviates && keeps(answer)) td.className = "good";
  else if (row.differs) td.className = `g${answer.group % 6}`;
  const sign = (of) => list.filter(([kind]) => (kind === "letter") === of)
    .map(([kind, text]) => make("b", { className: of ? kind : `mark ${kind}`, "aria-hidden": "true" }, text));
  const said = make("span", { className: "word" }, answer.group === null && answer.verdict === "skipped" ? "– not run" : word);
  const from = row.differs ? begins(row).get(at) : undefined;
  td.append(make("div", {}, ...sign(true), said, ...sign(false), ...(from ? [make("small", { className: "since", "aria-hidden": "true" }, from)] : [])));
  const whole = [word, ...list.map(([, , text]) => text), ...(from ? [from] : [])].join(", ");
  td.setAttribute("aria-label", `${names[at]}: ${whole}`);
  td.title = whole;
  return td;
};
const draw = (at) => {
  const item = shown[at];
  const tr = make("tr", { className: item.kind, role: "row" });
  tr.setAttribute("aria-level", { suite: 1, table: 2, case: 3, rest: 3 }[item.kind]);
  const th = make("th", { scope: "row", role: "rowheader", tabIndex: -1 });
  th.setAttribute("aria-colindex", 1);
  tr.append(th);
  if (item.kind === "case") {
    const { row } = item, parameters = row.id.slice(tables[row.table].name.length) || row.id.split("/")[1];
    th.append(make("span", {}, parameters));
    th.title = `${row.id}\n${row.title}`;
    th.setAttribute("aria-label", `${row.id}: ${row.title}`);
    tr.append(...columns.map((_, column) => cell(row, column)));
  } else if (item.kind === "rest") {
    tr.setAttribute("aria-expanded", item.open);
    th.append(make("span", { className: "fold" }), columns.length > 1 ? `${count(item.size, "row")} on which all agree` : `${count(item.size, "row")} as expected`);
    tr.append(...columns.map((_, column) => make("td", { role: "gridcell", tabIndex: -1, "aria-colindex": String(column + 2) })));
  } else {
    tr.setAttribute("aria-expanded", !folded.has(item.key));
    const differ = columns.length > 1 && item.differ ? `, ${item.differ} differ` : "";
    th.append(make("span", { className: "fold" }), item.label, make("span", { className: "asks" }, `${item.asks} ${item.size}${differ}`.trim()));
    th.title = `${item.label}: ${item.asks} ${count(item.size, "case")}${differ}`;
    // Counted when it is seen: for all tables at once that would be the longest part of the start.
    item.cells ??= summary(item.cases);
    tr.append(...item.cells.map((text, column) => {
      const td = make("td", { role: "gridcell", tabIndex: -1, title: text }, text);
      td.setAttribute("aria-colindex", column + 2);
      return td;
    }));
  }
  return tr;
};
const focusable = (at, column) => drawn.get(at)?.children[column];
const render = () => {
  const first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - AHEAD);
  const last = Math.min(shown.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW) + AHEAD);
  for (const [at, tr] of drawn) {
    if (at >= first && at < last) continue;
    // The keys go on working: what has the focus is the table, until its row is back.
    if (tr.contains(document.activeElement)) scroller.focus({ preventScroll: true });
    tr.remove();
    drawn.delete(at);
  }
  let before = above;
  for (let at = first; at < last; at += 1) {
    let tr = drawn.get(at);
    if (!tr) {
      tr = draw(at);
      tr.dataset.at = at;
      tr.setAttribute("aria-rowindex", at + 2);
      drawn.set(at, tr);
      before.after(tr);
    }
    before = tr;
  }
  above.firstChild.style.height = `${first * ROW}px`;
  below.firstChild.style.height = `${(shown.length - last) * ROW}px`;
  above.hidden = first === 0;
  below.hidden = last === shown.length;
  const stop = focusable(active.at, active.column);
  if (stop) stop.tabIndex = 0;
  scroller.tabIndex = stop ? -1 : 0;
};
const redraw = () => {
  for (const tr of drawn.values()) tr.remove();
  drawn.clear();
  active.at = Math.max(0, Math.min(active.at, shown.length - 1));
  render();
};
const reveal = (at) => {
  const head = $("head").offsetHeight, top = at * ROW;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  const bottom = top + ROW + head + 16;
  if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight;
};
const go = (at, column, focus = true) => {
  const old = focusable(active.at, active.column);
  if (old) old.tabIndex = -1;
  active = { at: Math.max(0, Math.min(at, shown.length - 1)), column: Math.max(0, Math.min(column, columns.length)) };
  reveal(active.at);
  render();
  const next = focusable(active.at, active.column);
  if (!next) return;
  if (focus) {
    next.focus({ preventScroll: true });
    const box = next.getBoundingClientRect(), room = scroller.getBoundingClientRect();
    const side = $("head").firstChild.offsetWidth;
    if (active.column > 0 && box.left < room.left + side) scroller.scrollLeft -= room.left + side - box.left;
    if (box.right > room.right) scroller.scrollLeft += box.right - room.right;
  }
};
const fold = (at, shut) => {
  const { key } = shown[at];
  if (shut) folded.add(key); else folded.delete(key);
  layOut();
  redraw();
};

/* ---- The evidence. ---- */

const textOf = (number) => {
  const lines = [];
  let last = 0;
  needs();
  for (const n of texts.texts[number]) {
    if (n >= 0) { lines.push(texts.lines[n]); last = n; }
    else while (last < -n) lines.push(texts.lines[last += 1]);
  }
  return lines;
};

/** What pairs up between two lists of lines: for each of the first, its twin in the second or null;
    and what the second has besides, by the place in the first before which it stands. */
const align = (one, two) => {
  const size = Array.from({ length: one.length + 1 }, () => new Uint32Array(two.length + 1));
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = two.length - 1; j >= 0; j -= 1) {
      size[i][j] = one[i] === two[j] ? size[i + 1][j + 1] + 1 : Math.max(size[i + 1][j], size[i][j + 1]);
    }
  }
  const beside = one.map(() => null), extra = one.map(() => []).concat([[]]);
  let i = 0, j = 0;
  while (i < one.length || j < two.length) {
    if (i < one.length && j < two.length && one[i] === two[j]) {
      beside[i] = { text: two[j], same: true };
      i += 1; j += 1;
      continue;
    }
    const from = i, rest = [];
    while ((i < one.length || j < two.length) && !(i < one.length && j < two.length && one[i] === two[j])) {
      if (i < one.length && (j === two.length || size[i + 1][j] >= size[i][j + 1])) i += 1;
      else { rest.push(two[j]); j += 1; }
    }
    for (let at = from; at < i && rest.length; at += 1) beside[at] = { text: rest.shift(), same: false };
    extra[i].push(...rest);
  }
  return { beside, extra };
};
/** A line, with the words underlined that another one has not. */
const line = (text, other, differs) => {
  const div = make("div", { className: `${text.startsWith("    ") ? "frame" : ""}${differs ? " differs" : ""}` });
  if (differs) div.append(make("span", { className: "hidden" }, "differs: "));
  if (!differs || other === undefined || !text) { div.append(text); return div; }
  const mine = text.split(/(\s+)/), theirs = other.split(/(\s+)/);
  let start = 0, end = 0;
  while (start < mine.length && start < theirs.length && mine[start] === theirs[start]) start += 1;
  while (end < mine.length - start && end < theirs.length - start && mine[mine.length - 1 - end] === theirs[theirs.length - 1 - end]) end += 1;
  const middle = mine.slice(start, mine.length - end).join("");
  div.append(mine.slice(0, start).join(""));
  if (middle) div.append(make("b", {}, middle));
  div.append(mine.slice(mine.length - end).join(""));
  return div;
};
/** Texts side by side: what is the same stands at the same height. */
const sideBySide = (panes) => {
  const [one, ...others] = panes.map((pane) => pane.lines);
  const aligned = others.map((two) => align(one, two));
  const boxes = panes.map(() => make("div", { className: "text", tabIndex: 0, role: "group" }));
  const gap = (at) => {
    const most = Math.max(0, ...aligned.map((a) => a.extra[at].length));
    for (let n = 0; n < most; n += 1) {
      boxes[0].append(line("", undefined, false));
      aligned.forEach((a, i) => boxes[i + 1].append(line(a.extra[at][n] ?? "", undefined, a.extra[at][n] !== undefined)));
    }
  };
  one.forEach((text, at) => {
    gap(at);
    const odd = aligned.find((a) => !a.beside[at]?.same);
    boxes[0].append(line(text, odd?.beside[at]?.text, odd !== undefined));
    aligned.forEach((a, i) => {
      const twin = a.beside[at];
      boxes[i + 1].append(line(twin?.text ?? "", text, !!twin && !twin.same));
    });
  });
  gap(one.length);
  return boxes;
};
const say = (text) => { $("said").textContent = ""; requestAnimationFrame(() => { $("said").textContent = text; }); };
const copy = async (text, button) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Where the browser keeps the clipboard from files: the old way.
    const area = make("textarea", { value: text, className: "hidden" });
    $("evidence").append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = button.textContent;
  button.textContent = "Copied";
  say("Copied");
  setTimeout(() => { button.textContent = label; }, 1200);
};
const copier = (text, label = "Copy") => {
  const button = make("button", { type: "button" }, label);
  button.addEventListener("click", () => copy(text, button));
  return button;
};
const shell = (word) => `'${word.replaceAll("'", "'\\''")}'`;
const command = (text) => make("div", { className: "copy" }, copier(text), make("code", {}, text));
const link = (url, text) => /^https?:\/\//.test(url) ? make("a", { href: url, rel: "noreferrer" }, text) : text;
const heading = (text) => make("h3", {}, text);

const why = (reason, what = true) => [make("p", {}, `${what ? `${reason.what}. ` : ""}${reason.why}. `, ...reason.links.flatMap((url, i) => [i ? ", " : "", link(url, "Source")]))];
const evidence = (row, chosen) => {
  const out = [];
  const table = tables[row.table];
  out.push(make("p", {}, row.title), make("p", { className: "soft" }, table.question));

  const panes = [];
  const pane = (number) => {
    let known = panes.find((p) => p.number === number);
    if (!known) panes.push(known = { number, lines: textOf(number), heads: [], ats: [], group: null, chosen: false });
    return known;
  };
  row.cells.forEach((number, at) => {
    if (number === null) return;
    const answer = row.answers[number];
    if (answer.group === null) return;
    const of = pane(answer.text);
    of.group = answer.group;
    of.chosen ||= chosen === at;
    of.ats.push(at);
    of.heads.push([names[at], `${answer.verdict}${changed(answer) && answer.verdict !== "changed" ? ", changed" : ""}`]);
  });
  for (const { expected } of row.answers) {
    if (!expected) continue;
    const { heads } = pane(expected[1]), head = `baseline of ${expected[0]}`;
    if (!heads.some(([who]) => who === head)) heads.push([head, "observed before"]);
  }
  row.cells.forEach((number, at) => {
    const since = number === null ? undefined : row.answers[number].since;
    if (since === undefined) return;
    pane(since).heads.push([names[at], `in ${data.since}`]);
  });
  const boxes = panes.length ? sideBySide(panes) : [];
  const side = make("div", { className: "panes" });
  side.style.setProperty("--lines", boxes[0]?.children.length ?? 1);
  if (panes.length) out.push(heading(panes.length > 1 ? "Transcripts" : "Transcript"), side);
  side.append(...panes.map((of, i) => {
    const letter = row.differs && of.group !== null ? [make("b", { className: `letter g${of.group % 6}` }, LETTERS[of.group] || "*")] : [];
    const from = of.ats.map((at) => row.differs && begins(row).get(at)).find(Boolean);
    const heads = of.heads.map(([who, what]) => make("small", {}, `${who}: ${what}`));
    if (from) heads.unshift(make("small", {}, `${from}, of what was asked here`));
    boxes[i].setAttribute("aria-label", of.heads.map(([who]) => who).join(", "));
    return make("section", { className: of.chosen ? "pane chosen" : "pane" }, make("h4", {}, ...letter, ...heads), boxes[i]);
  }));
  // Nothing to lay beside the others: what did not run says why in a line.
  row.cells.forEach((number, at) => {
    const answer = number === null ? undefined : row.answers[number];
    if (answer?.group === null) out.push(make("p", { className: "soft" }, `${names[at]}: ${answer.not_here ? "not here" : answer.verdict}. `, make("code", {}, textOf(answer.text).join(" "))));
  });
  const absent = row.cells.flatMap((number, at) => number === null ? [names[at]] : []);
  if (absent.length) out.push(make("p", { className: "soft" }, `Not asked: ${absent.join("; ")}.`));

  // What whoever wrote the case asks and did not come.
  const unmet = row.cells.flatMap((number, at) => ((number === null ? undefined : row.answers[number].unexpected) || []).map((text) => make("p", {}, `${names[at]}: ${text}`)));
  if (unmet.length) out.push(heading("Unexpected"), ...unmet);

  // The heaviest first; what is undocumented is no deviation.
  const found = new Map(), weight = ({ finding }) => RANKS.indexOf(finding.rank);
  row.cells.forEach((number, at) => {
    const answer = number === null ? {} : row.answers[number];
    for (const finding of [...answer.findings || [], ...answer.remarks || []]) {
      const key = `${finding.name} ${finding.text} ${finding.known}`;
      if (!found.has(key)) found.set(key, { finding, who: [] });
      found.get(key).who.push(names[at]);
    }
  });
  const sorted = [...found.values()].sort((a, b) => weight(a) - weight(b));
  let last = "";
  for (const { finding, who } of sorted) {
    if (finding.rank !== last) out.push(heading({ violates: "Violates", surprises: "Surprises", undocumented: "Undocumented, a remark" }[last = finding.rank]));
    const rule = finding.rule === null ? undefined : data.rules[finding.rule];
    const known = finding.known === undefined ? undefined : data.known[finding.known];
    out.push(make("div", { className: "rule" },
      make("p", {}, make("b", {}, finding.name), rule ? `: ${rule.says}` : ""),
      make("p", {}, `${who.join("; ")}: ${finding.text}`),
      ...(rule ? rule.cites : []).map((cite) => make("blockquote", {}, `“${cite.quote}” `, link(cite.link || "", cite.source))),
      ...(known ? [make("p", {}, `Known: ${known.reason} `, known.link ? link(known.link, "Source") : "")] : [])));
  }

  if (row.reason !== undefined) out.push(heading("Why they differ"), ...why(data.reasons[row.reason]));
  const claimed = new Map();
  row.cells.forEach((number, at) => {
    for (const [claim, standing, why] of (number === null ? [] : row.answers[number].claims) || []) {
      if (!claimed.has(claim)) claimed.set(claim, []);
      claimed.get(claim).push(`${names[at]}: ${standing}${why ? `, ${why}` : ""}`);
    }
  });
  if (claimed.size) out.push(heading("Claims"));
  for (const [number, said] of claimed) {
    const claim = data.claims[number];
    out.push(make("div", { className: "rule claim" },
      make("p", {}, make("b", {}, claim.id), `, of ${claim.on}: ${claim.says}`),
      ...said.map((text) => make("p", {}, text)),
      make("p", { className: "soft" }, `${claim.provenance}: `, ...claim.sources.flatMap((source, i) => [i ? "; " : "", link(source, source)]))));
  }

  // The run whose evidence somebody would ask for: of the cell that was opened, else of what is odd.
  const odd = (number) => number !== null && (deviates(row.answers[number]) || changed(row.answers[number]));
  const there = row.cells.findIndex(odd);
  const at = chosen ?? (there >= 0 ? there : row.cells.findIndex((number) => number !== null));
  const quoted = shell(row.id), run = columns[Math.max(0, at)].run;
  out.push(heading("On this machine"), command(`sockeye show ${quoted}`),
    command(`sockeye bundle ${quoted} --run ${/^[\w./-]+$/.test(run) ? run : shell(run)}`));
  out.push(heading("Reproducer"));
  if (row.repro === undefined) out.push(command(`sockeye repro ${quoted} > repro.c`));
  else {
    const text = `${textOf(row.repro).join("\n")}\n`;
    out.push(make("div", { className: "copy" }, copier(text, "Copy C program"),
      make("span", { className: "soft" }, `${count(textOf(row.repro).length, "line")}; cc -pthread repro.c && ./a.out`)),
      make("details", {}, make("summary", {}, "Show"), make("pre", { className: "c", tabIndex: 0 }, text)));
  }
  return out;
};
const dialog = $("evidence");
let pressed = null;
const open = (id, column = null, push = true) => {
  const row = byId.get(id);
  if (!row) return;
  state.row = id;
  if (push) remember(true);
  $("evidence-id").textContent = id;
  $("evidence-body").replaceChildren(...evidence(row, column));
  if (!dialog.open) {
    pressed = document.activeElement;
    dialog.showModal();
  }
  dialog.scrollTop = 0;
  $("evidence-id").focus();
};
/** Back to the cell; to the row's first one where a link has opened it. */
const back = () => {
  const at = shown.findIndex((item) => item.key === state.row);
  if (at >= 0 && Number(pressed?.closest("tr")?.dataset.at) !== at) go(at, 0);
  else if (pressed?.isConnected) pressed.focus();
};
const shut = (push = true) => {
  if (dialog.open) dialog.close();
  back();
  state.row = "";
  if (push) remember(true);
};
dialog.addEventListener("cancel", (event) => { event.preventDefault(); shut(); });
dialog.addEventListener("click", (event) => { if (event.target === dialog) shut(); });
$("close").addEventListener("click", () => shut());
$("copy-link").addEventListener("click", (event) => copy(location.href, event.currentTarget));

/* ---- Keys and pointers. ---- */

const act = (at, column) => {
  const item = shown[at];
  if (item.kind === "case") open(item.key, column > 0 ? column - 1 : null);
  else if (item.kind === "rest") {
    if (item.open) unfolded.delete(item.table); else unfolded.add(item.table);
    layOut();
    redraw();
    go(at, column);
  }
  else { fold(at, !folded.has(item.key)); go(at, column); }
};
body.addEventListener("click", (event) => {
  const tr = event.target.closest("tr[data-at]"), td = event.target.closest("th, td");
  if (!tr || !td) return;
  const at = Number(tr.dataset.at), column = [...tr.children].indexOf(td);
  go(at, column);
  act(at, column);
});
scroller.addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || !shown.length) return;
  const { at, column } = active, page = Math.max(1, Math.floor(scroller.clientHeight / ROW) - 3);
  const item = shown[at];
  const moves = {
    ArrowDown: [at + 1, column], ArrowUp: [at - 1, column], PageDown: [at + page, column], PageUp: [at - page, column],
    ArrowRight: [at, column + 1], ArrowLeft: [at, column - 1],
    Home: event.ctrlKey ? [0, 0] : [at, 0], End: event.ctrlKey ? [shown.length - 1, columns.length] : [at, columns.length],
  };
  if (event.key === "Enter" || event.key === " ") act(at, column);
  else if ((item.kind === "suite" || item.kind === "table") && column === 0 && event.key === "ArrowRight" && folded.has(item.key)) { fold(at, false); go(at, 0); }
  else if ((item.kind === "suite" || item.kind === "table") && column === 0 && event.key === "ArrowLeft" && !folded.has(item.key)) { fold(at, true); go(at, 0); }
  else if (moves[event.key]) go(...moves[event.key]);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !dialog.open && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    $("text").focus();
  }
});
let waiting = false;
scroller.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; render(); });
});
addEventListener("resize", render);

/* ---- The story: what was found, where they differ, what is new, who answered. ---- */

const rowLink = (row, column = null) => {
  const button = make("button", { type: "button", className: "row" }, row.id);
  button.addEventListener("click", () => open(row.id, column));
  return button;
};
const picture = (steps) => {
  const list = make("ol", { className: "picture" }, make("li", { className: "head", "aria-hidden": "true" }, make("div", { className: "call" }, "calls"),
    make("div", { className: "ends" }, make("span", {}, "▏host"), make("span", {}, "far end▕"))));
  for (const step of steps) {
    const frame = step.kind === "out" || step.kind === "in";
    const said = step.lost ? make("s", {}, step.text) : step.text;
    const spoken = step.lost ? "lost: " : { out: "to the far end: ", in: "from the far end: " }[step.kind];
    const before = frame ? [make("span", { className: "hidden" }, spoken)] : [];
    list.append(make("li", { className: `${step.kind === "call" ? "made" : step.kind}${step.here ? " here" : ""}${step.lost ? " lost" : ""}` },
      make("div", { className: "call" }, frame ? "" : step.text),
      make("div", { className: "lane" }, ...(frame ? [...before, said, step.link ? ` (${step.link})` : ""] : []))));
  }
  return list;
};
/** The first of many, and a button for the others. */
const some = (into, all, most, draw) => {
  into.replaceChildren(...all.slice(0, most).map(draw));
  if (all.length <= most) return;
  const button = make("button", { type: "button", className: "more" }, `Show ${all.length - most} more`);
  button.addEventListener("click", () => { button.replaceWith(...all.slice(most).map(draw)); });
  into.append(button);
};
const listed = (names) => names.length > 6 ? `${names.slice(0, 5).join("; ")} and ${names.length - 5} more` : names.join("; ");
const found = (story) => {
  const row = rows[story.row], rule = story.rule === null ? undefined : data.rules[story.rule];
  const known = story.known === undefined || story.known === null ? undefined : data.known[story.known];
  const on = columns.length > 1 ? ` on ${story.columns.length} of ${count(columns.length, "platform")}` : "";
  const well = columns.length > 1 ? columns.map((_, at) => at).filter((at) => row.cells[at] !== null && keeps(row.answers[row.cells[at]])) : [];
  return make("article", { className: "card" },
    make("h3", {}, make("span", { className: `rank ${known ? "known" : "new"}` }, known ? "known" : "new"), make("span", { className: `rank ${story.rank}` }, story.rank), story.text),
    make("p", { className: "soft" }, `${count(story.rows.length, "row")}${on}. ${rule ? `The rule ${story.name}: ${rule.says}` : story.name}`),
    make("p", {}, row.title),
    picture(story.picture),
    ...(well.length ? [make("p", {}, `Not so on ${listed(well.map((at) => names[at]))}.`)] : []),
    ...(known ? [make("p", {}, `Why: ${known.reason} `, known.link ? link(known.link, "Source") : "")] : []),
    make("p", {}, `On ${names[story.column]}: `, rowLink(row, story.column)));
};
const differing = (among) => {
  const groups = new Map();
  for (const row of among) {
    if (!row.differs) continue;
    const pattern = row.cells.map((number) => number === null ? "-" : row.answers[number].group ?? "-").join();
    const key = row.reason === undefined ? `${row.table} ${pattern}` : `because ${row.reason}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  const all = [...groups.values()];
  const weight = (a, b) => (b[0].reason !== undefined) - (a[0].reason !== undefined) || b.length - a.length;
  if (!state.text) return all.sort(weight);
  // What names what is sought comes before what is about it in passing, however many rows that has.
  const near = naming(state.text), said = written(state.text).map(textsSaying);
  const asks = (row) => said.some((texts) => row.answers.some((answer) => texts[answer.text] === 1));
  const scored = all.map((list) => {
    const of = new Map(list.map((row) => [row, 2 * near(`${row.id} ${row.title}`.toLowerCase()) + (asks(row) ? 1 : 0)]));
    list.sort((a, b) => of.get(b) - of.get(a));
    const reason = list[0].reason === undefined ? null : data.reasons[list[0].reason];
    return [list, of.get(list[0]) + (reason ? 2 * near(reason.what.toLowerCase()) + near(reason.why.toLowerCase()) : 0)];
  });
  return scored.sort(([a, x], [b, y]) => y - x || weight(a, b)).map(([list]) => list);
};
/** The first line of a row's transcripts that has what is sought in it. */
const sought = (row) => {
  const names = state.text ? written(state.text) : [];
  const has = (line) => names.some((name) => line.toLowerCase().includes(name));
  for (const answer of row.answers) {
    const line = textOf(answer.text).find(has);
    if (line !== undefined) return [make("p", {}, "It asks ", make("code", {}, line.trim()))];
  }
  return [];
};
const versions = (row, group) => {
  const ats = columns.map((_, at) => at).filter((at) => row.cells[at] !== null && row.answers[row.cells[at]].group === group);
  const from = ats.map((at) => begins(row).get(at)).filter(Boolean);
  return `${listed(ats.map((at) => names[at]))}${from.length ? ` (${from[0]}, of those asked)` : ""}`;
};
const difference = (list) => {
  const [row] = list, table = tables[row.table], reason = row.reason === undefined ? null : data.reasons[row.reason];
  const groups = new Map(row.answers.filter((a) => a.group !== null).map((a) => [a.group, a]));
  return make("article", { className: "card" },
    make("h3", {}, reason ? `${reason.what}` : `${table.name}: ${table.question}`),
    reason ? why(reason, false)[0] : make("p", { className: "soft" }, "Why is not known here."),
    make("ul", { className: "groups" }, ...[...groups].sort(([a], [b]) => a - b).slice(0, 6).map(([group, answer]) => make("li", {}, make("b", { className: `letter g${group % 6}` }, LETTERS[group] || "*"),
      make("code", {}, data.words[answer.word]), ` on ${versions(row, group)}`))),
    ...sought(row),
    make("p", {}, `${count(list.length, "row")}, such as `, rowLink(row)));
};
const apart = (among) => {
  const all = differing(among);
  $("apart").textContent = state.text ? `Where they differ about “${state.text}”` : "Where do these kernels differ, and why";
  some($("apart-list"), all, 5, difference);
  if (!all.length) $("apart-list").append("Nowhere.");
};
const seek = (text, only) => {
  state.text = text;
  for (const key of ONLY) state[key] = key === only;
  remember(true);
  apply();
  scrollTo(0, 0);
};
const news = () => {
  const all = rows.filter((row) => row.changed);
  const fresh = rows.filter((row) => row.answers.some((answer) => answer.verdict === "new" && !answer.not_here)).length;
  const than = data.since === null ? "what was observed before (the baselines)" : data.since;
  const out = [make("p", {}, `${count(all.length, "row")} ${all.length === 1 ? "differs" : "differ"} from ${than}; ${count(fresh, "row")} never observed before.`)];
  const box = make("div");
  some(box, all, 8, (row) => make("p", {}, rowLink(row), ` ${columns.map((_, at) => at).filter((at) => row.cells[at] !== null && changed(row.answers[row.cells[at]])).slice(0, 4).map((at) => `${names[at]}: ${data.words[row.answers[row.cells[at]].word]}`).join("; ")}`));
  $("news-list").replaceChildren(...out, box);
};
const who = () => {
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...["Platform", "Asked on", "sockeye", "Deviate", "Changed", ""].map((text) => make("th", { scope: "col" }, text)))));
  const part = make("tbody");
  columns.forEach((column, at) => {
    const odd = (what, test) => rows.reduce((n, row) => n + (row[what] && row.cells[at] !== null && test(row.answers[row.cells[at]]) ? 1 : 0), 0).toLocaleString("en");
    const date = column.began > 0 ? new Date(column.began * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC" : "";
    part.append(make("tr", {}, ...[names[at], date, column.program, odd("deviates", deviates), odd("changed", changed), column.detail].map((text) => make("td", {}, text))));
  });
  table.append(part);
  $("who-list").replaceChildren(table);
};
const tell = () => {
  const fresh = data.stories.filter((story) => story.known === undefined || story.known === null).length;
  some($("stories"), data.stories, 4, found);
  $("stories").prepend(make("p", {}, data.stories.length ? `${count(data.stories.length, "cause")}, ${fresh ? `${fresh} of them new` : "each known before"}; the most telling first.` : "No rule is broken."));
  for (const part of ["found", "apart", "news", "who", "table"]) $(`to-${part}`).addEventListener("click", (event) => {
    event.preventDefault();
    $(part === "table" ? "scroll" : part).scrollIntoView();
  });
};
/** What stands below the first window: after the first paint. */
const tellMore = () => {
  $("apart-all").hidden = $("to-apart").hidden = columns.length < 2;
  if (columns.length > 1) {
    if (!state.text) apart(rows);
    const sizes = data.tags.map((tag, number) => [tag, rows.filter((row) => row.differs && row.tags?.includes(number)).length]).filter(([, n]) => n).sort(([, a], [, b]) => b - a);
    $("tags").replaceChildren(...sizes.map(([tag, n]) => {
      const button = make("button", { type: "button" }, `${tag} ${n.toLocaleString("en")}`);
      button.addEventListener("click", () => seek(tag, "differs"));
      return button;
    }));
  }
  news();
  who();
};

/* ---- Filters, theme, start. ---- */

const filtered = () => { layOut(); active = { at: 0, column: 0 }; scroller.scrollTop = 0; redraw(); };
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("text").addEventListener("input", () => { state.text = $("text").value.trim(); remember(false); filtered(); });
$("suite").addEventListener("change", () => { state.suite = $("suite").value; remember(true); filtered(); });
$("rank").addEventListener("change", () => { state.rank = $("rank").value; remember(true); filtered(); });
for (const key of ONLY) $(key).addEventListener("change", () => { state[key] = $(key).checked; remember(true); filtered(); });
$("fold").addEventListener("click", () => {
  const all = folded.size === 0;
  folded.clear();
  if (all) for (const table of tables) folded.add(`${table.name}[`);
  $("fold").setAttribute("aria-pressed", all);
  filtered();
});
const THEMES = ["system", "light", "dark"];
const kept = () => { try { return localStorage.getItem("sockeye-theme"); } catch { return null; } };
const theme = (name) => {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  $("theme").textContent = `Theme: ${name}`;
  try { localStorage.setItem("sockeye-theme", name); } catch { /* Then it is forgotten. */ }
};
$("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme || "system";
  theme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
});
theme(THEMES.includes(kept()) ? kept() : "system");

const apply = () => {
  const unknown = readFragment();
  $("text").value = state.text;
  $("suite").value = state.suite;
  $("rank").value = state.rank;
  for (const key of ONLY) $(key).checked = state[key];
  layOut();
  redraw();
  if (state.row) {
    const at = shown.findIndex((item) => item.key === state.row);
    if (at >= 0) go(at, active.at === at ? active.column : 0, false);
    open(state.row, null, false);
  } else if (dialog.open) {
    state.row = $("evidence-id").textContent;
    shut(false);
  }
  if (unknown === "grid") $("scroll").scrollIntoView();
  else if (unknown) say($("count").textContent = `No row ${unknown} is in this page. ${$("count").textContent}`);
};
addEventListener("popstate", apply);
addEventListener("hashchange", apply);

$("about").textContent = `${count(rows.length, "case")} on ${count(columns.length, "platform")}`;
for (const rank of RANKS) $("rank").append(make("option", { value: rank }, rank));
for (const suite of suites) $("suite").append(make("option", { value: suite }, suite));
$("legend-claims").hidden = !data.claims.length;
$("differs-label").hidden = columns.length < 2;
if (data.since !== null) {
  $("changed-text").textContent = `changes since ${data.since}`;
  $("legend-changed").textContent = `changed since ${data.since}`;
}
$("grid").prepend(make("colgroup", {}, make("col", { className: "id" }), ...columns.map(() => make("col", { className: "cell" }))));
$("grid").style.setProperty("--columns", columns.length);
$("grid").setAttribute("aria-colcount", columns.length + 1);
const alone = (column) => columns.filter((c) => c.subject === column.subject).length === 1;
$("head").append(make("th", { scope: "col", role: "columnheader", "aria-colindex": "1" }, "Case"), ...columns.map((column, at) => {
  const th = make("th", { scope: "col", role: "columnheader", title: `${names[at]}\n${column.detail}\n${column.run}` }, `${column.system} ${column.build}`,
    make("small", {}, alone(column) ? column.subject === names[at] ? "" : column.subject : `${column.subject} · ${column.run}`));
  th.setAttribute("aria-colindex", at + 2);
  return th;
}));
body.append(above, below);
performance.mark("sockeye-known");
tell();
apply();
performance.mark("sockeye-rows");
requestAnimationFrame(() => setTimeout(() => { tellMore(); performance.mark("sockeye-told"); }));
})();
