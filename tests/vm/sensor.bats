#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine: the sensor loads on this kernel, sees, leaves nothing, and says in one
# line when it can't.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash
load guest.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	daemon_stop || true
	cgroups_sweep
}

@test "the kernel is the one that was asked for" {
	uname -r
	[[ $(uname -r) == "$(sed -n 's/.*vm\.kernel=\([^ ]*\).*/\1/p' /proc/cmdline)" ]]
}

@test "check: nothing is missing" {
	run "$TAMIS" check
	echo "$output"
	((status == 0))
}

@test "the daemon is ready, sees, and learns nothing else" {
	daemon_start "$PWD/daemon" --verbose --interval 0.2 --watch "/$sensor_prefix-*"
	cat daemon/log
	cp daemon/log "/run/results/daemon.log"
	cgroup_make one
	in_cgroup one "$O/tools/calls" 500 501
	cgroup_remove one
	daemon_stop
	"$O/tools/calls" -n 500 501 >wanted
	must_equal one wanted
}

@test "record: exactly the calls of the program" {
	local -a calls=(500 501)
	[[ $(uname -m) != x86_64 ]] || calls+=(int80:20)
	"$TAMIS" record -f names -o names -- "$O/tools/calls" "${calls[@]}"
	"$O/tools/calls" -n "${calls[@]}" >wanted
	sysset names names >got
	sysset diff wanted got
}

nothing_left() {
	[[ -z $(tamis_objects) ]]
}

@test "pinned in the host's bpffs: goes on without the daemon; unpinned, nothing is left" {
	wait_for 10 nothing_left
	"$TAMIS" daemon --state "$PWD/daemon/state" --config /dev/null --watch "/$sensor_prefix-*" \
		>log 2>&1 3>&- &
	wait_for 15 grep -q 'ready: ' log
	kill -KILL $!
	wait $! || true
	tamis_objects
	[[ $(tamis_objects | grep -c '^tamis_') -ge 12 ]]
	"$TAMIS" daemon --unpin
	wait_for 10 nothing_left # programs are freed after a grace period
	[[ -z $(find /sys/fs/bpf -mindepth 1 ! -name '*.debug') ]] # the kernel's own iterators
}

without_btf() {
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$TAMIS" "$@"
}

@test "check: whether BPF LSM is active is as the kernel was started" {
	local want=fine
	grep -qw bpf /sys/kernel/security/lsm || want=degraded
	case $(</proc/cmdline) in
	*lsm=*,bpf*) [[ $want == fine ]] ;;
	*lsm=*) [[ $want == degraded ]] ;;
	esac
	"$TAMIS" check --json | json_is ".checks[] | select(.name == \"BPF LSM\").level == \"$want\""
}

# with_supplied COMMAND...: as without_btf, the kernel's types having been put where tamis finds them.
with_supplied() {
	# shellcheck disable=SC2016
	unshare -m sh -c 'mkdir -p /etc/tamis/btf && mount -t tmpfs none /etc/tamis/btf &&
		cp "$0" "/etc/tamis/btf/$(uname -r).btf" && mount -t tmpfs none /sys/kernel/btf && exec "$@"' \
		"${types-/sys/kernel/btf/vmlinux}" "$TAMIS" "$@"
}

@test "no BTF, but supplied: as good" {
	with_supplied check
	with_supplied record -f names -o names -- "$O/tools/calls" 500 501
	"$O/tools/calls" -n 500 501 >wanted
	sysset names names >got
	sysset diff wanted got
}

@test "no BTF, and what was supplied is none: refused in one line" {
	types=/etc/passwd refuses "$(uname -r).btf" with_supplied record -- true
}

@test "no BTF: refused in one line" {
	refuses BTF without_btf record -- true
	refuses BTF without_btf daemon --config /dev/null --state "$PWD/state"
	run without_btf check
	echo "$output"
	((status == 1))
	[[ $output == *missing*BTF* ]]
}
