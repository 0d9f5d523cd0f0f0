#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What was learned, in force at the next start: through podman's hook, through the wrapper.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/sensor.bash
load ../lib/stages.bash

setup_file() {
	export start_prefix=tamis-apply-$$
	export start_image=localhost/$start_prefix
	start_image "$start_image" "$O/tools/needs"
}

teardown_file() {
	podman rmi -f "$start_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
}

teardown() {
	daemon_stop || true
	runc list -q 2>/dev/null | grep "^$start_prefix-" | xargs -r -n 1 runc delete -f || true
	pod_sweep "$start_prefix"
	pod_cgroups_restore
}

loop='while :; do sleep 0.1; done'

restart() {
	pod restart -t 0 "$1" >/dev/null
}

# learn NAME: one whole start of a container of podman's, and a session in it.
learn() {
	restart "$1"
	start_learned "podman/$1"
	pod exec "$1" grep Seccomp /proc/1/status
	sleep 1
}

# --- podman's hook -----------------------------------------------------------------------------

@test "a container made before tamis was installed restarts under its policy, sessions too" {
	local name=$start_prefix-old
	pod_run "$name" "$start_image" sh -c "$loop"
	pod exec "$name" mkdir /tmp/before
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	run tamis apply "podman/$name"
	[[ $status == 1 && $output == *partial* ]]
	learn "$name"
	start_install "$PWD/hooks"
	tamis apply "podman/$name"
	# Nothing changes for what runs.
	pod exec "$name" mkdir /tmp/still
	start_until "^podman/$name: started under generation 1, on trial$" restart "$name"
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	pod exec "$name" grep -q 'Seccomp:.*2' /proc/1/status
	run pod exec "$name" mkdir /tmp/after
	[[ $status != 0 && $output == *'Function not implemented'* ]]
	# Out of the start path again: as it was.
	"$TAMIS" uninstall podman --hooks-dir "$PWD/hooks"
	[[ -z $(ls "$PWD/hooks") ]]
	restart "$name"
	pod exec "$name" mkdir /tmp/again
}

@test "shadow leaves a start as it is, and says nothing" {
	local name=$start_prefix-shadow
	pod_run "$name" "$start_image" sh -c "$loop"
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	start_install "$PWD/hooks"
	learn "$name"
	tamis apply "podman/$name" --mode shadow
	restart "$name"
	pod exec "$name" mkdir /tmp/a
	[[ -z $(start_lines) ]]
}

@test "an unseen image is left alone, unless the policy is to be kept for it" {
	local name=$start_prefix-image image=localhost/$start_prefix-new
	pod_run "$name" "$start_image" sh -c "$loop"
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	start_install "$PWD/hooks"
	learn "$name"
	tamis apply "podman/$name"
	echo new >new
	start_image "$image" new
	pod_remove "$name"
	start_until "^podman/$name: .*image" pod_run "$name" "$image" sh -c "$loop"
	pod exec "$name" mkdir /tmp/a
	tamis apply "podman/$name" --keep-new-image
	start_until "^podman/$name: started under generation" restart "$name"
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	run pod exec "$name" rm -r /tmp
	[[ $status != 0 && $output == *'Function not implemented'* ]]
	pod_remove "$name"
	podman rmi -f "$image"
}

# A supervisor: starts again what isn't there. runc's own process needs futex too, and where it dies of
# that podman doesn't count it as a start, and leaves the restarting to others.
serves() {
	[[ -e /proc/$(pod_pid "$1")/root/tmp/serving ]] && return
	pod start "$1" >/dev/null 2>&1 || true
	[[ -e /proc/$(pod_pid "$1")/root/tmp/serving ]]
}

try_restart() {
	restart "$1" || true
}

# ... and what starts is no more under the generation that failed.
given_up() {
	serves "$1" || true
	# runc's process may hang for want of futex, too: whoever watches over a service restarts it then
	((++looked % 100)) || pod restart -t 0 "$1" >/dev/null 2>&1 || true
	start_said -q "^podman/$1: generation 1 failed"
}

@test "a generation without futex under --restart=always: the third start serves, without the daemon" {
	local name=$start_prefix-futex number tries left looked=0
	number=$(awk '$2 == "futex" { print $1; exit }' "$ROOT/user/model/calls/x86_64.tbl")
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	start_install "$PWD/hooks"
	pod_run "$name" --restart=always "$start_image" sh -c "rm -f /tmp/serving; exec /needs $number /tmp/serving"
	wait_for 30 serves "$name"
	start_learned "podman/$name"
	tamis deny "podman/$name" futex
	tamis apply "podman/$name"
	daemon_stop
	start_until "^podman/$name: started under generation 1, on trial$" try_restart "$name"
	wait_for 60 given_up "$name"
	wait_for 60 serves "$name"
	start_lines
	# One start under it, or two where runc itself died of it and nobody saw an end; none after that.
	tries=$(start_said -c "^podman/$name: started under generation 1, on trial$")
	((tries == 1 || tries == 2))
	left=$(start_said -c "^podman/$name: generation 1 failed.*engine's own profile$")
	((left >= 1))
	start_lines | tail -n 1 | grep -q 'generation 1 failed'
	tamis history "podman/$name" >history
	cat history
	grep -q '^generation 1 failed: ' history
	grep -q futex history
}

# --- bare runtimes through the wrapper -----------------------------------------------------------

# bundle DIR COMMAND...: with a number that doubles have no room for.
bundle() {
	bare_bundle "$@"
	jq '.linux.big = "BIG"' <"$1/config.json" | sed 's/"BIG"/9223372036854775807/' >"$1/c"
	mv "$1/c" "$1/config.json"
}

install_wrapper() {
	wrapper=$PWD/libexec/tamis-runc
	"$TAMIS" install wrapper --runtime "$(command -v runc)" --as "$wrapper" --state "$daemon_dir/state" >lines
}

# Its first process, once it is the container's own.
bare_pid() {
	runc state "$1" | jq -e '.status == "running"' >/dev/null && runc state "$1" | jq .pid
}

bare_ends() {
	runc delete -f "$1"
}

# learn_bare NAME
learn_bare() {
	runc run -d --bundle "$PWD/b" "$1" </dev/null >/dev/null 2>&1 3>&-
	start_learned "oci/$1"
	runc exec "$1" grep Seccomp: /proc/1/status
	sleep 1
	bare_ends "$1"
}

# under NAME: it runs under the policy, and sessions too.
under() {
	[[ $(seccomp_mode "$(bare_pid "$1")") == 2 ]]
	runc exec "$1" grep 'Seccomp:.*2' /proc/1/status
	run runc exec "$1" mkdir /tmp/a
	[[ $status != 0 ]]
}

@test "bare runc through the wrapper: run, create and start, docker's order of arguments" {
	local name=$start_prefix-bare
	bundle b sh -c "$loop"
	cp b/config.json original
	runc run -d --bundle "$PWD/b" "$name" </dev/null >/dev/null 2>&1 3>&-
	[[ $(seccomp_mode "$(bare_pid "$name")") == 0 ]]
	runc exec "$name" mkdir /tmp/before
	bare_ends "$name"
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	learn_bare "$name"
	install_wrapper
	grep -q '"default-runtime": "tamis-runc"' lines
	# each start is killed at once, which would be a failed trial
	tamis apply "oci/$name" --no-trial
	run_through() {
		cp original b/config.json
		bare_ends "$name" 2>/dev/null || true
		(cd "${at-.}" && "$wrapper" "$@" "$name") </dev/null >out 2>err 3>&-
	}
	said="^oci/$name: started under generation 1"
	start_until "$said" run_through run -d --bundle "$PWD/b"
	under "$name"
	[[ ! -s out ]]
	start_until "$said" run_through run --bundle="$PWD/b" -d
	under "$name"
	at=b start_until "$said" run_through run -d
	under "$name"
	start_until "$said" run_through create -b "$PWD/b"
	"$wrapper" start "$name"
	under "$name"
	start_until "$said" run_through --root /run/runc --log "$PWD/log" --log-format json create \
		--bundle "$PWD/b" --pid-file "$PWD/pid"
	"$wrapper" --root /run/runc start "$name"
	[[ $(cat pid) == "$(bare_pid "$name")" ]]
	under "$name"
	# Of its spec nothing else has changed.
	diff <(jq -S . original) <(jq -S 'del(.linux.seccomp)' b/config.json)
	[[ $(wc -l <b/config.json) == $(wc -l <original) ]]
	grep -q '"big": 9223372036854775807' b/config.json
	[[ $(ls -A b | sort | xargs) == 'config.json root' ]]
}

@test "bare crun through the wrapper, with a file of another name" {
	local name=$start_prefix-crun
	bundle b sh -c "$loop"
	mv b/config.json b/other.json
	cp b/other.json original
	stages_bin=$PWD/runtimes
	mkdir runtimes
	in_mounts crun 'mount -t cgroup2 cgroup2 /sys/fs/cgroup' "$(command -v crun)"
	[[ $(cgroup2_mount) != /sys/fs/cgroup ]] || in_mounts crun : "$(command -v crun)"
	crun() {
		(cd b && ../runtimes/crun "$@") </dev/null 3>&-
	}
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	crun run -d -b "$PWD/b" -f other.json "$name" >/dev/null 2>&1
	start_learned "oci/$name"
	crun exec "$name" grep Seccomp: /proc/1/status
	sleep 1
	crun delete -f "$name"
	wrapper=$PWD/libexec/tamis-crun
	"$TAMIS" install wrapper --runtime "$PWD/runtimes/crun" --as "$wrapper" --state "$daemon_dir/state" >lines
	tamis apply "oci/$name"
	through() {
		cp original b/other.json
		crun delete -f "$name" 2>/dev/null || true
		(cd b && "$wrapper" "$@" "$name") </dev/null >out 2>&1 3>&-
	}
	start_until "^oci/$name: started under generation 1" through run -d -b"$PWD/b" -fother.json
	crun exec "$name" grep 'Seccomp:.*2' /proc/1/status
	run crun exec "$name" mkdir /tmp/a
	[[ $status != 0 && $output == *'Function not implemented'* ]]
	diff <(jq -S . original) <(jq -S 'del(.linux.seccomp)' b/other.json)
	crun delete -f "$name"
}

@test "a wrapper is the runtime for all that is no start, and stays one when it is uninstalled" {
	local name=$start_prefix-shim before
	bundle b sh -c "$loop"
	daemon_start "$PWD/d" --interval 0.2
	install_wrapper
	diff <(runc --version) <("$wrapper" --version)
	diff <(runc features) <("$wrapper" features)
	cp b/config.json original
	"$wrapper" run -d --bundle "$PWD/b" "$name" </dev/null >/dev/null 2>&1 3>&-
	cmp b/config.json original
	diff <(runc state "$name") <("$wrapper" state "$name")
	run runc state nothing
	before=$status:$output
	run "$wrapper" state nothing
	[[ $before == "$status:$output" ]]
	run "$wrapper" exec "$name" sh -c 'exit 7'
	[[ $status == 7 ]]
	run "$TAMIS" install wrapper --runtime "$wrapper" --as "$PWD/other"
	[[ $status == 1 && $output == *'a wrapper of tamis'* ]]
	run "$TAMIS" install wrapper --runtime /bin/true --as "$PWD/other"
	[[ $status == 1 && $output == *'--version'* ]]
	"$TAMIS" uninstall wrapper "$wrapper"
	[[ $(head -c 9 "$wrapper") == '#!/bin/sh' && ! -e $wrapper.conf ]]
	diff <(runc state "$name") <("$wrapper" state "$name")
	"$wrapper" delete -f "$name"
	"$wrapper" run -d --bundle "$PWD/b" "$name" </dev/null >/dev/null 2>&1 3>&-
	bare_ends "$name"
	"$TAMIS" uninstall wrapper "$wrapper"
	"$TAMIS" uninstall wrapper "$wrapper" --remove
	[[ ! -e $wrapper ]]
	"$TAMIS" uninstall wrapper "$wrapper" --remove
	run "$TAMIS" uninstall wrapper "$(command -v runc)" --remove
	[[ $status == 1 && -x $(command -v runc) ]]
}
