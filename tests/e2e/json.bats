#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What --json prints has exactly the keys that the man page names.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

# One workload of which everything can be said: it has a container inside, another name, a process
# that left, and a gate call that no runtime makes.
setup_file() {
	export sensor_prefix=tamis-json-$$ daemon_dir=$BATS_FILE_TMPDIR/daemon
	local inner
	daemon_start "$daemon_dir" --interval 0.2 --watch "/$sensor_prefix-*"
	cgroup_make all
	cgroup_make other
	inner=$(cgroup_dir all)/docker-$(printf '%064d' 7).scope
	mkdir "$inner"
	# shellcheck disable=SC2016
	in_cgroup all /bin/sh -c 'echo 0 >"$1/cgroup.procs"; exec "$2" 400' sh "$inner" "$O/tools/calls"
	# shellcheck disable=SC2016
	in_cgroup all /bin/sh -c 'echo 0 >"$1/cgroup.procs"' sh "$(cgroup_dir other)"
	in_gate all
	rmdir "$inner"
	cgroup_remove all
	workload_settle all
	in_cgroup other /bin/true
	cgroup_remove other
	workload_settle other
	tamis merge "$(workload_key all)" "$(workload_key other)"
	tamis allow "$(workload_key all)" ptrace
	tamis deny "$(workload_key all)" bpf
	tamis deny "$(workload_key all)" getppid
	mined getppid
	tamis apply "$(workload_key all)" --force --mode shadow --config /dev/null
	daemon_stop
}

teardown_file() {
	cgroups_sweep
}

# Takes a person's denial for one of mining's.
mined() {
	local nr
	nr=$(everything | jq --arg name "$1" 'first(.denied[] | select(.name == $name).nr)')
	python3 - "$daemon_dir/state/tamis.db" "$nr" <<-'END'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1], timeout=30)
		cursor = db.execute("UPDATE verdict SET mined = 1, errno = 1 WHERE nr = ?", (sys.argv[2],))
		assert cursor.rowcount > 0
		db.commit()
	END
}

# A start with a filter of its own, and a call (swapoff) between it and the exec.
in_gate() {
	/usr/bin/python3 - "$(cgroup_dir "$1")" <<-'END'
		import ctypes, os, struct, sys
		libc = ctypes.CDLL(None, use_errno=True)
		procs = open(sys.argv[1] + "/cgroup.procs", "w")
		procs.write("0")
		procs.close()
		allow = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))
		program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(allow)))
		assert libc.prctl(38, 1, 0, 0, 0) == 0
		assert libc.prctl(22, 2, program, 0, 0) == 0
		libc.swapoff(0)
		os.execv("/bin/true", ["true"])
	END
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# documented SECTION...: the keys of those parts of JSON in the man page ("show_--by_unit").
documented() {
	awk -v sections=" $* " '
		/^\.Sh / { json = $2 == "JSON"; ours = 0; next }
		/^\.Ss / { sub(/^\.Ss /, ""); gsub(/ /, "_"); ours = json && index(sections, " " $0 " "); next }
		ours && /^\.It / { sub(/^\.It /, ""); n = split($0, key, / , /)
			for (i = 1; i <= n; i++) print key[i] }
	' "$ROOT/user/man/tamis.1" | sort
}

# printed [FILTER]: the keys of the JSON on standard input.
printed() {
	jq -r "${1-.}"' | [paths | select(.[-1] | type == "string") |
		map(if type == "string" then "." + . else "[]" end) | join("") | ltrimstr(".")] | unique[]' |
		sort
}

# same FILE SECTION...: both ways.
same() {
	[[ -s $1 ]]
	diff "$1" <(documented "${@:2}")
}

everything() {
	tamis show "$(workload_key all)" --json
}

@test "there is everything to say" {
	everything >all.json
	jq -e '.inside != [] and .aliases != [] and .spawns_elsewhere != null' all.json
	jq -e '[.gate_unknown[].name] | index("swapoff")' all.json
	jq -e '.pending != [] and .allowed != [] and .denied != [] and .refused != []' all.json
}

@test "list" {
	tamis list --json >list.json
	printed '{ version, workloads: (.workloads | map({ score, coverage, watched })) }' <list.json >keys
	same keys list
	printed '.workloads[] | del(.score, .coverage, .watched)' <list.json | sort -u >keys
	same keys WORKLOAD
}

@test "show" {
	everything | jq '.denied | map(.mined) | sort == [false, true]' | grep -qx true
	everything | printed '.coverage = null | .estimate.next_hour //= { expected, low, high } |
		.watched //= { since, share, slept }' >keys
	same keys WORKLOAD show
}

@test "show --by unit" {
	tamis show "$(workload_key all)" --by unit --json | printed >keys
	same keys show_--by_unit
}

@test "export" {
	local format
	for format in oci docker spo systemd label annotation text names bpf pfc; do
		tamis export "$(workload_key all)" --json -f "$format" >export.json 2>/dev/null
		printed 'del(.policy[]?) | .' <export.json >keys
		same keys export
		jq -e '.limits | map(test("left for other cgroups")) | any' export.json
		jq -e '.limits | map(test("swapoff")) | any' export.json
	done
}

@test "history" {
	tamis history "$(workload_key all)" --json --config /dev/null >history.json
	jq -e '.generations[0] | .denied != [] and .denied_eperm != [] and .lacks != []' history.json
	jq -e '.generations[0].lacks | any(.mined)' history.json
	printed <history.json >keys
	same keys history
}

@test "denials" {
	python3 - "$daemon_dir/state/tamis.db" <<-'END'
		import sqlite3, sys
		with sqlite3.connect(sys.argv[1]) as db:
		    db.execute("INSERT INTO denial SELECT id, 0, 0, 39, 1, 7, 'comm', '/exe', 1, 1, 2 FROM workload")
	END
	tamis denials --json >denials.json
	jq -e '.denials != []' denials.json
	printed <denials.json >keys
	same keys denials
}

@test "diff" {
	"$TAMIS" record -f oci -o policy.json -- /bin/true
	tamis diff "$(workload_key all)" policy.json --json >diff.json || (($? == 1))
	printed <diff.json >keys
	same keys diff
}

@test "score" {
	tamis score "$(workload_key all)" --json >score.json
	jq -e '.policies[0] | .open != [] and .less != [] and .more != []' score.json
	json_is '.default.of == .policies[0].score.of and (.none | keys) == (.policies[0].score | keys)' <score.json
	printed 'del(.default[], .none[])' <score.json >keys
	same keys score
}

@test "prune" {
	tamis prune --dry-run --json --gone-for 0s | printed >keys
	same keys prune
}

@test "check" {
	"$TAMIS" check --json >check.json || (($? == 1))
	printed <check.json >keys
	same keys check
}

@test "a key that is missing on either side is found" {
	everything | jq 'del(.pod)' | printed >keys
	run same keys WORKLOAD show
	((status != 0))
	everything | jq '.calls[0].more = 1' | printed >keys
	run same keys WORKLOAD show
	((status != 0))
}
