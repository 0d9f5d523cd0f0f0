#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What comes into a container, or a watched cgroup, once it is there: sessions, containers in a
# container, processes that are moved, a daemon that comes late.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load ../lib/stages.bash

setup_file() {
	export sensor_prefix=tamis-sessions-$$ image=localhost/tamis-sessions-$$
	# infra containers take no options of ours
	export CONTAINERS_CONF=$BATS_FILE_TMPDIR/containers.conf
	jq -n "$stages_filter" >"$BATS_FILE_TMPDIR/filter.json"
	cat >"$CONTAINERS_CONF" <<-EOT
		[containers]
		default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
		pids_limit = 0
		seccomp_profile = "$BATS_FILE_TMPDIR/filter.json"
	EOT
	stages_runtimes "$BATS_FILE_TMPDIR/bin"
	stages_root "$BATS_FILE_TMPDIR/root"
	tar -C "$BATS_FILE_TMPDIR/root" -c . | podman import -q - "$image" >/dev/null
	daemon_start "$BATS_FILE_TMPDIR/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
	# these grow while the others run
	held_start grown "$O/tools/calls" stdin 520 fork 521
	held_start settled "$O/tools/calls" stdin 520 fork 521
	# shellcheck disable=SC2016
	cgroup_make self
	held_start self sh -c 'cat; echo $$ >"$1/cgroup.procs"; exec "$2" 520 fork 521' sh \
		"$(cgroup_dir self)" "$O/tools/calls"
	cgroup_make settled
	cgroup_take settled "$(held_pid settled)"
}

teardown_file() {
	daemon_pid=$(<"$BATS_FILE_TMPDIR/daemon/pid")
	daemon_stop || true
	held_sweep
	cgroups_sweep
	podman rmi -f "$image" >/dev/null 2>&1 || true
}

setup() {
	daemon_dir=$BATS_FILE_TMPDIR/daemon
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
}

teardown() {
	containers_sweep
	podman pod rm -f -t 0 -i "$sensor_prefix-pod" >/dev/null 2>&1 || true
	pod_sweep "$sensor_prefix"
	pod_cgroups_restore
}

# want_served NAME TOKEN...: of a container that never came to its exit.
want_served() {
	want workload "$@"
	unwant workload "$1" 231
}

# --- sessions ---------------------------------------------------------------------------------

# sessions RUNTIME NAME PROGRAM CHANGES: all the ways in.
sessions() {
	local runtime=$1 name=$2 program=$3 i jobs=()
	stages_bundle "$name" "$4 | $stages_hooks" 480 pace:600000 481
	container_start "$runtime" "$name"
	container_exec "$runtime" "$name" -- "$program" 500 fork 501 exec 502
	for i in 503 504 505; do
		container_exec "$runtime" "$name" -- "$program" "$i" fork 506 &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	script -qec "$stages_bin/$runtime exec -t $(container_id "$name") $program 507" /dev/null </dev/null 3>&-
	"$O/tools/into" "$(container_cgroup "$runtime" "$name")" "$(container_pid "$runtime" "$name")" \
		"$program" 508 fork 509 exec 510
	container_end "$runtime" "$name"
	want_served "$name" 480 pace:1 481
	want session "$name" 500-505 fork 506-510 exec
	ended "$name"
	hooks_apart "$name"
	makes "$name" setup setns
	makes "$name" gate execve
	makes_none "$name" setup \#5{00..10}
	makes_none "$name" gate \#5{00..10}
	[[ $(shown "$name" .starts) == 1 ]]
}

@test "sessions: with a tty, many at once, born in the cgroup: setns is not theirs" {
	local runtime
	for runtime in $stages_list; do
		sessions "$runtime" "$runtime" /calls .
	done
	all_as_wanted
}

@test "sessions: in the pid namespace of the host, in its mounts" {
	sessions runc hostpid /calls "$(only_namespaces network ipc uts mount)"
	sessions runc nomount "$O/tools/calls" "$(only_namespaces pid network ipc uts)"
	all_as_wanted
}

@test "podman exec: what is brought in is the session's" {
	local name=$sensor_prefix-exec
	pod_run "$name" "$image" /calls 480 pace:600000 481
	pod exec "$name" /calls 500 fork 501 exec 502
	script -qec "podman ${pod_options[*]} exec -t $name /calls 503" /dev/null </dev/null 3>&-
	pod_remove "$name"
	want_served "podman/$name" 480 pace:1 481
	want session "podman/$name" 500-503 fork exec
	ended "podman/$name"
	makes "podman/$name" setup mount
	all_as_wanted
}

# Its first container makes the pid namespace, the others join it.
@test "a pod that shares its pid namespace: every container's own start and sessions" {
	local pod=$sensor_prefix-pod name
	pod pod create --name "$pod" --network host --share pid,uts --infra-image "$image" \
		--infra-command '/calls pace:600000 481' --infra-name "$sensor_prefix-infra" >/dev/null
	pod run -d --pod "$pod" --name "$sensor_prefix-a" "$image" /calls 482 pace:600000 483 >/dev/null
	pod run -d --pod "$pod" --name "$sensor_prefix-b" "$image" /calls 484 pace:600000 485 >/dev/null
	pod exec "$sensor_prefix-a" /calls 500 fork 501
	pod exec "$sensor_prefix-b" /calls 502 fork 503
	pod exec "$sensor_prefix-infra" /calls 504 fork 505
	[[ $(pod exec "$sensor_prefix-b" /calls 506 && pod inspect -f '{{.HostConfig.PidMode}}' "$sensor_prefix-b") == container:* ]]
	pod pod rm -f -t 0 "$pod" >/dev/null
	want_served "podman/$sensor_prefix-infra" pace:1 481
	want_served "podman/$sensor_prefix-a" 482 pace:1 483
	want_served "podman/$sensor_prefix-b" 484 pace:1 485
	want session "podman/$sensor_prefix-a" 500 fork 501
	want session "podman/$sensor_prefix-b" 502 fork 503 506
	want session "podman/$sensor_prefix-infra" 504 fork 505
	for name in infra a b; do
		ended "podman/$sensor_prefix-$name"
		[[ $(shown "podman/$sensor_prefix-$name" .starts) == 1 ]]
	done
	all_as_wanted
}

# --- inside of a container --------------------------------------------------------------------

# The host's programs, and what making containers and cgroups takes.
inner_tree() {
	local name
	mkdir -p big/{proc,sys,dev,tmp,usr,etc,run,inner,tools}
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "big/$name"
	done
}

# shellcheck disable=SC2016 # jq's, and a shell's inside
@test "a container in a container: all that its runtime, its hooks and it call are the outer's workload" {
	local caps
	inner_tree
	stages_bundle inner "$stages_hooks" 530 fork 531
	cp -r "$BATS_FILE_TMPDIR/root" inner/root
	jq --arg out "$O/tools/calls" --arg cgroup "/$(container_id outer)/inner" \
		'.root.path = "/inner/root" | .linux.cgroupsPath = $cgroup | walk(if . == $out then "/tools/calls" else . end)' \
		inner/config.json >spec && mv spec inner/config.json
	caps=$(printf '"CAP_%s",' SYS_ADMIN DAC_OVERRIDE CHOWN FOWNER FSETID KILL SETUID SETGID SETPCAP \
		MKNOD NET_ADMIN NET_BIND_SERVICE SYS_CHROOT SYS_PTRACE AUDIT_WRITE)
	stages_bundle outer '.root.path = "'"$PWD"'/big" | .process.args = ["/bin/sh", "-c"] + $ARGS.positional |
		.process.noNewPrivileges = false | .linux.maskedPaths = [] | .linux.readonlyPaths = [] |
		.process.capabilities |= map_values(['"${caps%,}"']) |
		.linux.namespaces |= map(select(.type != "cgroup")) |
		.mounts |= map(select(.destination != "/sys/fs/cgroup")) + [
			{ destination: "/usr", source: "/usr", options: ["ro"] },
			{ destination: "/tools", source: "'"$O"'/tools", options: ["ro"] },
			{ destination: "/inner", source: "'"$PWD"'/inner" },
			{ destination: "/sys/fs/cgroup", source: "/sys/fs/cgroup" }
		| .type = "bind" | .options += ["rbind"]]' 'exec runc run --bundle /inner inner </dev/null'
	container_run runc outer
	ended outer
	makes outer workload mount pivot_root seccomp unshare '#530' '#531' \#49{0..7}
	makes outer setup mount pivot_root
	makes_none outer setup '#530' '#531' \#49{0..7}
	makes_none outer gate '#530' '#531' \#49{0..7}
	[[ ! -s $(got outer session) && $(shown outer .starts) == 1 ]]
	[[ $(tamis list --json | jq '[.workloads[] | select(.key | contains("inner"))] | length') == 0 ]]
}

# As systemd and container engines do it, inside: fork, move the child, let it exec.
# shellcheck disable=SC2016
@test "a container that moves its own children between its cgroups: they are its workload" {
	inner_tree
	stages_bundle mover '.root.path = "'"$PWD"'/big" | .process.args = ["/bin/sh", "-ec"] + $ARGS.positional |
		.linux.namespaces |= map(select(.type != "cgroup")) |
		.mounts |= map(select(.destination != "/sys/fs/cgroup")) + [
			{ destination: "/usr", source: "/usr", options: ["ro"] },
			{ destination: "/tools", source: "'"$O"'/tools", options: ["ro"] },
			{ destination: "/sys/fs/cgroup", source: "'"$(cgroup2_mount)"'" }
		| .type = "bind" | .options += ["rbind"]]' '
		top=/sys/fs/cgroup/$1
		mkdir $top/a $top/b
		/tools/launch $top/a /tools/calls 530 fork 531
		mkfifo /tmp/wait
		/tools/calls stdin 532 fork 533 </tmp/wait &
		exec 7>/tmp/wait
		echo $! >$top/b/cgroup.procs
		echo 0 >$top/a/cgroup.procs
		exec 7>&-
		wait
		exec /tools/calls 534' sh "$(container_id mover)"
	container_run runc mover
	ended mover
	makes mover workload '#530' '#531' '#532' '#533' '#534'
	makes_none mover setup '#530' '#531' '#532' '#533' '#534'
	[[ ! -s $(got mover session) && $(shown mover .starts) == 1 ]]
}

# It isn't the container's own, and no filter of the container's binds it.
@test "a process of the host, moved into a container's cgroup, makes no calls of its workload" {
	stages_bundle host . 480 pace:600000 481
	container_start runc host
	held_start host "$O/tools/calls" stdin 520 fork 521 exec 522
	held_pid host >"$(container_cgroup runc host)/cgroup.procs"
	held_release host
	wait_for 10 gone "$(held_pid host)"
	container_end runc host
	want_served host 480 pace:1 481
	ended host
	makes host setup '#520' '#521' '#522'
	[[ ! -s $(got host session) && $(shown host .starts) == 1 ]]
	all_as_wanted
}

# --- a daemon that comes late -----------------------------------------------------------------

@test "a daemon that starts during a container's start: that life is partial" {
	stages_bundle late . 480
	"$stages_bin/runc" create --bundle late "$(container_id late)" </dev/null >late.out 2>&1 3>&-
	echo runc late >>"$BATS_FILE_TMPDIR/started"
	daemon_start "$BATS_TEST_TMPDIR/late-daemon" --interval 0.2
	"$stages_bin/runc" start "$(container_id late)"
	wait_for 10 is_status runc late stopped
	"$stages_bin/runc" delete "$(container_id late)"
	ended late
	[[ $(shown late '.partial, .starts' | paste -s -d ' ') == 'true 0' ]]
	makes late workload '#480'
	daemon_stop
}

# --- what runs and is moved -------------------------------------------------------------------

@test "a program that is moved into a watched cgroup: workload, once it can't be a start" {
	local name
	cgroup_make young
	cgroup_make grown
	# just begun: it may be about to exec
	held_start young "$O/tools/calls" stdin 520 fork 521
	cgroup_take young "$(held_pid young)"
	held_release young
	for name in grown settled self; do
		wait_for 60 held_is_grown "$name"
	done
	cgroup_take grown "$(held_pid grown)"
	for name in grown settled self; do
		held_release "$name"
	done
	for name in young grown settled self; do
		cgroup_remove "$name"
		ended "cgroup/$sensor_prefix-$name"
	done
	want setup "cgroup/$sensor_prefix-young" 520 fork 521
	for name in grown settled self; do
		want workload "cgroup/$sensor_prefix-$name" 520 fork 521
	done
	# the read of its input is over before the move, or between the two
	all_as_wanted
	[[ ! -s $(got "cgroup/$sensor_prefix-young" workload) ]]
	[[ ! -s $(got "cgroup/$sensor_prefix-grown" setup) && ! -s $(got "cgroup/$sensor_prefix-settled" setup) ]]
	makes "cgroup/$sensor_prefix-self" setup execve
	[[ $(shown "cgroup/$sensor_prefix-self" '.starts, .partial' | paste -s -d ' ') == '1 false' ]]
	[[ $(shown "cgroup/$sensor_prefix-grown" .partial) == true ]]
}
