#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How a start gets into probation: through podman's hook, through the wrapper, and what keeps it out.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/keeper.bash
load ../lib/pod.bash
load ../lib/start.bash

setup_file() {
	export probe_prefix=tamis-probing-$$
	export probe_image=localhost/$probe_prefix
	start_image "$probe_image" "$O/tools/calls"
}

teardown_file() {
	podman rmi -f "$probe_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	keeper_start "$PWD/d"
	printf '[apply]\nkeeper = %s\n' "$keeper_socket" >conf
	daemon_start "$PWD/d" --config "$PWD/conf" --interval 0.2 --unit 2
}

teardown() {
	pod_sweep "$probe_prefix"
	runc list -q 2>/dev/null | grep "^$probe_prefix-" | xargs -r -n 1 runc delete -f || true
	daemon_stop || true
	keeper_stop
	pod_cgroups_restore
}

loop='while :; do sleep 0.1; done'
getpriority=140 getsid=124

restart() {
	pod restart -t 0 "$1" >/dev/null
}

# learn NAME: one whole start of it, and a session that calls getppid.
learn() {
	pod_run "$1" "$probe_image" sh -c "$loop"
	restart "$1"
	start_learned "podman/$1"
	pod exec "$1" /calls -r 110
	start_install "$PWD/hooks"
}

apply() {
	tamis apply "$1" --config "$PWD/conf" "${@:2}" >said 2>&1 || { cat said; return 1; }
}

# returned VALUE NR: what the call returns in a session of $name.
returned() {
	local out
	out=$(pod exec "$name" /calls -r "$2") && [[ $out == *" $2 $1" ]] || { echo "not $1: $out"; return 1; }
}

refused() {
	returned -38 "$1"
}

passes() {
	! refused "$1" >/dev/null
}

has_call() {
	tamis show "$1" --json | json_is 'any(.calls[]; .nr == $nr)' --argjson nr "$2"
}

has_generation() {
	tamis show "$1" --json | json_is '.generation >= $nr' --argjson nr "$2"
}

# allows NAME NR: the filter that it was started with lets it pass unasked.
allows() {
	jq -e --arg name "$2" 'any(.linux.seccomp.syscalls[];
		.action == "SCMP_ACT_ALLOW" and any(.names[]; . == $name))' \
		"$(pod inspect -f '{{.OCIConfigPath}}' "$1")" >/dev/null
}

@test "through podman's hook: what is new goes on, is learned, and is free at the next start" {
	local name=$probe_prefix-learn key=podman/$probe_prefix-learn number
	learn "$name"
	apply "$key" --mode probation
	grep -q 'goes on, and is learned (rule learn)' said
	grep -q 'a signal may interrupt a call that asks' said
	[[ $(grep -c "can't be reached" said) == 0 ]]
	start_until "^$key: in probation under generation" restart "$name"
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	grep -qE "^started $key [0-9a-f]{64} [1-9] probation " d/state/started
	run allows "$name" getpriority
	[[ $status == 1 ]]
	[[ $(pod inspect -f '{{.OCIConfigPath}}' "$name" | xargs jq -r .linux.seccomp.listenerPath) == "$keeper_socket" ]]
	number=$(tamis show "$key" --json | jq .generation)
	passes $getpriority
	keeper_journal | grep -q " $getpriority "
	wait_for 20 has_call "$key" $getpriority
	wait_for 40 has_generation "$key" "$((number + 1))"
	start_until "^$key: in probation under generation [2-9]" restart "$name"
	allows "$name" getpriority
	# Taken away again: the line of the earlier start is over.
	tamis release "$key" --config "$PWD/conf"
	restart "$name"
	tail -n 1 d/state/started | grep -qE "^started $key [0-9a-f]{64} 0 observe "
	run start_said "^$key: .*probation.*observe"
	[[ $status == 1 ]]
}

@test "rule ask: refused until somebody allows it, who is heard at once" {
	local name=$probe_prefix-ask key=podman/$probe_prefix-ask
	learn "$name"
	apply "$key" --mode probation --rule ask
	start_until "^$key: in probation under generation" restart "$name"
	refused $getpriority
	refused $getsid
	tamis allow "$key" getpriority --config "$PWD/conf" >said
	grep -q 'tamis-keeper answers so from now on' said
	wait_for 10 passes $getpriority
	refused $getsid
	tamis deny "$key" getpriority --config "$PWD/conf"
	wait_for 10 refused $getpriority
}

@test "where it can't be, the engine's own profile stays, and one line says why" {
	local name=$probe_prefix-not key=podman/$probe_prefix-not
	learn "$name"
	apply "$key" --mode probation
	# A runtime that can't have calls ask: what is known of it is in a file.
	sed -i 's/ notify//' d/state/features
	start_until "^$key: it can't be in probation here: .* have calls ask" restart "$name"
	passes $getpriority
	# One that says that it can, and is neither of those whose starts are known.
	sed -i 's/^\(.*known\).*/\1 other/' d/state/features
	start_until "^$key: it can't be in probation here: .*neither runc nor crun" restart "$name"
	passes $getpriority
	rm d/state/features
	apply "$key" --mode probation
	start_until "^$key: in probation under generation" restart "$name"
	# Nobody listens, and nothing is there.
	keeper_stop
	start_until "^$key: it can't be in probation here: tamis-keeper can't be reached at $keeper_socket" \
		restart "$name"
	passes $getpriority
	rm -f "$keeper_socket"
	start_until "^$key: it can't be in probation here: .*No such file" restart "$name"
	passes $getpriority
	[[ $(grep -c "^started $key " d/state/started) == 2 ]]
	tail -n 1 d/state/started | grep -q " 0 observe "
	apply "$key" --mode probation
	grep -q "can't be reached at $keeper_socket (No such file or directory)" said
}

@test "through the wrapper, under a bare runtime" {
	local name=$probe_prefix-bare key=oci/$probe_prefix-bare wrapper=$PWD/libexec/tamis-runc
	bare_bundle b sh -c "$loop"
	cp "$O/tools/calls" b/root/calls
	cp b/config.json original
	runc run -d --bundle "$PWD/b" "$name" </dev/null >/dev/null 2>&1 3>&-
	start_learned "$key"
	runc exec "$name" /calls -r 110
	sleep 1
	runc delete -f "$name"
	"$TAMIS" install wrapper --runtime "$(command -v runc)" --as "$wrapper" --state "$daemon_dir/state"
	apply "$key" --mode probation
	again() {
		runc delete -f "$name" 2>/dev/null || true
		cp original b/config.json
		"$wrapper" run -d --bundle "$PWD/b" "$name" </dev/null >out 2>&1 3>&-
	}
	start_until "^$key: in probation under generation" again
	runc exec "$name" /calls -r $getpriority >out
	[[ $(cat out) != *" $getpriority -38" ]]
	keeper_journal | grep -q " $getpriority "
	wait_for 20 has_call "$key" $getpriority
	diff <(jq -S . original) <(jq -S 'del(.linux.seccomp)' b/config.json)
}
