#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How complete a workload is: what the daemon estimates is in list, what show says is of the same units,
# and which of them was the only one to make a call. Hours would take hours: the sampling units that a
# daemon made are set apart by one each in its store, and the next daemon finds them so.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

setup() {
	sensor_prefix=tamis-coverage-$$-$BATS_TEST_NUMBER
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	daemon_stop || true
	cgroups_sweep
}

observe() {
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2 --unit 1 --watch "/$sensor_prefix-*"
}

units() {
	tamis show "$(workload_key app)" --json | jq '.units'
}

has_units() {
	[[ $(units) -ge $1 ]]
}

newest_unit() {
	/usr/bin/python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT max(id) FROM unit").fetchone()[0])' "$BATS_TEST_TMPDIR/daemon/state/tamis.db"
}

is_older() {
	[[ $(newest_unit) -gt $1 ]]
}

# A life that makes those calls, in a sampling unit of its own.
live() {
	local had=$1
	shift
	cgroup_make app
	in_cgroup app "$O/tools/calls" "$@"
	cgroup_remove app
	wait_for 20 has_units $((had + 1))
	wait_for 20 is_older "$(newest_unit)"
}

set_apart() {
	/usr/bin/python3 - "$BATS_TEST_TMPDIR/daemon/state/tamis.db" <<-'EOF'
		import sqlite3, sys, time
		with sqlite3.connect(sys.argv[1]) as store:
		    store.execute("UPDATE unit SET began = ? - 3600 * ((SELECT max(id) FROM unit) - id)",
		                  (int(time.time()),))
	EOF
}

ours() {
	tamis list --json | jq --arg key "$(workload_key app)" '.workloads[] | select(.key == $key)'
}

is_estimated() {
	ours | json_is ".coverage.units $1"
}

@test "lives of a workload, hour by hour" {
	observe
	live 0 480 482
	live 1 480 482
	live 2 480 482 490
	daemon_stop
	set_apart

	# Three hours are too few for any number.
	observe
	wait_for 30 is_estimated '== 3'
	ours | json_is '.coverage | .coverage == null and .low == null and .at > 0'
	tamis list | grep -F "$sensor_prefix-app" | grep -qE ' (-) +[0-9]+/[0-9]+ '
	tamis show "$(workload_key app)" | grep -q '^coverage:  not known: 3 of the 5 units'

	live 3 480 482
	live 4 480 482
	live 5 480 482
	daemon_stop
	set_apart
	tamis show "$(workload_key app)" --json >shown
	json_is '.estimate | .known and .of == "hours" and .units >= 5 and .once == 1' <shown
	json_is '.estimate | .low >= .seen and .coverage_low < .coverage and .coverage_high < 1' <shown
	tamis show "$(workload_key app)" | grep -qE '^coverage:  [0-9]+\.[0-9] % \(.* from [0-9]+ hours; '
	! tamis show "$(workload_key app)" | grep '^coverage' | grep -qF '100.0 %' || false

	tamis show "$(workload_key app)" --by unit >by
	grep -E '^x86_64 +#490 +1/[0-9]+ +only ' by
	! grep -E '#480 .* only ' by || false
	tamis show "$(workload_key app)" --by unit --json |
		json_is '[.groups[0].calls[] | select(.only) | .nr] == [490] and .groups[0].of == "epochs"'
}

# The daemon goes on with what an earlier one observed, without being asked.
@test "what the daemon estimated is in the list" {
	local i
	observe
	for i in 0 1 2 3 4 5; do live "$i" 480 482; done
	daemon_stop
	set_apart
	observe
	wait_for 30 is_estimated '>= 5'
	ours | json_is '.coverage | .low <= .coverage and .coverage <= .high and .high < 1'
	ours | json_is '.coverage.next_hour >= 0'
	tamis list | grep -F "$sensor_prefix-app" | grep -qE ' [0-9]+\.[0-9]% '
}
