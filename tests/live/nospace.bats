#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A state on a disk that is full, and has room again later: whatever the daemon is about then, it says so
# once, nothing is damaged, and what was called meanwhile is stored afterwards. The keeper's journal on such
# a disk is in keeper.bats, tamis mine in mine.bats, the start path in faults.bats.

load ../lib/base.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export prefix=tamis-nospace-$$-$BATS_TEST_NUMBER
	top=$(cgroup2_mount)
	export ROOT O top
}

teardown() {
	local dir
	for dir in "$top/$prefix"-*; do
		[[ ! -d $dir ]] || rmdir "$dir"
	done
}

# --- inside --------------------------------------------------------------------------------------

# on_small_disk FUNCTION: with d/state on a tmpfs of its own.
on_small_disk() {
	# shellcheck disable=SC2016
	unshare -m --propagation private bash -ec '
		. "$ROOT/tests/lib/base.bash"
		. "$ROOT/tests/lib/daemon.bash"
		. "$ROOT/tests/lib/start.bash"
		eval "$1"
		daemon_dir=$PWD/d
		trap "daemon_stop || true" EXIT
		mkdir -p d/state d/bpf
		mount -t tmpfs -o size=1m,mode=711 none d/state
		mount -t bpf tamis d/bpf
		"$2"
		is_whole' bash "$(declare -f)" "$1" || { cat d/log; return 1; }
}

fill() {
	dd if=/dev/zero of=d/state/fill bs=4k status=none 2>/dev/null || true
}

free() {
	rm d/state/fill
}

# run NAME CALLS: a workload that makes those calls, and is gone when this returns.
run() {
	local dir=$top/$prefix-$1
	mkdir "$dir"
	# shellcheck disable=SC2016
	sh -c 'echo 0 >"$1/cgroup.procs" && exec "$2" "$3"' sh "$dir" "$O/tools/calls" "$2"
	wait_for 10 rmdir "$dir"
}

# stored NAME CALL...: its calls, and it isn't partial.
stored() {
	local wanted
	wanted=$(jq -cn '$ARGS.positional | map(tonumber)' --args "${@:2}")
	wait_for 20 has_calls "$1" "$wanted"
}

# shellcheck disable=SC2016 # jq's variables
has_calls() {
	tamis show "cgroup/$prefix-$1" --json | json_is '(.partial | not) and
		($wanted - [.calls[] | select(.stage == "workload") | .nr] == [])' --argjson wanted "$2"
}

said() {
	grep -c "$1" d/log
}

# It said so, and three units later no more of it.
said_once() {
	wait_for 20 grep -q "$1" d/log
	sleep 3
	(($(said "$1") == 1))
}

is_whole() {
	[[ $(sqlite3 d/state/tamis.db 'PRAGMA integrity_check' 2>&1) == ok ]]
}

# What it pins is there for the next one.
spawn() {
	"$TAMIS" daemon --config /dev/null --state "$PWD/d/state" --bpffs "$PWD/d/bpf/tamis" --interval 0.1 \
		--unit 1 --watch "/$prefix-*" >d/log 2>&1 </dev/null 3>&- 8>&- &
	daemon_pid=$!
}

begin() {
	spawn
	wait_for 60 daemon_ready
}

# --- what is tested ------------------------------------------------------------------------------

from_the_start() {
	fill
	spawn
	wait_for 60 grep -q "No space left on device.*; the programs record, waiting for room" d/log
	run a 205
	said_once "waiting for room"
	fails grep -q 'ready: ' d/log
	free
	wait_for 60 daemon_ready
	stored a 205
	run b 206
	stored b 206
	daemon_stop
}

in_its_life() {
	begin
	run a 205
	stored a 205
	fill
	run b 206
	said_once "can't store what was seen: No space left on device"
	gone "$daemon_pid" && return 1
	fails tamis show "cgroup/$prefix-b"
	tamis show "cgroup/$prefix-a" >/dev/null
	free
	stored b 206
	daemon_stop
}

between_two() {
	begin
	run a 205
	stored a 205
	fill
	run b 206
	wait_for 20 grep -q "can't store what was seen: No space left on device" d/log
	kill -KILL "$daemon_pid"
	wait_for 20 gone "$daemon_pid"
	spawn
	wait_for 60 grep -q "waiting for room" d/log
	run c 207
	free
	wait_for 60 daemon_ready
	stored b 206
	stored c 207
	daemon_stop
}

an_apply() {
	local key=oci/$prefix-a file
	bare_bundle b sh -c 'mkdir -p /tmp/a'
	begin
	runc run --bundle b "$prefix-a" </dev/null
	start_learned "$key"
	daemon_stop
	tamis apply "$key" --no-trial
	file=d/state/applied/$key.json
	cp "$file" good
	tamis deny "$key" mkdir
	fill
	fails tamis apply "$key" --no-trial 2>why
	grep -q 'No space left on device\|disk is full' why
	cmp "$file" good
	[[ $(find d/state/applied -name '*.json') == "$file" ]]
	free
	tamis apply "$key" --no-trial
	fails cmp -s "$file" good
	json_is '.generation.digest != null' <"$file"
}

@test "full before the daemon starts: it waits, the kernel records, all is stored when there is room" {
	on_small_disk from_the_start
}

@test "full in mid-run: said once a minute, all is stored when there is room" {
	on_small_disk in_its_life
}

@test "full when the daemon ends and when the next one starts: nothing is lost" {
	on_small_disk between_two
}

@test "full at an apply: the file stays as it was" {
	on_small_disk an_apply
}
