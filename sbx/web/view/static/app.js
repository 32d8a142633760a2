// What the pages can do besides, where there is JavaScript: follow the log live, and count what is chosen.
"use strict";
document.documentElement.classList.add("scripted");

const table = document.getElementById("log");
const rows = document.getElementById("rows");
const MOST_ROWS = 200;

// On a phone the filters would fill the first screen: fold them until they are wanted.
const filters = document.getElementById("filters");
if (filters && matchMedia("(max-width: 40rem)").matches && !("used" in filters.dataset)) filters.open = false;

function picks() {
  return [...document.querySelectorAll('input[form="bulk"][type="checkbox"]')];
}

function countChosen() {
  const chosen = document.getElementById("chosen");
  if (!chosen) return;
  const all = picks();
  const count = all.filter((box) => box.checked).length;
  chosen.dataset.none ??= chosen.textContent;
  chosen.textContent = count ? `${count} selected` : chosen.dataset.none;
  for (const button of document.querySelectorAll('#bulk button:not([value$="-all"])')) button.disabled = count === 0;
  const pickAll = document.getElementById("pick-all");
  if (pickAll) {
    pickAll.checked = count > 0 && count === all.length;
    pickAll.indeterminate = count > 0 && count < all.length;
  }
}

document.addEventListener("change", (event) => {
  if (event.target.id === "pick-all") for (const box of picks()) box.checked = event.target.checked;
  countChosen();
});
addEventListener("pageshow", countChosen);
countChosen();

function put(row) {
  const holder = document.createElement("tbody");
  holder.innerHTML = row.html; // our own server's markup; the policy of the page allows no script in it
  const fresh = holder.firstElementChild;
  fresh.classList.add("fresh");
  const old = document.getElementById(fresh.id);
  if (old) {
    const inside = old.contains(document.activeElement) ? document.activeElement : null;
    const box = fresh.querySelector('input[name="entry"]');
    const before = old.querySelector('input[name="entry"]');
    if (box && before) box.checked = before.checked;
    const place = inside ? [...old.querySelectorAll("a, input")].indexOf(inside) : -1;
    old.replaceWith(fresh);
    if (place >= 0) fresh.querySelectorAll("a, input")[place]?.focus();
    return false;
  }
  const at = Date.parse(row.at);
  const next = [...rows.children].find((one) => Date.parse(one.dataset.at) <= at);
  // What is older than the last row of a full page belongs on a later page.
  if (!next && rows.children.length >= 50) return false;
  rows.insertBefore(fresh, next || null);
  while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
  return true;
}

function show(news) {
  if (news.reload) return location.reload();
  let added = 0;
  for (const row of news.rows) added += put(row) ? 1 : 0;
  for (const id of news.gone) document.getElementById(`e-${id}`)?.remove();
  const empty = document.getElementById("empty");
  if (empty && rows.children.length) empty.remove();
  for (const place of document.querySelectorAll("[data-count]")) {
    place.textContent = news.tally[place.dataset.count].toLocaleString("en");
  }
  if (added) {
    document.getElementById("announce").textContent = added === 1 ? "1 new entry" : `${added} new entries`;
  }
  countChosen();
}

if (table && table.dataset.live) {
  const state = document.getElementById("live-state");
  const tell = (live) => {
    state.textContent = live ? "Live" : "Connecting…";
    const dot = document.createElement("span");
    dot.className = live ? "dot" : "dot away";
    state.prepend(dot);
  };
  const source = new EventSource(table.dataset.live);
  source.addEventListener("open", () => tell(true));
  source.addEventListener("error", () => {
    // Closed for good: the session has ended, or the address is refused. A reload says which.
    if (source.readyState === EventSource.CLOSED) state.textContent = "Not live; reload the page";
    else tell(false);
  });
  source.addEventListener("news", (event) => show(JSON.parse(event.data)));
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

// Who leaves a form with something typed in it is asked first.
let sent = null;

function isChanged(field) {
  if (field.type === "hidden" || field.readOnly || field.disabled || field.tagName === "BUTTON") return false;
  if (field.tagName === "SELECT") {
    const chosen = [...field.options].findIndex((one) => one.defaultSelected);
    return field.selectedIndex !== Math.max(chosen, 0);
  }
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}

function unsaved() {
  const forms = document.querySelectorAll('main form[method="post"]:not([action="/sign-in"])');
  return [...forms].filter((form) => form !== sent).some((form) => form.querySelector("[aria-invalid]") || [...form.elements].some(isChanged));
}

document.addEventListener("submit", (event) => { sent = event.target; });
// "Cancel" beside the form's button is meant as it says.
document.addEventListener("click", (event) => { sent = event.target.closest("form .actions a")?.closest("form") ?? sent; });
addEventListener("pageshow", () => { sent = null; });
addEventListener("beforeunload", (event) => { if (unsaved()) event.preventDefault(); });

// Other pages reload when something changes, unless somebody is working in them.
const followed = document.querySelector("[data-follow]");
const AT_WORK = "main details[open], main :is(input, select, textarea):focus, main input[type=checkbox]:checked";

async function refresh() {
  if (document.querySelector(AT_WORK) || unsaved()) return false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = document.getElementById("main");
  if (document.querySelector(AT_WORK) || unsaved()) return false;
  const focused = [...main.querySelectorAll("a, button")].indexOf(document.activeElement);
  main.replaceChildren(...page.getElementById("main").childNodes);
  if (focused >= 0) main.querySelectorAll("a, button")[focused]?.focus();
  countChosen();
  return true;
}

// What is at work tells how far it has come, without an entry of the log changing.
setInterval(() => {
  if (!document.hidden && document.querySelector("[data-running]")) refresh().catch(() => {});
}, 2000);

if (followed && location.search.indexOf("done=") < 0) {
  const source = new EventSource(followed.dataset.follow);
  let wanted = false;
  let busy = false;
  const look = async () => {
    if (!wanted || busy || document.hidden) return;
    busy = true;
    wanted = false; // what is told from here on may have come too late for this answer
    let done = false;
    try {
      done = await refresh();
    } catch {
      // The server is away for a moment: the next look tries again.
    }
    if (!done) wanted = true;
    busy = false;
  };
  source.addEventListener("news", () => { wanted = true; });
  setInterval(look, 1000);
  addEventListener("pagehide", () => source.close());
}
