# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what tests/soak/run and the libraries set
# What a soak comes to: each line is held against what is known from elsewhere, none is tamis' own word.

failed=0

# line OK WHAT FIGURES
line() {
	((failed += $1 ? 0 : 1))
	printf '  %-7s %-34s %s\n' "$( (($1)) && echo ok || echo FAILED)" "$2" "$3"
}

# is COMMAND...: 1 or 0.
is() {
	"$@" >/dev/null 2>&1 && echo 1 || echo 0
}

# --- containers ------------------------------------------------------------------------------

containers_verdict() {
	local lives bad
	lives=$(cat "$dir"/lives/* | wc -l)
	bad=$(awk '$2 != 0' "$dir"/lives/* | wc -l)
	line $((lives >= slots && bad == 0)) 'containers start and end well' "$lives lives, $bad failed"
	((bad == 0)) || { awk '$2 != 0' "$dir"/lives/* | head -n 3; grep -v '^$' "$dir"/jobs/slot* | tail -n 5; }
}

redis_verdict() {
	local rounds bad
	rounds=$(grep -c 'requests per second' "$dir/jobs/redis")
	bad=$(grep -c failed "$dir/jobs/redis")
	line $((rounds > 0 && bad == 0 && $(is test "$(pod_pid "$prefix-redis")" = "$redis_pid"))) \
		'redis under load' "$rounds rounds of 5000 requests, $bad failed"
}

# --- nothing lost uncounted ------------------------------------------------------------------

record_verdict() {
	local slot key
	mkdir -p "$dir/shown"
	for slot in "$dir"/lives/*; do
		slot=${slot##*/}
		tamis show "$(slot_key "$slot")" --json >"$dir/shown/$slot"
	done
	tamis list --json >"$dir/list"
	jq .unattributed "$dir/list" >"$dir/unattributed"
	while read -r key; do
		tamis show "$key" --json >"$dir/shown/${key#*/}"
	done < <(jq -r '.workloads[].key | select(startswith("podman/id:"))' "$dir/list")
	/usr/bin/python3 "$ROOT/tests/soak/record.py" "$dir" >"$dir/records"
	line "$(($? == 0))" 'no loss uncounted' "$(tail -n 1 "$dir/records")"
	head -n -1 "$dir/records" | head -n 20
}

asked_verdict() {
	local missing
	called "podman/$prefix-asks" >"$dir/called"
	missing=$(sort -u "$dir/asked" | comm -13 "$dir/called" - | xargs)
	line $(($(wc -l <"$dir/asked") > 0)) 'probation: sessions are answered' \
		"$(wc -l <"$dir/asked") sessions, $(grep -c '^failed' "$dir/jobs/sessions") failed; keeper killed $(grep -c keeper "$dir/jobs/killer") times"
	grep '^failed' "$dir/jobs/sessions" && failed=$((failed + 1))
	line $((${#missing} == 0)) 'probation: what was let through' "${missing:+lacks $missing}"
}

# --- what is stored ---------------------------------------------------------------------------

files_verdict() {
	local bad said
	said=$(sqlite3 "$dir/state/tamis.db" 'PRAGMA integrity_check; PRAGMA foreign_key_check' 2>&1 | head -n 3)
	line "$(is test "$said" = ok)" 'the store is sound' "$said"
	bad=$(keeper_journal | sed '/^tamis-journal 1$/d' | grep -cvE '^[a-z]+ .* \.$')
	line $((bad == 0)) 'the journal is sound' "$(keeper_journal | wc -l) lines, $bad torn"
	pod_options+=(--hooks-dir "$dir/hooks")
	start_until "^podman/$prefix-asks: in probation under generation " restart "$prefix-asks" >"$dir/restarted"
	line "$(is test ! -s "$dir/restarted")" 'the applied file is in force' "$(head -c 300 "$dir/restarted")"
	bad=$(find "$dir/state" -name '.*' -type f -printf '%P ')
	line "$(is test -z "$bad")" 'no staged file is left' "$bad"
}

# --- the daemon --------------------------------------------------------------------------------

ends_verdict() {
	local killed=0 bad
	killed=$(grep -c daemon "$dir/jobs/killer")
	# 137: by us; 1: couldn't begin, on a full disk
	bad=$(awk '!($2 == 137 || $2 == 0 || ($2 == 1 && $3 == "full"))' "$dir/ends")
	line $((${#bad} == 0 && $(awk '$2 == 137' "$dir/ends" | wc -l) == killed)) 'the daemon ends only when killed' \
		"killed $killed times, $(awk '$2 == 1' "$dir/ends" | wc -l) times no room to begin${bad:+; $bad}"
}

# Lines "SECOND TEXT" within a minute of the same in one life; a number that begins one doesn't tell two apart.
# A daemon that ends tells what grew since (cli/daemon_told.h): its last words are no repetition.
repeated() {
	awk 'function told(i) { for (i = 0; i < n; i++) if (when[i] < at - 1) print again[i]; n = 0 }
		FNR == 1 { told() }
		{ at = $1; $1 = ""; text = FILENAME $0; sub(/ tamis: [0-9]+ /, " N ", text) }
		text in last && at - last[text] < 59 { when[n] = at; again[n++] = $0 }
		{ last[text] = at }
		END { told() }' "$dir"/logs/*
}

log_verdict() {
	repeated >"$dir/repeated"
	line "$(is test ! -s "$dir/repeated")" 'no line more than once a minute' \
		"$(cat "$dir"/logs/* | wc -l) lines, $(wc -l <"$dir/repeated") repeated"
	cut -c 1-160 "$dir/repeated" | sort | uniq -c | sort -rn | head -n 5
}

# median FROM TO: of the samples of these seconds, without a life's first ten.
median() {
	awk -v from="$1" -v to="$2" '!($2 in first) { first[$2] = $1 }
		$1 >= from && $1 < to && $1 - first[$2] >= 10 { print $3 }' "$dir/rss" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] + 0 }'
}

# What a life has to make up for when it begins, and with it the most it ever took, isn't the same twice:
# 6 MiB are for that.
memory_verdict() {
	local second third
	second=$(median $((time / 3)) $((time * 2 / 3)))
	third=$(median $((time * 2 / 3)) "$time")
	line $((second > 0 && third <= second + second / 10 + 6144)) 'memory is flat' \
		"$second KiB, then $third KiB; most $(awk '$3 > m { m = $3 } END { print m }' "$dir/rss") KiB"
}

# Of each map that is kept by cgroup, as "MAP ENTRIES".
entries() {
	local map
	for map in "$dir"/bpf/tamis/*/{sets,cgroups,losses,paths,leaves}; do
		echo "${map##*/} $(bpftool map dump pinned "$map" -j | jq length)"
	done
}

few_entries() {
	entries | awk '{ n += $2 } END { exit n > 150 }'
}

maps_verdict() {
	line "$(is wait_for 120 few_entries)" "the kernel's maps are emptied" "$(entries | xargs)"
}

# --- after -------------------------------------------------------------------------------------

left() {
	find /sys/fs/cgroup -maxdepth 3 -name "*$prefix*" 2>/dev/null
	podman ps -a --format '{{.Names}}' | grep "^$prefix"
	runc list -q | grep "^$prefix"
	grep "$dir" /proc/self/mountinfo
}

is_drained() {
	[[ $(tamis list --json | jq --arg p "$prefix-" '[.workloads[] | select(.state == "running" and
		(.key | test("/" + $p + "[0-9w]")))] | length') == 0 ]]
}

verdict() {
	wait_for 120 is_drained || say 'what has ended is still said to run'
	containers_verdict
	redis_verdict
	record_verdict
	asked_verdict
	files_verdict
	memory_verdict
	pod_remove "$prefix-redis" "$prefix-asks"
	maps_verdict
	daemon_end
	ends_verdict
	log_verdict
	echo "  faults: disk filled $(grep -c filled "$dir/jobs/filler") times, ring flooded $(grep -c flooded "$dir/jobs/flooder") times"
	grep -h failed "$dir/jobs/churner" && failed=$((failed + 1))
	end
	left >/tmp/.tamis-soak-left.$$
	line "$(is test ! -s /tmp/.tamis-soak-left.$$)" 'nothing is left' "$(xargs </tmp/.tamis-soak-left.$$)"
	rm -f /tmp/.tamis-soak-left.$$
	say "soak: $failed failed, seed $seed"
	exit $((failed > 0))
}
