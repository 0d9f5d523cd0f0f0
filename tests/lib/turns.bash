# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # dir, whose caller sets it
# tests/bench/turns over cgroups of our own, and what came of it. Needs base.bash, a directory `dir`.

# turns [OPTION...] CGROUP...: prints the table; `ratio KIND` after it.
turns() {
	"$O/bench/turns" "$@" >"$dir/turns" 2>"$dir/turns.log" || { cat "$dir/turns.log" >&2; return 1; }
	awk -f "$ROOT/tests/bench/turns.awk" "$dir/turns" >"$dir/turns.table" || return
	grep -vE '^(RATIO|OVER)' "$dir/turns.table"
	cat "$dir/turns.log"
}

# ratio KIND: of the empty program's cost.
ratio() {
	awk -v kind="$1" '$1 == "RATIO" && $2 == kind { print $3 }' "$dir/turns.table"
}

# Nanoseconds that watching denials adds.
denials_ns() {
	awk '$1 == "OVER" { print $3 }' "$dir/turns.table"
}

# cgroup_leave DIR: removes it once the tasks in it, which ended with turns, are gone.
cgroup_leave() {
	wait_for 20 cgroup_empty "$1" || true
	rmdir "$1" 2>/dev/null || true
}

cgroup_empty() {
	[[ ! -s $1/cgroup.procs ]]
}
