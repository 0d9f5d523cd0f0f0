#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Calls that open a host to an attacker are learned as pending: a container that makes them while
# it is observed does not get them, until a person says so; and what a person denies stays denied.

load ../lib/base.bash
load ../lib/pod.bash
load ../lib/daemon.bash

setup_file() {
	export dir=$BATS_FILE_TMPDIR daemon_dir=$BATS_FILE_TMPDIR/daemon
	export name=tamis-test-allow-$$ key=podman/tamis-test-allow-$$
	pod_sweep tamis-test-allow-
	pod_cgroups_note
	export pod_parents
	mkdir -p "$dir/rootfs"
	make_program
	daemon_start "$daemon_dir" --interval 0.2 --unit 2
	export daemon_pid
}

teardown_file() {
	pod_sweep tamis-test-allow-
	pod_cgroups_restore
	daemon_stop
}

teardown() {
	pod_remove "$name"
}

# guarded NAME...: makes each call once, "NAME ok" or "NAME ERRNO" on a line of its own.
make_program() {
	gcc -O2 -static -D_GNU_SOURCE -o "$dir/rootfs/guarded" -x c - <<-'END'
		#include <errno.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/ptrace.h>
		#include <sys/syscall.h>
		#include <unistd.h>

		static long make(const char *name)
		{
			if (strcmp(name, "bpf") == 0)
				return syscall(SYS_bpf, -1, 0, 0);
			if (strcmp(name, "ptrace") == 0)
				return syscall(SYS_ptrace, PTRACE_CONT, getpid(), 0, 0);
			return syscall(SYS_getsid, 0);
		}

		int main(int argc, char **argv)
		{
			for (int i = 1; i < argc; i++) {
				long r = make(argv[i]);

				printf("%s %s\n", argv[i], r < 0 ? strerrorname_np(errno) : "ok");
			}
			return 0;
		}
	END
}

# life [PODMAN_OPTION...] -- CALL...: a container that makes these calls and ends.
life() {
	local -a options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	pod_remove "$name"
	pod run --name "$name" "${pod_run_options[@]}" "${options[@]}" --rootfs "$dir/rootfs" \
		/guarded "$@"
}

# One without a filter of the engine's, which would keep bpf from the sensor.
learn() {
	life --security-opt seccomp=unconfined -- "$@"
	wait_for 20 settled "$@"
}

settled() {
	local call
	is '.state == "gone"' || return
	for call; do
		is '[.calls[] | select(.stage == "workload").name] | index("'"$call"'") != null' || return
	done
}

# A value of the workload's JSON.
is() {
	tamis show "$key" --json | json_is "$1"
}

pending() {
	[[ $(tamis show "$key" --json | jq -c '[.pending[].name]') == "$1" ]]
}

# exported CALL: whether each format's policy lets it through.
exported() {
	local names
	tamis export "$key" -f oci -o "$BATS_TEST_TMPDIR/oci" 2>/dev/null || return 2
	names=$(tamis export "$key" -f names 2>/dev/null) || return 2
	jq -e --arg call "$1" '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]] | index($call)' \
		"$BATS_TEST_TMPDIR/oci" >/dev/null && grep -qx "[a-z0-9_]* $1" <<<"$names"
}

# not_exported CALL: by none of them.
not_exported() {
	local names
	tamis export "$key" -f oci -o "$BATS_TEST_TMPDIR/oci" 2>/dev/null || return 2
	names=$(tamis export "$key" -f names 2>/dev/null) || return 2
	json_is '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]] | index($call) == null' \
		--arg call "$1" <"$BATS_TEST_TMPDIR/oci" && ! grep -qx "[a-z0-9_]* $1" <<<"$names"
}

# under_policy CALL: what the container gets for it under what is exported now.
under_policy() {
	tamis export "$key" -f oci -o "$dir/policy.json" 2>/dev/null || return
	life --security-opt "seccomp=$dir/policy.json" -- "$1"
}

@test "guarded calls are learned, shown with who made them, and left out" {
	learn getsid bpf ptrace
	tamis list | awk -v name="$name" '$2 == name' | grep -q ', 2 pending *observe '
	pending '["ptrace","bpf"]'
	is '.pending[1] | .comm == "guarded" and (.exe | endswith("/guarded")) and .pid > 0 and .stage == "workload"'
	tamis show "$key" | grep -q '^pending:   x86_64 bpf, first by guarded\[[0-9]*\] of .*/guarded (workload)$'
	exported getsid
	not_exported bpf
	not_exported ptrace
}

@test "under what is exported, the container doesn't get them" {
	[[ $(under_policy bpf) != *' EINVAL' ]]
	[[ $(under_policy getsid) == 'getsid ok' ]]
}

@test "allow lets in the one that it names" {
	run tamis allow "$key" ptrace
	((status == 0))
	[[ $output == "allowed x86_64 ptrace of $key; 'tamis apply $key' makes a generation with it" ]]
	exported ptrace
	not_exported bpf
	pending '["bpf"]'
	tamis list | awk -v name="$name" '$2 == name' | grep -q ', 1 pending *observe '
	[[ $(under_policy ptrace) == 'ptrace ESRCH' ]]
}

@test "one that was never seen is allowed all the same, and that is said" {
	run tamis allow "$key" kexec_load
	((status == 0))
	[[ $output == *$'\n'"x86_64 kexec_load was never seen" ]]
	exported kexec_load
	tamis allow "$key" kexec_load --forget
	not_exported kexec_load
}

@test "what is denied stays so when it is forgotten, and learned again" {
	tamis deny "$key" bpf
	pending '[]'
	not_exported bpf
	tamis forget "$key" bpf
	is '[.calls[].name] | index("bpf") == null'
	learn bpf
	is '[.calls[].name] | index("bpf") != null'
	pending '[]'
	not_exported bpf
	is '[.denied[].name] == ["bpf"]'
	[[ $(under_policy bpf) != *' EINVAL' ]]
}

@test "an ordinary call is denied, too, until the word is taken back" {
	exported getsid
	tamis deny "$key" getsid
	not_exported getsid
	learn getsid
	not_exported getsid
	[[ $(under_policy getsid) == 'getsid ENOSYS' ]]
	tamis deny "$key" getsid --forget
	exported getsid
}

@test "the last word counts" {
	tamis allow "$key" bpf | grep -qx 'x86_64 bpf was denied until now'
	exported bpf
	[[ $(under_policy bpf) == 'bpf EINVAL' || $(under_policy bpf) == 'bpf EPERM' ]]
	is '.denied == [] and ([.allowed[].name] == ["ptrace", "bpf"])'
}
