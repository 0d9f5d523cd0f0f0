#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# forget, merge and prune on what a daemon learned of real processes, while it goes on learning.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

setup_file() {
	export sensor_prefix=tamis-forget-$$ daemon_dir=$BATS_FILE_TMPDIR/daemon
	daemon_start "$daemon_dir" --interval 0.2 --unit 2 --watch "/$sensor_prefix-*"
	export daemon_pid
}

teardown_file() {
	cgroups_sweep
	daemon_stop
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[[ -z ${server-} ]] || end_process "$server"
	cgroups_sweep
}

# serve NAME: a workload that runs, and makes the calls it is asked for.
serve() {
	cgroup_make "$1"
	mkfifo asked
	# shellcheck disable=SC2016
	"$O/tools/launch" "$(cgroup_dir "$1")" /bin/sh -c 'while read -r nr; do "$0" "$nr"; done' \
		"$O/tools/calls" <>asked >/dev/null 3>&- &
	server=$!
}

ask() {
	echo "$1" >asked
}

# once NAME NUMBER...: a life of a workload that makes those calls.
once() {
	cgroup_make "$1"
	in_cgroup "$1" "$O/tools/calls" "${@:2}"
	cgroup_remove "$1"
	wait_for 20 knows "$@" # settled may be what an earlier life left
	workload_settle "$1"
}

# knows NAME NUMBER...: of the workload stage.
knows() {
	local names nr
	names=$(tamis export "$(workload_key "$1")" -f names 2>/dev/null) || return
	for nr in "${@:2}"; do
		grep -qx "[a-z0-9_]* #$nr" <<<"$names" || return
	done
}

ask_until_known() {
	ask "$2"
	sleep 0.3
	knows "$1" "$2"
}

# A value of the workload's JSON.
is() {
	tamis show "$(workload_key "$1")" --json | jq -e "$2"
}

said() {
	[[ $output == "$1" ]] || { echo "said: $output"; return 1; }
}

# --- forget -----------------------------------------------------------------------------------

@test "a call of one that runs: forgotten, and learned again when it is made later" {
	serve call
	ask 400
	wait_for 20 knows call 400
	run tamis forget "$(workload_key call)" '#400'
	((status == 0))
	said "forgot x86_64 #400 of $(workload_key call); it still runs: learned again when it is \
called from the next sampling unit on"
	# What the kernel's maps still hold comes back in no later unit.
	ask 401
	wait_for 20 knows call 401
	sleep 5
	run knows call 400
	((status != 0))
	is call '[.calls[].nr] | index(400) | not'
	wait_for 30 ask_until_known call 400
	is call '.partial | not'
}

@test "a workload that runs: learned again from now on, partial until its next start" {
	serve whole
	ask 400
	wait_for 20 knows whole 400
	run tamis forget "$(workload_key whole)"
	((status == 0))
	said "forgot $(workload_key whole); it still runs: learned again from now on, partial until \
its next start"
	is whole '.state == "running" and .call_count == 0 and .partial'
	wait_for 30 ask_until_known whole 401
	run knows whole 400
	((status != 0))
	is whole '.partial'
	end_process "$server"
	cgroup_remove whole
	workload_settle whole
	once whole 402
	knows whole 401 402
	is whole '.starts == 1 and (.partial | not)'
}

@test "a workload that is gone, and comes back as a new one" {
	once gone 400
	knows gone 400
	run tamis forget "$(workload_key gone)"
	((status == 0))
	said "forgot $(workload_key gone)"
	tamis list --json | jq -e --arg key "$(workload_key gone)" \
		'[.workloads[].key] | index($key) | not'
	sleep 3
	run tamis show "$(workload_key gone)"
	((status == 1))
	once gone 401
	knows gone 401
	run knows gone 400
	((status != 0))
	is gone '.starts == 1 and .instances == 1'
}

@test "what was never seen, and a name that no table has" {
	once never 400
	run tamis forget "$(workload_key never)" reboot
	((status == 1))
	said "tamis: $(workload_key never): reboot was never seen"
	run tamis forget "$(workload_key never)" frobnicate
	((status == 1))
	said 'tamis: unknown call "frobnicate"'
	knows never 400
}

# --- merge --------------------------------------------------------------------------------------

@test "two workloads become one, and a start under the old name counts for it" {
	local a b
	once one-a 400
	once one-b 401
	a=$(workload_key one-a) b=$(workload_key one-b)
	run tamis merge "$a" "$b"
	((status == 0))
	said "merged $b into $a"
	knows one-a 400 401
	is one-a ".starts == 2 and .instances == 2 and .aliases == [\"$b\"]"
	cgroup_make one-b
	in_cgroup one-b "$O/tools/calls" 402
	cgroup_remove one-b
	wait_for 20 knows one-a 402
	wait_for 20 is one-a '.state == "gone"'
	is one-a '.starts == 3 and .instances == 3'
	tamis list --json | jq -e --arg key "$b" '[.workloads[].key] | index($key) | not'
	is one-a '[.calls[] | select(.nr == 400) | .replicas] == [1]'
}

@test "merged under another name" {
	local a b new
	once named-a 400
	once named-b 401
	a=$(workload_key named-a) b=$(workload_key named-b) new=$(workload_key named)
	run tamis merge "$a" "$b" -o "$sensor_prefix-named"
	((status == 0))
	said "merged $b into $a, now $new"
	knows named 400 401
	is named ".key == \"$new\" and .name == \"$sensor_prefix-named\" and .aliases == [\"$a\", \"$b\"]"
	for name in named-a named-b; do
		cgroup_make "$name"
		in_cgroup "$name" "$O/tools/calls" 402
		cgroup_remove "$name"
	done
	wait_for 20 is named '.starts == 4'
	wait_for 20 knows named 402
	tamis list --json | jq -e --arg a "$a" --arg b "$b" \
		'[.workloads[].key] | (index($a) or index($b)) | not'
}

@test "one that runs is merged while it runs" {
	once into 400
	serve from
	ask 401
	wait_for 20 knows from 401
	tamis merge "$(workload_key into)" "$(workload_key from)"
	knows into 400 401
	ask 402
	wait_for 20 knows into 402
	is into '.state == "running" and .starts == 2'
}

@test "a workload and itself" {
	once self 400
	run tamis merge "$(workload_key self)" "$sensor_prefix-self"
	((status == 1))
	said "tamis: \"$sensor_prefix-self\" is $(workload_key self), which is named twice: nothing to merge"
	knows self 400
}

# --- prune --------------------------------------------------------------------------------------

dump() {
	sqlite3 "$daemon_dir/state/tamis.db" .dump
}

@test "a dry run changes nothing, the real one what it said" {
	once old-a 400
	once old-b 401
	serve stays
	ask 400
	wait_for 20 knows stays 400
	daemon_stop # nobody else writes meanwhile
	dump >before
	tamis prune --gone-for 0s --dry-run >would
	dump >after
	cmp before after
	tamis prune --gone-for 0s --dry-run --json >would.json
	dump | cmp before -
	tamis prune --gone-for 0s >did
	sed '$s/would go$/went/' would | diff - did
	grep -qx "$(workload_key old-a)" did
	grep -qx "$(workload_key old-b)" did
	diff <(jq -r '.workloads[]' would.json) <(sed '$d' did)
	jq -e '.dry_run and .version == 1' would.json
	# the daemon saw others' containers of this host, too
	tamis list --json | json_is '[.workloads[].key | select(contains($ours))] == [$key]' \
		--arg ours "$sensor_prefix" --arg key "$(workload_key stays)"
	knows stays 400
}
