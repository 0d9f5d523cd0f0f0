#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Cgroups by the ten thousand: made and removed, there before the daemon, unheard of. Nothing is
# lost without being counted, and nothing is kept of the dead.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/growth.bash
load ../lib/sensor.bash

setup() {
	sensor_prefix=tamis-churn-$$-$BATS_TEST_NUMBER
	cd "$BATS_TEST_TMPDIR" || return
	top=$(cgroup2_mount)
}

teardown() {
	[[ -z ${stopped_pid-} ]] || kill -CONT "$stopped_pid" 2>/dev/null || true
	daemon_stop || true
	cgroups_sweep
}

# ours FILTER: on our workloads' rows.
ours() {
	tamis list --json | jq --arg ours "$sensor_prefix" \
		"[.workloads[] | select(.key | contains(\$ours))] | $1"
}

# starts_of: all that were seen, and those that a counted loss may have hidden are told.
starts_of() {
	ours "map(select(.key | startswith(\"cgroup/$sensor_prefix-$1\")) | .starts) | add // 0"
}

loss_is_counted() {
	grep -E 'ring full|before anybody|map full|stages could not' "$daemon_dir/log"
}

# all_started PREFIX COUNT: or it is said that some are missing.
all_started() {
	local starts
	starts=$(starts_of "$1")
	((starts == $2)) || { ((starts < $2)) && loss_is_counted; }
}

@test "20,000 cgroups in a minute, with and without a process: all counted, nothing kept" {
	local unit=5 rss entries cpu programs
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.5 --unit "$unit" --watch "/$sensor_prefix-w*"
	"$O/tools/churn" -n 1000 -s 3 -m 200 -t 4 "$O/tools/calls" \
		"$top/$sensor_prefix-w" "$top/$sensor_prefix-x" "$top/$sensor_prefix-wx" >warm
	rest
	rss=$(rss_kib) entries=$(map_entries) cpu=$(cpu_ms)
	"$O/tools/churn" -n 20000 -s 60 -m 200 -t 4 "$O/tools/calls" \
		"$top/$sensor_prefix-w" "$top/$sensor_prefix-x" "$top/$sensor_prefix-wx" >churned
	cat churned
	programs=$(($(awk '{ n += /-wx? / ? $3 : 0 } END { print n }' warm churned)))
	wait_for 30 all_started w "$programs" || { echo "$(starts_of w) of $programs"; return 1; }
	rest
	say "$(starts_of w) of $programs starts seen; VmRSS $rss KiB, then $(rss_kib) KiB; map entries" \
		"$entries, then $(map_entries); $(($(cpu_ms) - cpu)) ms of CPU"
	no_larger "$rss" "$entries"
	# what nobody watches is nobody's, though programs ran in it
	[[ $(ours 'map(select(.key | contains("-x"))) | length') == 0 ]]
}

@test "a daemon that starts while cgroups come and go, and among 20,000 that are there" {
	local unit=3 began
	"$O/tools/churn" -k -n 20000 "$O/tools/calls" "$top/$sensor_prefix-x"
	"$O/tools/churn" -n 6000 -s 12 -m 200 -t 4 "$O/tools/calls" \
		"$top/$sensor_prefix-w" "$top/$sensor_prefix-y" >churned 3>&- &
	local churn=$!
	sleep 1
	began=$(date +%s%N)
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.5 --unit "$unit" --watch "/$sensor_prefix-w*"
	say "ready after $((($(date +%s%N) - began) / 1000000)) ms among 20,000 cgroups"
	wait "$churn"
	"$O/tools/churn" -n 100 -t 1 "$O/tools/calls" "$top/$sensor_prefix-wlate"
	wait_for 60 all_started wlate 100
	wait_for 60 none_runs
	"$O/tools/churn" -r -n 20000 "$O/tools/calls" "$top/$sensor_prefix-x"
	wait_for 60 entries_at_most 100 || { map_entries; return 1; }
	daemon_stop
}

none_runs() {
	[[ $(ours 'map(select(.state == "running")) | length') == 0 ]]
}

@test "a daemon that stands still for half a minute: what the ring had no room for is counted" {
	local unit=3 programs
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.5 --unit "$unit" --watch "/$sensor_prefix-w*"
	"$O/tools/churn" -n 500 -s 2 -m 200 -t 4 "$O/tools/calls" "$top/$sensor_prefix-w" >/dev/null
	rest
	stopped_pid=$daemon_pid
	kill -STOP "$daemon_pid"
	"$O/tools/churn" -n 12000 -s 30 -m 300 -t 8 "$O/tools/calls" \
		"$top/$sensor_prefix-w" "$top/$sensor_prefix-x" >churned
	"$O/tools/churn" -k -n 1 -t 1 "$O/tools/calls" "$top/$sensor_prefix-wstays"
	kill -CONT "$daemon_pid"
	stopped_pid=
	"$O/tools/churn" -r -n 1 "$O/tools/calls" "$top/$sensor_prefix-wstays"
	wait_for 60 loss_is_counted
	wait_for 60 none_runs
	programs=$((125 + 1 + $(awk '/-w / { print $3 }' churned)))
	say "$(starts_of w) of $programs starts were seen; $(loss_is_counted | tail -n 1)"
	all_started w "$programs"
	wait_for 60 entries_at_most 100 || { map_entries; return 1; }
	"$O/tools/churn" -n 100 -t 1 "$O/tools/calls" "$top/$sensor_prefix-wlate"
	wait_for 60 all_started wlate 100
	daemon_stop
}

@test "a cgroup has no new name: v2 refuses it, v1 is not looked at" {
	local dir=$top/$sensor_prefix-old v1
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
	mkdir "$dir"
	if mv -T "$dir" "$top/$sensor_prefix-new"; then return 1; fi
	while read -r v1; do
		mkdir "$v1/$sensor_prefix-old" 2>/dev/null || continue
		mv -T "$v1/$sensor_prefix-old" "$v1/$sensor_prefix-new"
		rmdir "$v1/$sensor_prefix-new"
	done < <(awk '$(NF - 2) == "cgroup" && $4 == "/" { print $5 }' /proc/self/mountinfo)
	in_cgroup old "$O/tools/calls" 480 481
	cgroup_remove old
	workload_settle old
	"$O/tools/calls" -n 480 481 >want
	must_equal old want
	[[ $(ours length) == 1 ]]
}
