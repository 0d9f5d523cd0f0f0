#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The report of a mining run, in headless Chromium: what it shows, on what, and that it does nothing else.
# shellcheck disable=SC2016 # jq's and the page's own

bats_require_minimum_version 1.5.0
load ../lib/base.bash

# Every string of it wants to be markup.
hostile='</script></title></style><script>document.title="pwned"</script><img src=//192.0.2.1/x
 onerror=document.title="pwned"><svg onload=document.title="pwned">" onfocus="document.title=1" {{data}} ]]> --> \\ \u2028 \u202e'

# page NAME FILTER: NAME.json and NAME.html of the sample after jq's FILTER.
page() {
	jq -c --arg hostile "$hostile" "$2" "$ROOT/tests/data/mine/full.json" >"$1.json"
	"$O/tools/report" <"$1.json" >"$1.html"
}

# look PAGE STEP...: as tests/lib/browser.py has them; the answer goes to `seen`.
look() {
	timeout 280 python3 "$ROOT/tests/lib/browser.py" "$@" >seen
}

# value N: what the Nth eval said, from 0.
value() {
	jq -cr ".values[$1]" seen
}

# No request but for the page, no complaint.
quiet() {
	json_is '(.requests | length == 1 and (.[0] | startswith("file:"))) and .log == []' <seen
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

@test "the curve, the cells and the tables are there, and are the document's" {
	page full .
	look full.html size=1280x900 \
		'eval=["observed", "expected", "extrapolated"].map(id => document.getElementById(id)
			.getAttribute("d").split(/[ML]/).length - 1)' \
		'eval=[...document.querySelectorAll("#heat tbody tr")].map(r => [r.querySelector("th")
			.textContent, [...r.querySelectorAll("td")].map((c, i) => c.className ? i - 1 : null)
			.filter(i => i !== null)])' \
		'eval=[...document.querySelectorAll("#heat td.o")].map(c => c.parentElement.cells[0].textContent)' \
		'eval=[...document.querySelectorAll(".chips .call")].map(b => b.firstChild.textContent)' \
		'eval=["#calls tbody tr", "#tests tbody tr", "#growth tbody tr", "#score tbody tr", "#heat tbody td",
			"#curve circle", ".chips .risk"].map(s => document.querySelectorAll(s).length)' \
		'eval=JSON.parse(document.getElementById("policy").textContent)' \
		'eval=["observed", "interval", "fan", "total"].map(id => { const r = document.getElementById(id)
			.getBoundingClientRect(); return {x: r.x, y: r.y, right: r.right, bottom: r.bottom}; })' \
		'eval=[[...document.querySelectorAll("#curve text.y")].map(t => [Number(t.textContent),
			t.y.baseVal[0].value]), [...document.querySelectorAll("#curve circle")].map(c => c.cy.baseVal.value)]'
	quiet
	[[ $(value 0) == "[$(jq '.growth | length' full.json),$(jq '.rarefaction | length' full.json),2]" ]]
	[[ $(value 1 | jq -c sort) == "$(jq -c '[.calls[] | [.call, (.by | sort)]] | sort' full.json)" ]]
	[[ $(value 2 | jq -c sort) == "$(jq -c '[.calls[] | select(.only).call] | sort' full.json)" ]]
	[[ $(value 3 | jq -c sort) == "$(jq -c '[.calls[].call] | sort' full.json)" ]]
	[[ $(value 4) == "$(jq -c '(.calls | length) as $c | (.tests | length) as $t | [$c, $t, $t + 1, 4,
		$c * ($t + 1), $t + 1, (.calls | map(select(.guarded or .cves != [])) | length)]' full.json)" ]]
	[[ $(value 5 | jq -cS .) == "$(jq -cS .policy full.json)" ]]
	# Drawn, and in its place: the line grows to where the fan begins, the estimate lies in its interval.
	json_is '.values[6] as [$o, $i, $f, $t] | $o.right - $o.x > 200 and $o.bottom - $o.y > 50 and
		($f.x - $o.right | fabs) < 2 and $f.y <= $o.y + 1 and $i.y < $t.y and $t.y < $i.bottom and
		($i.bottom - $o.y | fabs) < 2' <seen
	# Each dot as high as the axis says, with the one call that only the stop made.
	json_is '.values[7] as [$axis, $dots] |
		[$axis[0], $axis[-1]] as [[$low, $down], [$high, $up]] |
		[range($dots | length) | ($down + ($doc[0].growth[.] + 1 - $low) * ($up - $down) / ($high - $low) - $dots[.] | fabs) < 1] |
		length > 0 and all' --slurpfile doc full.json <seen
}

@test "where a call comes from: under the pointer, the focus, a finger" {
	page full .
	local at='eval=[document.getElementById("card").hidden, document.getElementById("card").innerText]'
	look full.html size=1280x900 "$at" \
		'hover=.call.risk[data-call="'"$(jq '.calls | map(.call) | index("splice")' full.json)"'"]' "$at" \
		'hover=#heat tbody tr:last-child td:last-child' "$at" \
		'key=Escape' "$at" \
		'focus=.call[data-call="'"$(jq '.calls | map(.call) | index("fdatasync")' full.json)"'"]' "$at" \
		key=Tab "$at" 'focus=.heat' key=ArrowDown key=ArrowDown key=ArrowRight "$at" \
		'eval=[document.querySelectorAll("#heat .at").length, document.querySelector("#heat .at").cellIndex]'
	quiet
	[[ $(value 0) == '[true,""]' ]]
	json_is '.values[1] | .[0] == false and ([.[1] | contains("splice", "replica-sync", "CVE-2022-0847",
		"/usr/bin/redis-server", "pid 7", "1 of 12 tests", "files", "not needed: ENOSYS")] | all)' <seen
	json_is '.values[2][1] | contains("umask") and contains("made in config-reload")' <seen
	json_is '.values[3][0] == true' <seen
	json_is '.values[4] | .[0] == false and (.[1] | contains("fdatasync") and contains("kept: durability"))' <seen
	json_is '.values[5] | .[0] == false and (.[1] | startswith("fstat"))' <seen
	json_is '.values[6] | .[0] == false and (.[1] | contains("epoll_wait") and contains("made in ping"))' <seen
	[[ $(value 7) == '[1,2]' ]]
	look full.html size=390x844 'tap=.call.risk' "$at" 'eval=(() => { const r = document.getElementById("card")
		.getBoundingClientRect(); return [r.left, r.right - innerWidth, r.bottom - innerHeight]; })()' \
		'tap=#heat tbody tr:last-child td:last-child' "$at" 'tap=h2' "$at"
	quiet
	json_is '.values[0] | .[0] == false and (.[1] | contains("CVE-"))' <seen
	[[ $(value 1) == '[0,0,0]' ]]
	json_is '.values[2] | .[0] == false and (.[1] | contains("umask"))' <seen
	json_is '.values[3][0] == true' <seen
}

@test "without scripts it is all there" {
	page full .
	look full.html size=1280x900 noscript \
		'eval=["#observed", "#interval"].map(s => document.querySelectorAll(s).length)' \
		'eval=["#heat tbody td", "#calls tbody tr"].map(s => document.querySelectorAll(s).length)' \
		'eval=[...document.querySelectorAll(".call")].every(b => / \d+ of 12 tests/.test(b.title))' \
		'eval=[".find", ".actions", "#card"].map(s => document.querySelector(s).offsetHeight)'
	[[ $(value 0) == '[1,1]' && $(value 1) == '[741,57]' && $(value 2) == true && $(value 3) == '[0,0,0]' ]]
}

# The widest that is drawn, beyond what scrolls in a box of its own.
width='eval=[document.documentElement.scrollWidth, innerWidth, (() => { const b = document.querySelector(".heat");
	b.scrollLeft = 99; const h = b.querySelector("tbody th"); return [b.scrollWidth > b.clientWidth,
	h.getBoundingClientRect().left - b.getBoundingClientRect().left]; })()]'

@test "on a phone nothing hangs over, and names stay beside their cells" {
	page long '.tests |= map(.name = (.name * 40)) | .target = ("registry.example/" + "a" * 300) |
		.calls |= map(.comm = "x" * 15 | .exe = "/" + "y" * 400) | .widened = {base: ("b" * 200), calls:
		[{abi: "x86_64", call: "ptrace", tests: [("t" * 300)]}]} | .why = "w" * 300 |
		.tests[0].enforced.refused = [{abi: "x86_64", call: "ptrace", count: 2, comm: ("z" * 15)}]'
	for name in full long; do
		[[ $name == long ]] || page full .
		look $name.html size=360x740 "$width" size=320x600 "$width"
		quiet
		[[ $(value 0) == '[360,360,[true,0]]' && $(value 1) == '[320,320,[true,0]]' ]]
	done
}

# The contrast of what is written, against what it is written on: the least of each kind of text.
contrast='eval=(() => {
	const parse = c => c.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = parse(c).map(v => v / 255).map(v =>
		v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
	const under = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
		if (parse(c).length < 4 || parse(c)[3] > .99) return c; } return "rgb(255, 255, 255)"; };
	const texts = [...document.querySelectorAll("body *")].filter(e => !e.closest("svg, #heat tbody td, script, [hidden]") &&
		[...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.offsetHeight);
	const ratios = texts.map(e => { const a = light(getComputedStyle(e).color), b = light(under(e));
		return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className || e.tagName]; });
	return [ratios.length, ratios.sort((a, b) => a[0] - b[0])[0], getComputedStyle(document.body).backgroundColor];
})()'

@test "light and dark can be read" {
	page broke '.why = "stopped" | .tests[2].enforced |= (.outcome = "fail" | .refused =
		[{abi: "x86_64", call: "ptrace", count: 2, comm: "redis"}]) | .tests[1] |= (.outcome = "hung" | .why = "x")'
	look broke.html size=1280x900 light hover=.call.risk "$contrast" dark "$contrast"
	quiet
	json_is '[.values[][0] > 300, .values[][1][0] >= 4.5] | all' <seen
	json_is '.values[0][2] != .values[1][2]' <seen
}

@test "on paper everything is unfolded and uncut" {
	page full .
	look full.html size=1280x900 'eval=document.querySelectorAll("details:not([open])").length' dark print \
		'eval=dispatchEvent(new Event("beforeprint"))' \
		'eval=[document.querySelectorAll("details:not([open])").length, document.getElementById("calls").offsetHeight > 100]' \
		'eval=[".heat", "#policy"].every(s => { const e = document.querySelector(s);
			return e.scrollHeight <= e.clientHeight + 1 && e.scrollWidth <= e.clientWidth + 1; })' \
		'eval=[".find", ".actions", "#card"].map(s => document.querySelector(s).offsetHeight)' \
		'eval=getComputedStyle(document.body).backgroundColor' \
		'eval=(dispatchEvent(new Event("afterprint")), document.querySelectorAll("details:not([open])").length)' \
		pdf=full.pdf
	quiet
	[[ $(value 0) -gt 0 && $(value 0) == "$(value 6)" ]]
	[[ $(value 2) == '[0,true]' && $(value 3) == true && $(value 4) == '[0,0,0]' ]]
	[[ $(value 5) == 'rgb(255, 255, 255)' ]]
	[[ $(head -c 5 full.pdf) == %PDF- ]]
}

@test "hostile names are text, and nothing is asked of a network" {
	page hostile 'walk(if type == "string" then $hostile else . end) |
		.widened = {base: $hostile, calls: [{abi: $hostile, call: $hostile, tests: [$hostile]}]} |
		.refused_outside = [{abi: $hostile, call: $hostile, count: 3, comm: $hostile}] | .why = $hostile'
	look hostile.html size=1280x900 'hover=.call' \
		'eval=[document.title.includes("pwned") && document.title !== "pwned", document.images.length, document.scripts.length,
			document.querySelectorAll("svg[onload], [onfocus], [onerror]").length]' \
		'eval=document.getElementById("card").innerText.includes("</script></title>")' \
		'eval=document.querySelector("#heat thead span:not(:empty)").textContent' \
		'eval=[...document.querySelectorAll("#tests tbody th")].every(e => e.children.length === 0 &&
			e.textContent.startsWith("</script>"))' \
		'focus=#find' 'type=<' 'eval=document.querySelectorAll("#heat tbody tr:not([hidden])").length' 'tap=#copy'
	quiet
	[[ $(value 0) == '[true,0,2,0]' && $(value 1) == true && $(value 3) == true && $(value 4) == 57 ]]
}

@test "the policy of the page may not do what a page may" {
	page full .
	# The browser says what it forbids: a style, a script, an image, a request.
	sed -i 's,</body>,<p id=odd style="color: red"><script>document.title = "pwned"</script><img src="http://192.0.2.1/x">&,' full.html
	look full.html 'eval=fetch("http://192.0.2.1/y").then(() => "sent", () => "refused")' \
		'eval=[document.title === "pwned", getComputedStyle(document.getElementById("odd")).color]'
	[[ $(value 0) == refused && $(value 1) != *true* && $(value 1) != *'rgb(255, 0, 0)'* ]]
	json_is '.log | map(select(test("Content Security Policy|violates"))) | length >= 4' <seen
}

@test "what was not reached is said, and nothing is whole" {
	page stopped '.why = "stopped" | .partial = true | .took_ms |= (.enforce = null | .minimise = null) |
		.tests |= (.[:3] | map(.enforced = null)) | .growth |= .[:4] | .rarefaction |= .[:3] |
		.calls |= map(.minimised = null) | .score = null | .policy = null | .minimised_generation = null |
		.estimate = {known: false, why: "3 units are too few"}'
	look stopped.html size=1280x900 hover=.call 'eval=document.body.innerText' \
		'eval=["interval", "fan", "total", "score"].map(id => document.getElementById(id))' \
		'eval=document.querySelectorAll("#tests tbody .none").length'
	quiet
	for said in 'Stopped before its end' 'Partial: ' 'not tried' 'enforce not reached' 'minimise not reached' \
		'not known: 3 units are too few' 'Not minimised' 'no policy to score' 'No policy was made'; do
		[[ $(value 0) == *"$said"* ]]
	done
	[[ $(value 1) == '[null,null,null,null]' && $(value 2) == 3 ]]
	page sure '.estimate |= (.coverage = 1 | .coverage_low = 1 | .coverage_high = 1 | .total = .seen | .high = .seen)'
	page empty '{}'
	for name in stopped sure empty; do
		[[ $name == stopped ]] || look $name.html 'eval=document.body.innerText'
		quiet
		[[ $(value 0) == *'The policy'* && ! $(value 0) =~ 100(\.0+)?\ ?% ]]
	done
}

@test "an estimate without an upper limit" {
	page open '.estimate |= (.bounded = false | .high = 373 | .next |= (.expected = null | .low = null | .high = null))'
	look open.html size=1280x900 'eval=document.body.innerText' \
		'eval=["fan", "interval"].map(id => document.getElementById(id)?.getAttribute("class"))' \
		'eval=Math.max(...[...document.querySelectorAll("#curve text.y")].map(t => Number(t.textContent)))' \
		shot=open.png
	quiet
	[[ $(value 0) == *'at least 57'* && $(value 0) == *'57 or more'* && $(value 0) != *373,* && $(value 0) != *'to 373'* ]]
	[[ $(value 1) == '[null,"open"]' && $(value 2) -lt 100 ]]
}

@test "400 calls by 300 tests" {
		page large '.tests = [range(300) as $i | .tests[0] + {name: "test \($i) of a generator"}] |
		.calls = [range(400) as $k | .calls[$k % 57] + {call: "call_\($k)", subsystem: "part \($k % 12)",
			by: [range($k % 7; 300) | select((. + $k) % 3 != 0)]}] |
		.growth = [range(301) | 100 + .] | .rarefaction = [range(300) | 101 + .]'
	look large.html size=1280x900 'eval=document.querySelectorAll("#heat tbody td").length' \
		'hover=#heat tbody tr:nth-child(300) td:nth-child(200)' 'eval=document.getElementById("card").innerText' \
		'focus=#find' 'type=CALL_39' 'eval=document.querySelectorAll("#heat tbody tr:not([hidden])").length' \
		'eval=document.getElementById("observed").getAttribute("d").split("L").length' print "$width"
	quiet
	[[ $(value 0) == $((400 * 301)) && $(value 1) == *'test 197 of a generator'* && $(value 2) == 11 ]]
	[[ $(value 3) == 301 && $(value 4) == '[1280,1280,[false,0]]' ]]
}
