#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Allocations that fail (tests/tools/failalloc.c), one in a run, all over the commands, the start path, the
# daemon and the keeper: nobody dies of it, no store and no applied file is damaged, every container starts,
# no call is lost.
# EVERY=1: all of them, which takes an hour. ROUNDS=1000: so many of the daemon's and of the keeper's.

# shellcheck disable=SC2154 # what the libraries set

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/keeper.bash

setup_file() {
	export nomem_name=tamis-nomem-$$
	cd "$BATS_FILE_TMPDIR" || return
	bare_bundle b sh -c 'mkdir -p /tmp/a'
	cp b/config.json original
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	runc run --bundle b "$nomem_name" </dev/null
	start_learned "oci/$nomem_name"
	tamis deny "oci/$nomem_name" mkdir
	tamis apply "oci/$nomem_name" --no-trial
	daemon_stop
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return
	state=$PWD/d/state
	key=oci/$nomem_name
	mark=$PWD/mark
	live=$PWD/live
	watched=$(cgroup2_mount)/$nomem_name
}

teardown() {
	daemon_stop || true
	keeper_stop
	find "${watched%/*}" -maxdepth 1 -name "$nomem_name-w*" -exec rmdir {} +
	runc list -q 2>/dev/null | grep "^$nomem_name" | xargs -r -n 1 runc delete -f || true
}

# fails_at EVERY OPTION... PROGRAM STATE -- COMMAND...
fails_at() {
	/usr/bin/python3 "$ROOT/tests/live/nomem.py" --every "${EVERY-$1}" "${@:2}" >said || { cat said; return 1; }
	echo "# $(tail -n 1 said)" >&3
}

@test "tamis export, show, apply: done in full, or not at all and said" {
	fails_at 97 tamis "$state" -- "$TAMIS" export "$key" -f oci --state "$state"
	fails_at 97 tamis "$state" -- "$TAMIS" show "$key" --json --state "$state"
	fails_at 67 tamis "$state" -- "$TAMIS" apply "$key" --no-trial --state "$state"
}

@test "what is in the start path lets every container start" {
	mkdir bin
	cp "$O/tamis-start" bin/tamis-named
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" != --bundle ] || cat "$2/config.json"; shift; done\n' >named
	chmod 755 named
	printf 'runtime = %s\nstate = %s\n' "$PWD/named" "$state" >bin/tamis-named.conf
	cp original b/config.json
	fails_at 9 --start --file b/config.json --or original tamis-named "$state" -- \
		bin/tamis-named run --bundle "$PWD/b" "$nomem_name"
}

# --- those that live longer ----------------------------------------------------------------------

# failing PROGRAM COMMAND...: in what it starts, allocations of PROGRAM fail as fail_at says.
failing() {
	head -c 24 /dev/zero >"$live"
	LD_PRELOAD=$O/tools/failalloc FAILALLOC="$1 0 0 $mark" FAILALLOC_LIVE=$live "${@:2}"
}

# fail_at N COUNT: from now on. N 0: none.
fail_at() {
	rm -f "$mark"
	/usr/bin/python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as f: f.write(struct.pack("3Q", 0, int(sys.argv[2]), int(sys.argv[3])))' "$live" "$@"
}

store_is_whole() {
	[[ $(sqlite3 "$daemon_dir/state/tamis.db" 'PRAGMA integrity_check') == ok ]]
}

# shellcheck disable=SC2016 # jq's variables
called_as() {
	tamis show "cgroup/$nomem_name-w$1" --json | json_is '(.partial | not) and
		([.calls[] | select(.stage == "workload" and .name != "exit_group") | .nr] == [$nr])' --argjson nr "$2"
}

# once I NR FIRST COUNT: a workload that comes and goes while allocations fail is in the store afterwards.
once() {
	local dir=$watched-w$1
	fail_at "$3" "$4"
	mkdir "$dir"
	# shellcheck disable=SC2016
	sh -c 'echo 0 >"$1/cgroup.procs" && exec "$2" "$3"' sh "$dir" "$O/tools/calls" "$2"
	wait_for 10 rmdir "$dir"
	wait_for 2 test -e "$mark" || true
	fail_at 0 0
	wait_for 30 called_as "$1" "$2" || { echo "allocation $3, $4 of them"; tamis list; return 1; }
}

@test "the daemon: what comes while memory is short is learned all the same" {
	local i rounds=${ROUNDS-40}
	failing tamis daemon_start "$PWD/live.d" --interval 0.1 --unit 1 --watch "/$nomem_name-w*"
	for ((i = 0; i < rounds; i++)); do
		once "$i" $((i % 30 + 200)) $((i * 7 % 290 + 1)) 1
	done
	for ((; i < rounds + rounds / 10; i++)); do
		once "$i" $((i % 30 + 200)) $((i * 9 % 97 + 1)) 100
	done
	gone "$daemon_pid" && return 1
	daemon_stop
	store_is_whole
}

# One that begins with it.
begin_short() {
	rm -f "$mark"
	LD_PRELOAD=$O/tools/failalloc FAILALLOC="tamis $1 1 $mark" daemon_spawn "$PWD/d" --interval 0.2 --unit 1
	wait_for 60 begun_or_gone || return 1
	rc=0
	daemon_stop || rc=$?
}

begun_or_gone() {
	gone "$daemon_pid" || daemon_ready
}

@test "a daemon that begins while memory is short begins, or says why not" {
	local n rc file=$state/applied/$key.json
	cp "$file" kept.json
	for n in 1 40 300 900 2000 5000 11000 17000 23000 29000 31000 33000; do
		begin_short "$n"
		((rc == 0 || rc == 1)) || { echo "allocation $n: $rc"; cat d/log; return 1; }
		((rc == 0)) || [[ -s d/log ]]
		cmp "$file" kept.json
		store_is_whole
	done
}

journal_has_all() {
	local i
	for i in {470..509}; do
		keeper_journal | grep -qE "^(call [^ ]* [^ ]*|count [^ ]*) x86_64 $i nobodys " || return 1
	done
}

@test "the keeper: what it answers while memory is short is journalled all the same" {
	local i rounds=${ROUNDS-40}
	[[ $(uname -m) == x86_64 ]] || skip "calls by x86_64's numbers"
	failing tamis-keeper keeper_start "$PWD/k"
	for ((i = 0; i < rounds; i++)); do
		fail_at $((i % 50 + 1)) 1
		timeout 60 "$O/tools/asks" -s "$keeper_socket" -n 2 $((i % 40 + 470)) >out || true
		fail_at 0 0
		timeout 60 "$O/tools/asks" -s "$keeper_socket" -n 2 $((i % 40 + 470)) >out
		grep -q '^calls=2 ok=0 enosys=2 ' out
	done
	[[ $(keeper_starts) == 1 ]]
	wait_for 30 journal_has_all || { keeper_journal; return 1; }
}
