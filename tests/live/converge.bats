#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# From an empty policy, by the oracle loop, to one under which a load passes without a refusal.
# `make demo-oracle` has more services, and what it takes.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/workloads.bash
load ../lib/oracle.bash

setup_file() {
	export prefix=tamis-test-converge
	host_lock test-converge
	"$ROOT/tests/images/build" redis nginx
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	sweep
	pod_cgroups_note
}

teardown() {
	daemon_stop || true
	sweep
	pod_cgroups_restore
}

sweep() {
	pod_sweep "$prefix-"
	pod_sweep "tamis-oracle-$prefix-"
}

whole_load() {
	workload_up "$1" "$2" && workload_load "$1" "$2"
}

refusals() {
	tamis denials "$1" --json | jq '[.denials[].count] | add // 0'
}

# end NAME KEY: and a new start, by the oracle where a loop begins at that end.
end() {
	pod stop -t 10 "$1"
	sleep 1
	wait_for 20 comes_back "$1" "$2"
}

comes_back() {
	! oracle_is "$2" watching || pod start "$1"
}

# converges SERVICE
converges() {
	local name=$prefix-$1 key=podman/$prefix-$1 port before i
	port=$(free_port)
	workloads_site "$PWD/site" "$port"
	workload_command "$1" "$port"
	daemon_start "$PWD/d" --interval 0.2
	start_install "$PWD/hooks"
	# Data is on a volume, as services have it: what refused calls left half done, a twin finds too.
	install -d -m 1777 data
	# shellcheck disable=SC2154 # workloads.bash's
	pod_run "$name" --stop-signal "$(workload_stop_signal "$1")" -v "$site:/site:ro" \
		-v "$PWD/data:/tmp" \
		"localhost/tamis-$1" "${command[@]}"
	start_learned "$key"
	tamis oracle "$key" --hardened "localhost/tamis-$1" --window 4s
	oracle_converges 300 "$key" whole_load "$1" "$port"
	# It began with nothing, so it took a loop at least, and it is really under a filter.
	(($(oracle_loops "$key") > 0))
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	policy_has "$key" bind listen
	# Its end is part of its life: what that takes may be refused, and is learned, until a start, the
	# load and an end bring no refusal.
	for ((i = 0; i < 5; i++)); do
		before=$(refusals "$key")
		end "$name" "$key"
		oracle_converges 300 "$key" whole_load "$1" "$port"
		[[ $(refusals "$key") != "$before" ]] || break
	done
	((i < 5)) || { tamis denials "$key"; tamis oracle "$key"; false; }
	oracle_is "$key" watching
}

@test "redis" {
	converges redis
}

@test "nginx" {
	converges nginx
}
