# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what base.bash, daemon.bash, sensor.bash set
# Containers of bare runtimes from bundles, and what tamis says of each of their stages. Needs
# base.bash, daemon.bash, sensor.bash (for its prefix and sysset).

# --- runtimes: stages_bin/NAME, each a command that takes runc's arguments -------------------
# In mounts of their own: a container without a mount namespace would have the host's.

# stages_runtimes DIR: runc and crun as installed, `current` the newest runc of Debian, where the
# mirror has it. stages_list: those that are there.
stages_runtimes() {
	stages_bin=$1
	export stages_bin stages_list='runc crun'
	mkdir -p "$stages_bin"
	in_mounts runc : "$(command -v runc)"
	# Where only v1 controllers are on /sys/fs/cgroup, crun has to be shown another one.
	if [[ $(cgroup2_mount) == /sys/fs/cgroup ]]; then
		in_mounts crun : "$(command -v crun)"
	else
		in_mounts crun 'mount -t cgroup2 cgroup2 /sys/fs/cgroup' "$(command -v crun)"
	fi
	! runtime_current || stages_list='runc current crun'
}

# For a test of its own. What tests/skips.expected lets pass.
need_current() {
	[[ $stages_list == *current* ]] || skip "the mirror has no runc of sid"
}

# in_mounts NAME MOUNT PROGRAM: NAME is PROGRAM after the command MOUNT in mounts of its own.
in_mounts() {
	rm -f "$stages_bin/$1"
	printf '#!/bin/sh\nexec unshare -m --propagation private sh -c %s sh "$@"\n' \
		"'$2 && exec $3 \"\$@\"'" >"$stages_bin/$1"
	chmod +x "$stages_bin/$1"
}

# The library of its suite may be newer than this host's.
runtime_current() {
	local root libs
	root=$(current_unpacked) || return
	libs=usr/lib/$(gcc -print-multiarch)
	if "$root/usr/sbin/runc" --version >/dev/null 2>&1; then
		in_mounts current : "$root/usr/sbin/runc"
	else
		in_mounts current "mount -t overlay overlay -o lowerdir=$root/$libs:/$libs /$libs" \
			"$root/usr/sbin/runc"
	fi
	"$stages_bin/current" --version >/dev/null
}

# The directory with what sid's package of runc has; asked for a newer one once a day. A mirror that
# can't be reached leaves the one of before.
current_unpacked() (
	# shellcheck source=tests/vm/lib.bash disable=SC2153
	. "$ROOT/tests/vm/lib.bash"
	local dir=${cache%/vm}/runtime
	mkdir -p "$dir"
	exec 9>"$dir/lock"
	flock 9
	if [[ -z $(find "$dir/runc/version" -mmin -1440 2>/dev/null) ]] && suite_open sid 9>&-; then
		current_update "$dir" 9>&-
	fi
	[[ -x $dir/runc/usr/sbin/runc ]] || die 'no runc of sid, here or there'
	echo "$dir/runc"
)

# current_update DIR
current_update() {
	local version
	version=$(suite_apt apt-cache show --no-all-versions runc | awk '$1 == "Version:" { print $2; exit }')
	if [[ $version && $version == "$(cat "$1/runc/version" 2>/dev/null)" ]]; then
		touch "$1/runc/version"
	else
		current_fetch "$1" "$version"
	fi
}

# current_fetch DIR VERSION
current_fetch() {
	local work deb
	work=$(mktemp -d "$1/new.XXXXXX") || return
	(cd "$work" && suite_apt apt-get -q download "runc=$2" libc6 >log 2>&1) ||
		{ cat "$work/log" >&2; rm -rf "$work"; return 1; }
	for deb in "$work"/*.deb; do
		dpkg-deb -x "$deb" "$work" || return
		rm "$deb"
	done
	echo "$2" >"$work/version"
	chmod 755 "$work"
	rm -rf "$1/runc"
	mv "$work" "$1/runc"
}

# --- containers ------------------------------------------------------------------------------

# One program, and what a runtime needs to mount over.
stages_root() {
	mkdir -p "$1"/{proc,sys,dev,tmp}
	cp "$O/tools/calls" "$1/calls"
}

# A filter is loaded, which forbids next to nothing: the calls that no kernel knows must be seen.
stages_filter='{ defaultAction: "SCMP_ACT_ALLOW",
	syscalls: [{ names: ["acct"], action: "SCMP_ACT_ERRNO" }] }'

# Hooks of every kind, whose calls nobody else makes: 490 outside, the others in the container's
# cgroup; by forks, further execs, and as process 1 of a pid namespace.
# shellcheck disable=SC2016,SC2089,SC2090 # jq's
export stages_hooks='.hooks = {
	createRuntime: [{ path: $calls, args: ["calls", "stdin", "490"] }],
	createContainer: [
		{ path: $calls, args: ["calls", "stdin", "491", "fork", "492", "exec", "493"] },
		{ path: "/usr/bin/unshare", args: ["unshare", "-pf", $calls, "stdin", "494"] }],
	startContainer: [
		{ path: (.root.program), args: ["calls", "stdin", "495", "fork", "496", "exec", "497"] }] }'

# stages_bundle DIR CHANGES TOKEN...: for `calls TOKEN...`; CHANGES are jq's, $calls the program's
# path outside.
stages_bundle() {
	local dir=$1 changes=$2
	shift 2
	mkdir -p "$dir"
	rm -f "$dir/config.json"
	(cd "$dir" && runc spec) || return
	jq --arg calls "$O/tools/calls" --arg root "$BATS_FILE_TMPDIR/root" \
		'.root = { path: $root, program: "/calls" } |
		.process.args = [.root.program] + $ARGS.positional | .process.terminal = false |
		.process.rlimits = [] | del(.process.capabilities.ambient) | del(.linux.resources) |
		.linux.seccomp = '"$stages_filter | $changes | del(.root.program)" \
		--args "$@" <"$dir/config.json" >"$dir/spec" && mv "$dir/spec" "$dir/config.json"
}

# only_namespaces TYPE...: a change for stages_bundle.
only_namespaces() {
	local types
	types=$(printf '{ type: "%s" },' "$@")
	echo ".linux.namespaces = [${types%,}] | del(.hostname) |
		.linux.maskedPaths = [] | .linux.readonlyPaths = []"
}

container_id() {
	echo "$sensor_prefix-$1"
}

# container_run RUNTIME NAME [OPTION...]: of the bundle ./NAME, to its end.
container_run() {
	"$stages_bin/$1" run "${@:3}" --bundle "$2" "$(container_id "$2")" </dev/null 3>&-
}

container_status() {
	"$stages_bin/$1" state "$(container_id "$2")" | jq -r .status
}

is_status() {
	[[ $(container_status "$1" "$2") == "$3" ]]
}

# Runtimes say "running" some time before the exec.
is_serving() {
	is_status "$1" "$2" running && tr '\0' ' ' <"/proc/$(container_pid "$1" "$2")/cmdline" | grep -q '^[^ ]*/calls '
}

# container_start RUNTIME NAME: detached; returns when its program runs.
container_start() {
	container_run "$1" "$2" -d >"$2.out" 2>&1 || { cat "$2.out"; return 1; }
	echo "$1 $2" >>"$BATS_FILE_TMPDIR/started"
	wait_for 10 is_serving "$1" "$2"
}

container_pid() {
	"$stages_bin/$1" state "$(container_id "$2")" | jq .pid
}

# container_exec RUNTIME NAME [OPTION...] -- PROGRAM [ARG...]
container_exec() {
	local runtime=$1 name=$2 options=()
	shift 2
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	"$stages_bin/$runtime" exec "${options[@]}" "$(container_id "$name")" "${@:2}" </dev/null 3>&-
}

# The cgroup v2 directory of a container that runs.
container_cgroup() {
	echo "$(cgroup2_mount)$(sed -n 's/^0:://p' "/proc/$(container_pid "$1" "$2")/cgroup")"
}

# container_end RUNTIME NAME
container_end() {
	"$stages_bin/$1" kill "$(container_id "$2")" KILL || true
	wait_for 10 is_status "$1" "$2" stopped
	"$stages_bin/$1" delete "$(container_id "$2")"
}

# --- processes that wait to be moved ------------------------------------------------------------

# held_start NAME COMMAND...: in the background, its input doesn't end before held_release.
held_start() {
	local base=$BATS_FILE_TMPDIR/held-$1
	mkfifo "$base"
	sleep 600 >"$base" 3>&- &
	echo $! >"$base.holder"
	"${@:2}" <"$base" >/dev/null 3>&- &
	echo $! >"$base.pid"
	wait_for 10 held_is_itself "$1"
}

# Not this shell any more.
held_is_itself() {
	[[ $(readlink "/proc/$(held_pid "$1")/exe") != "$(readlink /proc/$$/exe)" ]]
}

held_pid() {
	cat "$BATS_FILE_TMPDIR/held-$1.pid"
}

held_release() {
	kill "$(cat "$BATS_FILE_TMPDIR/held-$1.holder")"
}

held_sweep() {
	local file
	for file in "$BATS_FILE_TMPDIR"/held-*.{pid,holder}; do
		[[ ! -s $file ]] || kill -KILL "$(<"$file")" 2>/dev/null || true
	done
}

# Old enough not to be a start (bpf/stage.bpf.h, cfg_grown_ns).
held_is_grown() {
	(($(date +%s) - $(stat -c %Y "$BATS_FILE_TMPDIR/held-$1.pid") > 31))
}

# cgroup_take NAME PID: moved there by this shell.
cgroup_take() {
	echo "$2" >"$(cgroup_dir "$1")/cgroup.procs"
}

# For teardown: whatever container_start left, and what the inner one of two runtimes keeps the outer
# from removing in the hierarchies of v1.
containers_sweep() {
	local runtime name dir
	for dir in /sys/fs/cgroup/*/"$sensor_prefix-outer"; do
		[[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + || true
	done
	[[ -e $BATS_FILE_TMPDIR/started ]] || return 0
	while read -r runtime name; do
		"$stages_bin/$runtime" delete -f "$(container_id "$name")" >/dev/null 2>&1 || true
	done <"$BATS_FILE_TMPDIR/started"
	rm "$BATS_FILE_TMPDIR/started"
}

# --- what was learned --------------------------------------------------------------------------

# A NAME is a container of ours, or a workload's key. In names of files its slashes are colons.

# want STAGE NAME TOKEN...: what `calls TOKEN...` does is all that NAME has in that stage.
want() {
	mkdir -p "want/$1"
	"$O/tools/calls" -n "${@:3}" >>"want/$1/${2//\//:}"
}

# unwant STAGE NAME NUMBER: but for that.
unwant() {
	sed -i "/^[^ ]* $3\$/d" "want/$1/${2//\//:}"
}

stage_key() {
	[[ $1 == */* ]] && echo "$1" || echo "oci/$(container_id "$1")"
}

shown() {
	tamis show "$(stage_key "$1")" --json | jq -r "$2"
}

has_ended() {
	[[ $(shown "$1" .state) == gone ]]
}

# got NAME STAGE: the file with what it has there, as names.
got() {
	local file=got/$2/${1//\//:}
	if [[ ! -e $file ]]; then
		mkdir -p "got/$2"
		tamis export "$(stage_key "$1")" -f names --stage "$2" -o "$file" 2>"$file.err" ||
			{ cat "$file.err" >&2; return 1; }
		rm "$file.err"
	fi
	echo "$file"
}

# ended NAME...: the daemon has read their last calls.
ended() {
	local name
	for name; do
		wait_for 20 has_ended "$name" || { echo "$name never ended:"; tamis list; return 1; }
	done
}

# all_as_wanted: every set that was told to `want`, exactly.
all_as_wanted() {
	local stage name
	[[ -n $(ls want) ]]
	for stage in want/*; do
		stage=${stage#want/}
		for name in "want/$stage"/*; do
			name=${name##*/}
			got "${name//://}" "$stage" >/dev/null || return
		done
		sysset many "want/$stage" "got/$stage" || { echo "^ $stage differs"; return 1; }
	done
}

# makes NAME STAGE CALL...: it has those in that stage (names, or #NUMBER).
makes() {
	local file call
	file=$(got "$1" "$2") || return
	for call in "${@:3}"; do
		grep -qx "$(uname -m) $call" "$file" || { echo "$1: no $call in $2"; return 1; }
	done
}

# makes_none NAME STAGE CALL...
makes_none() {
	local file call
	file=$(got "$1" "$2") || return
	for call in "${@:3}"; do
		! grep -qx "$(uname -m) $call" "$file" || { echo "$1: $call is in $2"; return 1; }
	done
}

# Hooks ran, in the start and nowhere else. `want workload` holds for the rest.
hooks_apart() {
	local name=$1 call
	for call in \#49{1..7}; do
		makes "$name" setup "$call" >/dev/null || makes "$name" gate "$call" || return
	done
	makes_none "$name" session \#49{0..7}
}

# --- the gate -------------------------------------------------------------------------------------

# gate_known RUNTIME VERSION ROWS: the names that policies/runtime has for it, in rows whose second
# and third words match; of a version that has no row, its neighbours'.
gate_known() {
	awk -v version="$2" -v kind="$3" '
	function number(v, part, i, n) {
		sub(/[-+~].*/, "", v)
		split(v, part, ".")
		for (i = 1; i <= 4; i++)
			n = n * 1000 + part[i]
		return n
	}
	function add(to, word) {
		calls[to] = calls[to] " " (word ~ /^@/ ? calls[word] : word)
	}
	{ sub(/#.*/, "") }
	!NF { next }
	/^@/ { at = $1; first = 2 }
	/^[0-9]/ { at = $1 " " $2 " " $3; first = 4 }
	/^[0-9]/ && ($2 " " $3) ~ kind { rows[$1] = rows[$1] SUBSEP at }
	/^[ \t]/ { first = 1 }
	{ for (i = first; i <= NF; i++) add(at, $i) }
	END {
		want = number(version)
		for (v in rows) {
			n = number(v)
			if (n <= want && (below == "" || n > number(below))) below = v
			if (n >= want && (above == "" || n < number(above))) above = v
		}
		n = split(rows[below] rows[above], found, SUBSEP)
		for (i = 1; i <= n; i++) print calls[found[i]]
	}' "$ROOT/policies/runtime/$1.tbl" | tr -s ' ' '\n' | sort -u
}

# gate_unknown NAME RUNTIME ROWS [CALL...]: what its gate has and the table has not, nor the CALLs.
gate_unknown() {
	local name=$1 runtime=$2 version file
	version=$("$stages_bin/$runtime" --version | awk 'NR == 1 { print $3 }')
	file=$(got "$name" gate) || return
	[[ $runtime != current ]] || runtime=runc
	comm -23 <(cut -d ' ' -f 2 "$file" | sort -u) \
		<({ gate_known "$runtime" "$version" "$3"; printf '%s\n' "${@:4}"; } | sort -u) | paste -s -d ' '
}

# gate_is_known NAME RUNTIME ROWS [CALL...]
gate_is_known() {
	local unknown
	unknown=$(gate_unknown "$@") || return
	[[ -z $unknown ]] || { echo "$1: gate calls that the table hasn't: $unknown"; return 1; }
}
