# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Programs in cgroups of their own, and what tamis learned of them against what they must have
# called. Needs base.bash and daemon.bash. Cgroups are /$sensor_prefix-NAME: the daemon has to
# watch "/$sensor_prefix-*", and the workload is "cgroup/$sensor_prefix-NAME".

sensor_prefix=${sensor_prefix-tamis-test-$$}
export sensor_prefix

sysset() {
	/usr/bin/python3 "$ROOT/tests/live/sysset.py" "$@"
}

cgroup_dir() {
	echo "$(cgroup2_mount)/$sensor_prefix-$1"
}

cgroup_make() {
	mkdir "$(cgroup_dir "$1")"
}

cgroup_empty() {
	[[ ! -s $1/cgroup.procs ]]
}

# Waits until its last task is gone.
cgroup_remove() {
	local dir
	dir=$(cgroup_dir "$1")
	wait_for 10 cgroup_empty "$dir"
	wait_for 5 rmdir "$dir"
}

# For teardown: ends what still runs in any of our cgroups, and removes them.
cgroups_sweep() {
	local dir pid
	for dir in "$(cgroup2_mount)/$sensor_prefix"-*; do
		[[ -d $dir ]] || continue
		while read -r pid; do
			kill -KILL "$pid" 2>/dev/null || true
		done < <(cat "$dir/cgroup.procs" 2>/dev/null)
		wait_for 5 cgroup_empty "$dir" || true
		find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
}

# in_cgroup NAME PROGRAM [ARG...]: as a start does it: join, exec.
in_cgroup() {
	"$O/tools/launch" "$(cgroup_dir "$1")" "${@:2}"
}

workload_key() {
	echo "cgroup/$sensor_prefix-$1"
}

workload_is_gone() {
	tamis show "$(workload_key "$1")" --json | json_is '.state == "gone"'
}

# Until the daemon has stored the last read of a cgroup that was removed.
workload_settle() {
	wait_for 10 workload_is_gone "$1"
}

# seen KEY STAGE: what it called there, guarded calls too, which no policy has until they are allowed.
# shellcheck disable=SC2016 # jq's
seen() {
	tamis show "$1" --json >"$BATS_TEST_TMPDIR/shown" || return
	jq -r --arg stage "$2" '.calls[] | select(.stage == $stage) | .abi + " " + .name' \
		"$BATS_TEST_TMPDIR/shown"
}

# learned NAME FILE [STAGE]: what tamis says, as names. Nothing learned is an empty file.
learned() {
	seen "$(workload_key "$1")" "${3-workload}" >"$2"
}

# must_equal NAME WANTED [STAGE]: a file of "ABI NUMBER" lines against what was learned.
must_equal() {
	local dir
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/equal.XXXXXX")
	learned "$1" "$dir/names" "${3-workload}" || return 1
	sysset names "$dir/names" >"$dir/got" || return 1
	[[ -s $2 ]] || { echo "$1: nothing wanted: that proves nothing"; return 1; }
	sysset diff "$2" "$dir/got" || { echo "^ $1: differs"; return 1; }
}
