#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # what keeper.bash sets
# crun waits, under the filter already, for the helper that sends its descriptor: no rule keeps a start or
# a session from that, and nothing of it is learned. By itself, since it wants cgroup v2 alone: in a
# mount namespace of its own.

load ../lib/base.bash
load ../lib/keeper.bash

# Of x86_64, by number: kill 62, munmap 11, wait4 61; mremap 25.
asking='["wait4", "kill", "munmap", "mremap"]'

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	prefix=tamis-handover-$$-$BATS_TEST_NUMBER
	mkdir -p root/{proc,sys,dev,etc,tmp,bin}
	cp /bin/busybox root/bin/busybox
	ln -s busybox root/bin/sh
	ln -s busybox root/bin/sleep
	cp "$O/tools/asks" root/asks
	cp "$O/tools/calls" root/calls
	keeper_start "$PWD/d"
}

teardown() {
	local dir
	in_v2 crun delete --force "$prefix-a" 2>/dev/null || true
	keeper_stop
	for dir in /sys/fs/cgroup/*/"$prefix" /sys/fs/cgroup/"$prefix"; do
		[[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
}

# As on a host without v1.
in_v2() {
	timeout 60 unshare -m sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh "$@"
}

bundle() {
	mkdir b
	(cd b && runc spec)
	jq --arg socket "$keeper_socket" --arg root "$PWD/root" --arg parent "/$prefix/$prefix-a" \
		--argjson nnp "$1" --argjson asking "$asking" '
		.process.args = ["/bin/sh", "-c", "while :; do sleep 1; done"] | .process.terminal = false |
		.process.rlimits = [] | .root = { path: $root, readonly: true } | del(.linux.resources) |
		.linux.cgroupsPath = $parent | .process.noNewPrivileges = $nnp |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
			listenerPath: $socket, syscalls: [{ names: $asking, action: "SCMP_ACT_NOTIFY" }] }' \
		<b/config.json >new
	mv new b/config.json
}

# A session that makes the call; what a container does before crun has written whose it is is nobody's.
journalled() {
	in_v2 crun exec "$prefix-a" /asks -n 1 25 >asked || { cat asked; return 1; }
	keeper_journal | grep -q "^call oci/$prefix-a .* x86_64 25 $1 .* asks /asks "
}

# under RULE NNP ANSWER: it starts, has sessions, and the rule is for all that isn't crun's.
under() {
	"$O/tools/rule" "$keeper_state" "oci/$prefix-a" probation "$1"
	bundle "$2"
	in_v2 crun --cgroup-manager=cgroupfs run -d --bundle b "$prefix-a" </dev/null >out 2>&1 || { cat out; return 1; }
	wait_for 30 journalled "$3" || { keeper_journal; return 1; }
	keeper_journal >journal
	! grep -E '^call .* (crun|/[^ ]*crun) ' journal || { cat journal; return 1; }
}

@test "deny: it starts all the same" {
	under deny true denied
}

@test "ask, with privileges to come: it starts all the same" {
	under ask false asked
}

@test "learn: what it calls isn't the workload's" {
	under learn true continued
	wait_for 30 grep -q "x86_64 61 continued .* sh /bin/busybox " "$keeper_state"/keeper/journal.*
}

# --- by way of tamis-start ----------------------------------------------------------------------------

# Whether its runtime can is asked in the start, and may be too late there once.
begins() {
	in_v2 crun delete --force "$prefix-a" 2>/dev/null || true
	in_v2 "$wrapper" --cgroup-manager=cgroupfs run -d --bundle b "$prefix-a" </dev/null >out 2>&1 || { cat out; return 1; }
	grep -q "oci/$prefix-a: in probation under generation 1" "$keeper_state/start.log"
}

is_denied_them() {
	in_v2 crun exec "$prefix-a" /calls -r 11 61 62 >asked || { cat asked; return 1; }
	[[ $(grep -c -- ' -38$' asked) == 3 ]]
}

@test "denied by a person, its runtime does it all the same, and the container doesn't" {
	mkdir libexec
	wrapper=$PWD/libexec/tamis-crun
	"$TAMIS" install wrapper --runtime "$(command -v crun)" --as "$wrapper" --state "$keeper_state" >/dev/null
	"$O/tools/rule" "$keeper_state" "oci/$prefix-a" probation learn "@$keeper_socket" -wait4 -kill -munmap -capset
	bundle true
	jq '.process.args = ["/bin/sleep", "1000"] | .linux.seccomp |= { defaultAction, architectures }' <b/config.json >new
	mv new b/config.json
	wait_for 60 begins || { cat out "$keeper_state/start.log"; return 1; }
	wait_for 30 is_denied_them || { cat asked; keeper_journal; return 1; }
}
