#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # jq's variables; what the libraries set
# Many in probation at once, callers that signals interrupt, a keeper and a daemon that are killed:
# every call is answered, every learned one is in the store, no container dies of it.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/keeper.bash
load ../lib/probation.bash

setup_file() {
	export prob_prefix=tamis-crowd-$$
	export prob_image=localhost/$prob_prefix
	start_image "$prob_image" "$O/tools/calls"
}

teardown_file() {
	podman rmi -f "$prob_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
}

teardown() {
	touch stop
	wait_for 60 gone "$(cat killer 2>/dev/null || echo 999999999)" || true
	daemon_stop || true
	runc list -q 2>/dev/null | grep "^$prob_prefix-" | xargs -r -n 1 runc delete -f || true
	pod_sweep "$prob_prefix"
	keeper_stop || true
	pod_cgroups_restore
}

# --- two hundred --------------------------------------------------------------------------------

# What each caller asks for, and what it has to be told: as process 1 of a container.
asked_for=(104=0 107=0 108=0 111=1 121=1 124=1 140=20 145=0 146=0 147=0 152=0 39=1)

# bundle NAME ARG...: of the program asker.
bundle() {
	mkdir -p "$1"
	jq --arg root "$PWD/root" --arg go "$PWD/go" '.process.args = $ARGS.positional | .process.terminal = false |
		.process.rlimits = [] | .root = { path: $root, readonly: true } | del(.linux.resources) |
		.mounts += [{ destination: "/go", type: "bind", source: $go, options: ["bind", "ro"] }]' \
		--args -- "${@:2}" <spec/config.json >"$1/config.json"
}

each() {
	seq -f "$prob_prefix-%03g" 200
}

ended_all() {
	[[ $(tamis list --json | jq '[.workloads[] | select(.state == "gone" and (.partial | not) and
		(.key | startswith($key)))] | length' --arg key "oci/$prob_prefix-") == 200 ]]
}

start_one() {
	cp "$1/unchanged" "$1/config.json"
	runc delete -f "$1" 2>/dev/null || true
	"$wrapper" run -d --bundle "$PWD/$1" "$1" </dev/null >"$1/out" 2>"$1/err" 3>&-
}

done_all() {
	[[ $(each | sed 's|$|/out|' | xargs grep -l '^done ' | wc -l) == 200 ]]
}

# learned_all FILE: what was asked for, by every one of them.
learned_all() {
	local name
	while read -r name; do
		called "oci/$name" | comm -13 - wanted >missing
		[[ ! -s missing ]] || { echo "$name lacks $(xargs <missing)"; return 1; }
	done < <(each)
}

@test "200 containers, 50,000 calls that ask, a signal every 3 ms: all answered, all learned" {
	local name wrapper=$PWD/libexec/tamis-runc
	mkdir -p root/{proc,sys,dev,go} go spec
	cp "$O/tools/asker" root
	(cd spec && runc spec)
	begin
	touch go/on
	# what they need besides
	for name in $(each); do
		bundle "$name" /asker /go/on 1 20000 3 39=1
		runc run --bundle "$PWD/$name" "$name" </dev/null >/dev/null 2>&1 3>&-
	done
	wait_for 60 ended_all
	"$TAMIS" install wrapper --runtime "$(command -v runc)" --as "$wrapper" --state "$daemon_dir/state" >/dev/null
	rm go/on
	for name in $(each); do
		apply "oci/$name" --mode probation >/dev/null
		bundle "$name" /asker /go/on 21 20000 3 "${asked_for[@]}"
		cp "$name/config.json" "$name/unchanged"
		start_until "^oci/$name: in probation under generation " start_one "$name"
	done
	[[ $(runc list -f json | jq --arg p "$prob_prefix-" '[.[] | select(.status == "running" and
		(.id | startswith($p)))] | length') == 200 ]]
	touch go/on
	wait_for 400 done_all
	for name in $(each); do
		cat "$name/out"
	done >answers
	# "NUMBER VALUE" of an answer that was another one
	awk 'NF == 2 && $1 != "done"' answers >wrong
	[[ ! -s wrong ]] || { sort wrong | uniq -c | sort -n | tail; return 1; }
	awk 'NF == 1' answers | sort -n >took
	[[ $(wc -l <took) == $((200 * 21 * ${#asked_for[@]})) ]]
	awk '$1 == "done" && $2 > 0' answers | wc -l | grep -qx 200
	awk '{ v[NR] = $1 } END { printf "# %d calls: median %d us, p99 %d us, most %d us\n", NR,
		v[int((NR + 1) / 2)], v[int(NR * 0.99)], v[NR] }' took >&3
	printf '%s\n' "${asked_for[@]%=*}" | sort -u >wanted
	wait_for 60 learned_all
}

# --- kill -9 --------------------------------------------------------------------------------------

# At random moments, until there is a file `stop`: the daemon, the keeper. Somebody starts them again.
kill_often() {
	while [[ ! -e stop ]]; do
		sleep "$((RANDOM % 2)).$((RANDOM % 90 + 10))"
		if ((RANDOM % 2)); then
			kill -KILL "$(keeper_pid)" 2>/dev/null && echo keeper >>killed
		else
			kill -KILL "$(<"$PWD/d/pid")" 2>/dev/null && echo daemon >>killed
			daemon_again || echo "the daemon doesn't start" >>wrong
		fi
	done
}

# ask_once NAME NR: in a session, by a program that nobody has seen there.
ask_once() {
	local rc=0
	timeout 120 podman "${pod_options[@]}" exec "$1" /calls -r "$2" >one 2>one.err || rc=$?
	echo "$1 $2" >>made
	((rc == 0)) && cmp -s one "natural/$2" && return
	{ echo "$1 $2: status $rc"; cat one one.err; } >>wrong
}

all_of() {
	called "podman/$1" >"$1.called"
	awk -v name="$1" '$1 == name { print $2 }' made | sort -u | comm -13 "$1.called" - >"$1.missing"
	[[ ! -s $1.missing ]]
}

@test "daemon and keeper killed at random: no container dies or hangs, no learned call is lost" {
	local names=() name nr i
	begin
	for i in 1 2 3; do
		name=$prob_prefix-k$i
		names+=("$name")
		probation "$name"
	done
	# what each returns where nobody is asked
	mkdir natural
	numbers "${names[0]}.asking" | awk '$1 > 340 || $1 == 104 || $1 == 107 || $1 == 108' >candidates
	pod_run "$prob_prefix-free" --security-opt seccomp=unconfined "$prob_image" sh -c "$loop"
	while read -r nr; do
		pod exec "$prob_prefix-free" /calls -r "$nr" >"natural/$nr"
	done <candidates
	: >wrong
	: >killed
	kill_often 3>&- &
	echo $! >killer
	while read -r nr; do
		for name in "${names[@]}"; do
			ask_once "$name" "$nr"
		done
	done < <(shuf candidates | head -n 20)
	touch stop
	wait_for 60 gone "$(<killer)"
	# the last one was the killer's child, and ends with it: the journal waits for the next
	kill -KILL "$(<"$PWD/d/pid")" 2>/dev/null || true
	daemon_again
	echo "# $(grep -c keeper killed) times the keeper, $(grep -c daemon killed) times the daemon; $(wc -l <made) sessions" >&3
	grep -q keeper killed && grep -q daemon killed
	[[ ! -s wrong ]] || { cat wrong; return 1; }
	for name in "${names[@]}"; do
		[[ $(pod inspect -f '{{.State.Running}} {{.RestartCount}}' "$name") == 'true 0' ]]
		wait_for 60 all_of "$name" || { echo "$name lost: $(xargs <"$name.missing")"; return 1; }
		pod exec "$name" /calls -r 39 >out
	done
}
