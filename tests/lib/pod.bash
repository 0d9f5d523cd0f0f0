# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Containers under podman, with what this host allows. Needs base.bash.

# Global options: runc, and podman's own cgroup handling where no systemd runs.
pod_options=(--runtime "${TAMIS_RUNTIME:-runc}")
[[ -d /run/systemd/system ]] || pod_options+=(--cgroup-manager cgroupfs)

# Options of run and create: loopback of the host; limits that this process may set.
pod_run_options=(--network host)

pod_detect() {
	local caps
	caps=0x$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)
	if ! ((caps >> 24 & 1)); then # no CAP_SYS_RESOURCE: podman's defaults can't be set
		pod_run_options+=(--ulimit nofile=4096:4096 --ulimit nproc=4096:4096)
	fi
	if ! grep -qw pids "$(cgroup2_mount)/cgroup.controllers"; then
		pod_run_options+=(--pids-limit=0)
	fi
}
pod_detect

pod() {
	podman "${pod_options[@]}" "$@" 8>&- # a lock of ours is not for conmon
}

# pod_run NAME [podman's run options] IMAGE [COMMAND...]: detached.
pod_run() {
	local name=$1
	shift
	pod run -d --name "$name" "${pod_run_options[@]}" "$@" >/dev/null
}

# pod_remove NAME...: whatever state they are in; not being there is fine.
pod_remove() {
	local name
	for name; do
		pod rm -f -t 0 -i "$name" >/dev/null 2>&1 || true
	done
}

# Removes this process' leftovers and those of runs that were killed: containers whose name
# begins with PREFIX.
pod_sweep() {
	local name
	while read -r name; do
		[[ -z $name ]] || pod_remove "$name"
	done < <(pod ps -a --filter "name=^$1" --format '{{.Names}}' 2>/dev/null)
}

# Of a container that runs; fails otherwise (podman says 0 for one that doesn't).
pod_pid() {
	local pid
	pid=$(pod inspect -f '{{.State.Pid}}' "$1") || return 1
	((pid > 1)) && echo "$pid"
}

# cgroup_below PID PATTERN: the cgroup v2 path of a process, if PATTERN (extended regular expression)
# matches it whole. Never the root: a test that signals a cgroup's processes must not mean the host's.
cgroup_below() {
	local path
	[[ $1 =~ ^[0-9]+$ ]] && (($1 > 1)) || return 1
	path=$(sed -n 's/^0:://p' "/proc/$1/cgroup") || return 1
	[[ $path == /?* && $path =~ ^($2)$ ]] && echo "$path"
}

# podman makes its parent cgroups in every hierarchy and leaves them: pod_cgroups_note before the
# first container, pod_cgroups_restore after the last one.
pod_cgroups_note() {
	pod_parents=$(pod_parent_list)
}

pod_parent_list() {
	find "$(cgroup2_mount)" /sys/fs/cgroup -maxdepth 2 -type d -name libpod_parent 2>/dev/null |
		sort -u
}

pod_cgroups_restore() {
	local parent
	while read -r parent; do
		[[ -z $parent ]] || find "$parent" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done < <(comm -13 <(echo "${pod_parents-}") <(pod_parent_list))
}
