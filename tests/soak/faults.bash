# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what tests/soak/run and the libraries set
# What goes wrong in a soak. The daemon has somebody who starts it again, as a service manager does, and a
# log for each of its lives.

fault_jobs=()

# --- the daemon ------------------------------------------------------------------------------

daemon_begin() {
	mkdir "$dir/logs"
	echo 0 >"$dir/life"
	: >"$dir/ends"
	: >"$dir/conf"
	: >"$dir/asleep"
}

stamped() {
	while IFS= read -r line; do
		printf '%(%s)T %s\n' -1 "$line"
	done
}

# Lives, one after the other, until there is a file "daemon.stop".
daemon_lives() {
	local life=0 pid rc
	until [[ -e $dir/daemon.stop ]]; do
		((++life))
		"$TAMIS" daemon --config "$dir/conf" --state "$dir/state" --bpffs "$dir/bpf/tamis" \
			--interval 0.5 --unit 5 --watch "/$prefix-w*" </dev/null > >(stamped >"$dir/logs/$life") 2>&1 &
		pid=$!
		echo "$pid" >"$dir/pid.new" && mv "$dir/pid.new" "$dir/pid"
		echo "$life" >"$dir/life"
		rc=0
		wait "$pid" || rc=$?
		rm -f "$dir/pid"
		echo "$life $rc $([[ ! -e $dir/state/fill ]] || echo full)" >>"$dir/ends"
		((rc == 137)) || sleep 1
	done
}

daemon_ready() {
	grep -q 'ready: ' "$dir/logs/$(<"$dir/life")"
}

# For probation.bash, whose daemon this is.
daemon_again() {
	daemon_lives >"$dir/jobs/daemon" 2>&1 </dev/null &
	lives_pid=$!
	wait_for 60 daemon_ready || { cat "$dir"/logs/*; return 1; }
}

daemon_end() {
	local pid
	[[ -n ${lives_pid-} ]] || return 0
	touch "$dir/daemon.stop"
	pid=$(cat "$dir/pid" 2>/dev/null) && [[ -n $pid ]] && kill -CONT "$pid" 2>/dev/null &&
		kill -TERM "$pid" 2>/dev/null
	wait_for 60 gone "$lives_pid" || { [[ -n $pid ]] && kill -KILL "$pid"; }
	wait "$lives_pid" 2>/dev/null
	lives_pid=
}

# with_daemon COMMAND... PID: nobody else does anything to it meanwhile.
with_daemon() {
	local pid
	{
		flock 9
		pid=$(cat "$dir/pid" 2>/dev/null) && [[ -n $pid ]] && "$@" "$pid"
	} 9>"$dir/lock"
}

# --- faults ----------------------------------------------------------------------------------

# What happened when.
stamp() {
	printf '%(%s)T %s\n' -1 "$1"
}

calm() {
	[[ -e $dir/calm ]]
}

pause() {
	local until=$((SECONDS + $1 + RANDOM % ($2 - $1 + 1)))
	while ((SECONDS < until)) && ! calm; do
		sleep 0.3
	done
}

# Each life is long enough to see it grow.
killer() {
	while :; do
		pause 2 $((time / 10 + 8))
		calm && return
		if ((RANDOM % 3)); then
			with_daemon kill -KILL && stamp daemon
		else
			keeper_kill && stamp keeper
		fi
	done
}

filler() {
	while :; do
		pause 5 $((time / 12 + 20))
		calm && return
		dd if=/dev/zero of="$dir/state/fill" bs=4k status=none 2>/dev/null
		stamp filled
		pause 2 15
		rm -f "$dir/state/fill"
		stamp freed
	done
}

churner() {
	until calm; do
		"$O/tools/churn" -n 1000 -s 20 -m 200 -t 4 "$O/tools/calls" "$cgroups/$prefix-w" "$cgroups/$prefix-x" \
			"$cgroups/$prefix-wx" || { echo failed; return 1; }
	done
}

# More events than the ring has room for, while nobody takes them out. Cut short on a slow machine: who is
# stopped for minutes has an excuse for everything.
flood() {
	kill -STOP "$1" || return
	stamp flooding
	timeout 10 "$O/tools/churn" -n 15000 -m 200 "$O/tools/calls" "$cgroups/$prefix-y" "$cgroups/$prefix-wy"
	timeout 5 "$O/tools/churn" -n 600 -m 100 -t 2 "$O/tools/calls" "$cgroups/$prefix-wz"
	kill -CONT "$1"
	rmdir "$cgroups/$prefix"-{y,wy,wz}* 2>/dev/null
	stamp flooded
}

flooder() {
	while :; do
		pause 10 $((time / 8 + 30))
		calm && return
		with_daemon flood
	done
}

faults_start() {
	local n
	cgroups=$(cgroup2_mount)
	for n in killer filler churner flooder; do
		job "$n" "$n"
		fault_jobs+=("${jobs[-1]}")
		unset 'jobs[-1]'
	done
}

faults_stop() {
	local pid
	touch "$dir/calm"
	for pid in "${fault_jobs[@]}"; do
		wait "$pid"
	done
	fault_jobs=()
	rm -f "$dir/state/fill"
}

cgroups_end() {
	local pid
	touch "$dir/calm"
	for pid in "${fault_jobs[@]}"; do
		wait_for 60 gone "$pid" || kill -KILL "$pid"
	done
	find "${cgroups:-$(cgroup2_mount)}" -maxdepth 1 -type d -name "$prefix-*" -exec rmdir {} +
}

# Once a second: the daemon's memory and time, as "SECOND LIFE KIB TICKS".
sample() {
	local pid rss
	pid=$(cat "$dir/pid" 2>/dev/null) && [[ -n $pid ]] || return 0
	rss=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$pid/status" 2>/dev/null)
	[[ -z $rss ]] || echo "$((SECONDS - began)) $(<"$dir/life") $rss $(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null)" >>"$dir/rss"
}
