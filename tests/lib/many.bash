# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Thousands of cgroups, each a workload of its own with a process that lives. Needs base.bash,
# daemon.bash.
# shellcheck disable=SC2154 # what that one sets

many_top=$(cgroup2_mount)/tamis-many-$$
many_cnt=0
many_pid=

# many_watch DIR [OPTION...]: a daemon that takes them for workloads.
many_watch() {
	mkdir -p "$many_top"
	daemon_start "$1" --watch "/${many_top##*/}/c*" "${@:2}"
}

# many_begin COUNT TOKEN...: in each a process of the tool `calls`, which has done what comes before the
# token `stdin` when this returns, or is about to.
many_begin() {
	local said
	many_cnt=$1
	coproc many { exec "$O/tools/visit" -m -l "$many_cnt" "$many_top/c" "$O/tools/calls" "${@:2}"; }
	# shellcheck disable=SC2154 # coproc's
	many_pid=$many_PID
	read -r -u "${many[0]}" said && [[ $said == ready ]]
}

# many_go_on: with what comes after `stdin`.
many_go_on() {
	local said
	echo >&"${many[1]}"
	read -r -u "${many[0]}" said && [[ $said == 'gone on' ]]
}

# many_end: no process, no cgroup is left.
many_end() {
	local pid=$many_pid to
	many_pid=
	if [[ $pid ]]; then
		to=${many[1]-}
		[[ -z $to ]] || exec {to}>&-
		wait "$pid" || true
	fi
	[[ ! -d $many_top ]] || {
		"$O/tools/visit" -r "$many_cnt" "$many_top/c" || true
		rmdir "$many_top" || true
	}
	many_cnt=0
}

# many_known: workloads in the store.
many_known() {
	"$TAMIS" list --state "$daemon_dir/state" --json | jq '.workloads | length'
}

# many_settled [SECONDS]: the daemon (--verbose) knows them all, and has drained what is known of them:
# nothing much for three seconds. Others run on this machine, too.
many_settled() {
	local end=$((SECONDS + ${1-180})) before="" now=""
	until [[ $before && $before == "$now" ]] && (($(many_known) >= many_cnt)); do
		((SECONDS <= end)) || return 1
		before=$now
		sleep 3
		now=$(grep -cE ': drained: [0-9]{3,}' "$daemon_dir/log")
	done
}

# daemon_worked: nanoseconds of processors, all of its threads.
daemon_worked() {
	cat "/proc/$daemon_pid"/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f\n", n }'
}
