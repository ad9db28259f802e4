// page.js - a question in the address, its moments below.
const form = document.querySelector("#ask"), said = document.querySelector("#said"), list = document.querySelector("#moments");

const clock = (t) => [t / 3600, (t / 60) % 60, t % 60].map(Math.floor).map((n) => String(n).padStart(2, "0")).join(":");

function tile(m) {
  const item = document.createElement("li"), link = document.createElement("a"), picture = document.createElement("img");
  link.href = `/media/${m.video}#t=${m.start},${m.end}`;
  picture.src = `/thumb/${m.clips[0]}.jpg`;
  picture.alt = "";
  link.append(picture, `${m.path.split("/").pop()} ${clock(m.start)}`);
  item.append(link);
  return item;
}

async function ask() {
  const q = new URLSearchParams(location.search).get("q") || "";
  form.elements.q.value = q;
  list.replaceChildren();
  said.textContent = "";
  if (!q.trim()) return;
  const reply = await fetch("/api/v1/search?k=60&q=" + encodeURIComponent(q)), answer = await reply.json();
  said.textContent = !reply.ok ? answer.detail : answer.moments.length ? "" : "Nothing here looks like that.";
  list.append(...(answer.moments || []).map(tile));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  history.pushState(null, "", "/?q=" + encodeURIComponent(form.elements.q.value));
  ask();
});
addEventListener("popstate", ask);
ask();
