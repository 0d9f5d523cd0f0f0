#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Programs run under the policies learned from them, without one refusal as an outside observer
# sees it; what is outside the policies is refused as they say.

load ../lib/base
load ../lib/pod
load ../lib/daemon
load ../lib/observer
load ../lib/workloads

setup_file() {
	export dir=$BATS_FILE_TMPDIR port
	export daemon_dir=$dir/daemon observer_log=$dir/denials site=$dir/site
	host_lock test-policies
	port=$(free_port)
	pod_sweep tamis-test-pol-
	pod_cgroups_note
	export pod_parents
	"$ROOT/tests/images/build" "${workloads[@]}"
	workloads_site "$site" "$port"
	gcc -O2 -static -D_GNU_SOURCE -o "$dir/probe" "$ROOT/tests/demo/probe.c"
	make_rootfs
	learn_all
	observer_start "$observer_log"
}

teardown_file() {
	daemon_stop || true
	observer_stop
	pod_sweep tamis-test-pol-
	pod_cgroups_restore
}

teardown() {
	runc_remove
	pod_remove tamis-test-pol-run
}

# --- learning -----------------------------------------------------------------------------
make_rootfs() {
	local name
	for name in "${workloads[@]}"; do
		mkdir -p "$dir/bundle-$name/rootfs"
		pod create --name tamis-test-pol-export "localhost/tamis-$name" >/dev/null
		pod export tamis-test-pol-export | tar -x -C "$dir/bundle-$name/rootfs"
		pod_remove tamis-test-pol-export
		mkdir -p "$dir/bundle-$name/rootfs/site"
		cp "$dir/probe" "$dir/bundle-$name/rootfs/probe"
	done
}

# Each program under its load, as root, under podman's default profile.
learn_all() {
	local name
	daemon_start "$daemon_dir"
	for name in "${workloads[@]}"; do
		podman_start "$name" "tamis-test-pol-$name"
		use "$name" pod "tamis-test-pol-$name"
		pod stop -t 10 "tamis-test-pol-$name" >/dev/null
	done
	daemon_stop
	for name in "${workloads[@]}"; do
		tamis export "tamis-test-pol-$name" -f oci -o "$dir/$name.json"
		pod_remove "tamis-test-pol-$name"
	done
}

# --- running ------------------------------------------------------------------------------
# podman_start PROGRAM CONTAINER [podman's options]
podman_start() {
	local program=$1 container=$2 command
	shift 2
	workload_command "$program" "$port"
	pod_run "$container" --stop-signal "$(workload_stop_signal "$program")" -v "$site:/site:ro" -v "$dir/probe:/probe:ro" "$@" \
		"localhost/tamis-$program" "${command[@]}"
	wait_for 10 workload_up "$program" "$port"
}

# runc_start PROGRAM UID NO_NEW_PRIVS: as podman would, without podman.
runc_start() {
	local program=$1 bundle=$dir/bundle-$1 command args
	workload_command "$program" "$port"
	rm -f "$bundle/config.json"
	(cd "$bundle" && runc spec)
	args=$(printf '%s\n' "${command[@]}" | jq -R . | jq -s .)
	jq --argjson args "$args" --argjson uid "$2" --argjson nnp "$3" --arg site "$site" --slurpfile policy "$dir/$program.json" '
		.process.terminal = false | .process.args = $args |
		.process.user = { uid: $uid, gid: $uid } | .process.noNewPrivileges = $nnp |
		.process.capabilities = (["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_KILL"] as $caps |
			{ bounding: $caps, permitted: $caps, effective: $caps }) |
		del(.process.rlimits, .linux.resources) | .root.readonly = false |
		.linux.namespaces |= map(select(.type != "network" and .type != "cgroup")) |
		.linux.cgroupsPath = "/tamis-test-pol-runc" | .linux.seccomp = $policy[0] |
		.mounts |= map(select(.type != "cgroup" and .type != "sysfs")) |
		.mounts += [{ destination: "/site", type: "bind", source: $site, options: ["rbind", "ro"] }]' \
		"$bundle/config.json" >"$bundle/config.new" || return 1
	mv "$bundle/config.new" "$bundle/config.json"
	runc run -d --bundle "$bundle" tamis-test-pol-runc </dev/null >"$dir/runc.log" 2>&1 3>&- 8>&- || { cat "$dir/runc.log"; return 1; }
	wait_for 10 workload_up "$program" "$port" || { cat "$dir/runc.log"; return 1; }
}

runc_remove() {
	runc delete -f tamis-test-pol-runc 2>/dev/null || true
}

engine_exec() {
	local engine=$1 container=$2
	shift 2
	case $engine in
	pod) pod exec "$container" "$@" ;;
	runc) runc exec "$container" "$@" ;;
	esac
}

engine_pid() {
	case $1 in
	pod) pod_pid "$2" ;;
	runc) runc state "$2" | jq -e '.pid | select(. > 1)' ;;
	esac
}

# container_cgroup ENGINE CONTAINER: path below the mount; fails when it isn't a container's own.
container_cgroup() {
	local pid
	pid=$(engine_pid "$1" "$2") || return 1
	cgroup_below "$pid" '.*/libpod-[0-9a-f]{64}(\.scope)?(/container)?|/tamis-test-pol-[a-z0-9-]+'
}

cgroup_id() {
	local path
	path=$(container_cgroup "$1" "$2") || return 1
	stat -c %i "$(cgroup2_mount)$path"
}

# use PROGRAM ENGINE CONTAINER: load, a session in the container, stops and continuations of every
# process while they wait.
use() {
	local program=$1 engine=$2 container=$3 path load session_job
	path=$(container_cgroup "$engine" "$container") || return 1
	workload_load "$program" "$port" 3>&- &
	load=$!
	engine_exec "$engine" "$container" sh -c "$session" >"$dir/session" 3>&- &
	session_job=$!
	sleep 0.3
	stop_and_continue "$path" || return 1
	wait "$load" || return 1
	wait "$session_job" || return 1
	grep -q done "$dir/session" || return 1
	stop_and_continue "$path" || return 1
	workload_up "$program" "$port"
}

# Every process that is in this very cgroup, one by one.
stop_and_continue() {
	local path=$1 pid stopped=()
	[[ $path == /?* ]] || return 1
	while read -r pid; do
		[[ $(cgroup_below "$pid" '/.*') == "$path" ]] || continue
		kill -STOP "$pid" && stopped+=("$pid")
	done <"$(cgroup2_mount)$path/cgroup.procs"
	((${#stopped[@]})) || return 1
	sleep 0.1
	kill -CONT "${stopped[@]}" 2>/dev/null || true
}

# --- what the observer saw -----------------------------------------------------------------
# Refusals in a cgroup that the policy did not announce: clone3 is answered ENOSYS by design, so
# that libc falls back to clone, whose arguments a filter can see.
unannounced() {
	awk -v cgroup="$1" '$2 == cgroup && !($1 == "denied" && $(NF - 1) == 435 && $NF == -38)' \
		"$observer_log"
}

# used_without_refusal PROGRAM ENGINE CONTAINER
used_without_refusal() {
	local id
	id=$(cgroup_id "$2" "$3")
	use "$1" "$2" "$3" || { echo "$1 does not run its load under its policy"; return 1; }
	engine_exec "$2" "$3" /probe ptrace >/dev/null
	case $2 in
	pod) pod stop -t 10 "$3" >/dev/null ;;
	runc) runc kill "$3" "$(workload_stop_signal "$1")" && wait_for 10 runc_stopped "$3" ;;
	esac
	observer_flush
	# What the probe did there proves that the observer would have seen the rest.
	unannounced "$id" | grep -q ' probe ' || { echo "the observer does not see $3"; return 1; }
	unannounced "$id" | awk '$(NF - 2) != "probe"' >"$dir/refusals"
	[[ ! -s $dir/refusals ]] || { sort "$dir/refusals" | uniq -c; return 1; }
}

runc_stopped() {
	[[ $(runc state "$1" | jq -r .status) == stopped ]]
}

under_podman() {
	local program=$1 uid nnp
	for uid in 0 1000; do
		for nnp in false true; do
			echo "# podman, uid $uid, no_new_privs $nnp"
			podman_start "$program" tamis-test-pol-run --user "$uid:$uid" \
				--security-opt "seccomp=$dir/$program.json" --security-opt "no-new-privileges=$nnp"
			used_without_refusal "$program" pod tamis-test-pol-run
			pod_remove tamis-test-pol-run
		done
	done
}

under_runc() {
	local program=$1 uid nnp
	for uid in 0 1000; do
		for nnp in false true; do
			echo "# runc, uid $uid, no_new_privs $nnp"
			runc_start "$program" "$uid" "$nnp"
			used_without_refusal "$program" runc tamis-test-pol-runc
			runc_remove
		done
	done
}

# The errno with which a policy answers a call that it doesn't allow, or not with such arguments.
policy_errno() {
	jq -r --arg call "$2" '[.syscalls[] | select(.action == "SCMP_ACT_ERRNO" and
		(.names | index($call)))] as $rules |
		if $rules | length > 0 then $rules[0].errnoRet // 1 else .defaultErrnoRet end' "$1"
}

policy_allows() {
	jq -e --arg call "$2" '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW" and
		(.names | index($call)))] | length > 0' "$1" >/dev/null
}

errno_name() {
	case $1 in
	1) echo EPERM ;;
	38) echo ENOSYS ;;
	*) echo "errno $1" ;;
	esac
}

# Every probed call that succeeds in the default container: refused here, as the policy says.
refused_outside() {
	local program=$1 policy=$dir/$1.json what result call seen=0
	local -A before
	podman_start "$program" tamis-test-pol-run
	while read -r what result; do
		before[$what]=$result
	done < <(pod exec tamis-test-pol-run /probe)
	pod_remove tamis-test-pol-run
	podman_start "$program" tamis-test-pol-run --security-opt "seccomp=$policy"
	while read -r what result; do
		call=${what%%(*}
		[[ ${before[$what]} == ok ]] || continue
		echo "# $what: $result"
		if [[ $what == "$call" ]] && policy_allows "$policy" "$call"; then
			[[ $result == ok ]]
			continue
		fi
		[[ $result == "$(errno_name "$(policy_errno "$policy" "$call")")" ]]
		((++seen))
	done < <(pod exec tamis-test-pol-run /probe)
	((seen >= 6))
}

# --- tests --------------------------------------------------------------------------------
@test "the observer sees a refusal in a container, and only there" {
	local id
	podman_start redis tamis-test-pol-run --security-opt "seccomp=$dir/redis.json"
	id=$(cgroup_id pod tamis-test-pol-run)
	observer_flush
	[[ -z $(unannounced "$id") ]]
	pod exec tamis-test-pol-run /probe ptrace keyctl
	observer_flush
	unannounced "$id"
	# ptrace is 101, keyctl 250 on x86_64
	unannounced "$id" | grep -qE ' probe 250 -(38|1)$'
	unannounced "$id" | grep -qE ' probe 101 -(38|1)$'
}

@test "redis runs under its own policy with podman" {
	under_podman redis
}

@test "redis runs under its own policy with runc" {
	under_runc redis
}

@test "redis: what is outside its policy is refused as it says" {
	refused_outside redis
}

@test "nginx runs under its own policy with podman" {
	under_podman nginx
}

@test "nginx runs under its own policy with runc" {
	under_runc nginx
}

@test "nginx: what is outside its policy is refused as it says" {
	refused_outside nginx
}

@test "python3 runs under its own policy with podman" {
	under_podman python3
}

@test "python3 runs under its own policy with runc" {
	under_runc python3
}

@test "python3: what is outside its policy is refused as it says" {
	refused_outside python3
}

# http.server starts a thread for each request, so clone is in its policy.
@test "a threaded program's policy lets it make threads, not user namespaces, and no clone3" {
	local uid
	for uid in 0 1000; do
		podman_start python3 tamis-test-pol-run --user "$uid:$uid"
		[[ $(pod exec tamis-test-pol-run /probe 'clone(NEWUSER)') == *' ok' ]]
		pod_remove tamis-test-pol-run
		podman_start python3 tamis-test-pol-run --user "$uid:$uid" --security-opt "seccomp=$dir/python3.json"
		workload_load python3 "$port"
		run pod exec tamis-test-pol-run /probe clone 'clone(NEWUSER)' 'clone3(NEWUSER)'
		echo "$output"
		[[ ${lines[0]} == 'clone(NEWUSER) E'* ]]
		[[ ${lines[1]} == 'clone3(NEWUSER) ENOSYS' ]]
		[[ ${lines[2]} == 'clone ok' ]]
		pod_remove tamis-test-pol-run
	done
}
