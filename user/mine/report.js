// SPDX-License-Identifier: Apache-2.0
// What needs a script: details of a call where it is pointed at, a filter, the policy as a file. Every
// string of the document goes through textContent.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const calls = data.calls || [], tests = data.tests || [];
const card = document.getElementById("card"), heat = document.getElementById("heat");
const narrow = matchMedia("(max-width: 40rem)");
let shown = null, column = null, cell = null;

function add(parent, tag, text, name) {
	const e = parent.appendChild(document.createElement(tag));
	e.textContent = text;
	if (name)
		e.className = name;
	return e;
}

function row(list, name, text, mark) {
	if (text === null || text === undefined || text === "")
		return;
	add(list, "dt", name);
	add(list, "dd", text, mark);
}

function unit(index) {
	return index < 0 ? "start, stop" : tests[index] ? tests[index].name : "";
}

function minimised(m) {
	if (!m)
		return null;
	return [m.state, m.errno, m.why].filter(Boolean).join(": ");
}

// at: the test whose cell is pointed at; undefined: none.
function fill(c, at) {
	card.textContent = "";
	add(card, "h3", c.abi === calls[0].abi ? c.call : c.call + " (" + c.abi + ")");
	if (at !== undefined)
		add(card, "p", (c.by.includes(at) ? "made in " : "not made in ") + unit(at));
	const list = card.appendChild(document.createElement("dl"));
	row(list, c.only ? "Only in" : "First in", c.only || c.first || "the start");
	const made = c.by.filter(i => i >= 0).length;
	row(list, "Made in", made + " of " + tests.length + " tests" + (made < c.by.length ? ", start or stop" : ""));
	row(list, "Program", [c.comm, c.exe && c.exe !== c.comm ? c.exe : null].filter(Boolean).join(", "));
	row(list, "Process", c.pid ? "pid " + c.pid : null);
	row(list, "Stage", c.stage);
	row(list, "Subsystem", c.subsystem);
	row(list, "Keeps in reach", (c.cves || []).join(", "), "risky");
	row(list, "Guarded", c.guarded ? "needs a person's word" : null, "risky");
	row(list, "Pending", c.pending ? "not in the policy yet" : null, "risky");
	row(list, "Minimised", minimised(c.minimised));
}

function place(box) {
	if (narrow.matches) {
		card.style.left = card.style.top = "";
		return;
	}
	const below = box.bottom + 8 + card.offsetHeight <= innerHeight;
	const top = below ? box.bottom + 8 : Math.max(8, box.top - 8 - card.offsetHeight);
	const left = Math.min(box.left, document.documentElement.clientWidth - card.offsetWidth - 8);
	card.style.top = top + "px";
	card.style.left = Math.max(8, left) + "px";
}

function hide() {
	if (!shown)
		return;
	card.hidden = true;
	shown.classList.remove("on", "at");
	if (column)
		column.classList.remove("on");
	shown = column = null;
}

function show(e) {
	const owner = e && e.closest("[data-call]"), c = owner && calls[owner.dataset.call];
	if (e === shown && e)
		return;
	hide();
	if (!c)
		return;
	const td = e.tagName === "TD" && owner.closest("#heat") ? e : null;
	fill(c, td ? td.cellIndex - 2 : undefined);
	if (td) {
		column = heat.querySelectorAll("col")[td.cellIndex];
		column.classList.add("on");
	}
	e.classList.add(td ? "at" : "on");
	shown = e;
	card.hidden = false;
	place(e.getBoundingClientRect());
}

function target(event) {
	const e = event.target.closest ? event.target.closest(".call, #heat td, #heat tbody th") : null;
	return e && e.closest("[data-call]") ? e : null;
}

for (const e of document.querySelectorAll(".call"))
	e.removeAttribute("title"); // the card says it
// Not pointerover: that comes, too, when the page scrolls under a pointer at rest.
document.addEventListener("pointermove", e => e.pointerType === "mouse" && show(target(e)));
document.addEventListener("focusin", e => show(target(e)));
document.addEventListener("click", e => show(target(e)));
document.addEventListener("keydown", e => e.key === "Escape" && hide());
addEventListener("scroll", () => shown && place(shown.getBoundingClientRect()), { capture: true, passive: true });
document.documentElement.addEventListener("pointerleave", hide);

// The table of cells by arrow keys, once it has the focus.
const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
if (heat)
	heat.parentElement.addEventListener("keydown", e => {
		const step = steps[e.key], rows = [...heat.tBodies[0].rows].filter(r => !r.hidden);
		if (!step || !rows.length)
			return;
		e.preventDefault();
		const old = cell && rows.indexOf(cell.parentElement);
		const y = cell ? Math.min(Math.max(old + step[0], 0), rows.length - 1) : 0;
		const x = cell ? Math.min(Math.max(cell.cellIndex + step[1], 1), tests.length + 1) : 1;
		cell = rows[y].cells[x];
		cell.scrollIntoView({ block: "nearest", inline: "nearest" });
		show(cell);
	});

const find = document.getElementById("find");
find.parentElement.hidden = false;
find.addEventListener("input", () => {
	const wanted = find.value.trim().toLowerCase();
	for (const e of document.querySelectorAll("[data-call]")) {
		const miss = !calls[e.dataset.call].call.includes(wanted);
		(e.closest("li") || e).hidden = miss;
	}
	for (const g of document.querySelectorAll(".group"))
		g.hidden = !g.querySelector("li:not([hidden])");
});

const actions = document.querySelector(".actions"), said = document.getElementById("said");
const text = JSON.stringify(data.policy, null, 2) + "\n";
actions.hidden = !data.policy;
document.getElementById("copy").addEventListener("click", () => {
	(navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject())
		.then(() => { said.textContent = "Copied."; })
		.catch(() => {
			getSelection().selectAllChildren(document.getElementById("policy"));
			said.textContent = "Selected: copy it with the keyboard.";
		});
});
document.getElementById("save").addEventListener("click", () => {
	const a = document.createElement("a");
	a.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
	a.download = "policy.json";
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 1000);
});

const closed = [];
addEventListener("beforeprint", () => {
	for (const d of document.querySelectorAll("details:not([open])")) {
		d.open = true;
		closed.push(d);
	}
});
addEventListener("afterprint", () => {
	for (const d of closed.splice(0))
		d.open = false;
});
