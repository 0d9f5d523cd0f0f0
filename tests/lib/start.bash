# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what base.bash, daemon.bash, pod.bash set
# tamis-start in the start path of podman and of bare runtimes, with the state of a daemon of ours.
# Needs base.bash, daemon.bash, pod.bash.

# start_image NAME [FILE...]: busybox, and files in its root.
start_image() {
	local root program name=$1
	shift
	root=$(mktemp -d "$BATS_FILE_TMPDIR/image.XXXXXX")
	mkdir -p "$root"/{proc,sys,dev,etc,tmp,bin}
	cp /bin/busybox "$root/bin/busybox"
	for program in sh sleep true grep cat mkdir rm; do
		ln -s busybox "$root/bin/$program"
	done
	(($# == 0)) || cp "$@" "$root"
	tar -C "$root" -cf "$root.tar" .
	podman import -q "$root.tar" "$name" >/dev/null
	rm "$root.tar"
}

# start_install DIR: podman asks tamis-start from now on.
start_install() {
	"$TAMIS" install podman --hooks-dir "$1" --state "$daemon_dir/state"
	pod_options+=(--hooks-dir "$1")
}

# What tamis-start said of this state, without the time and its name.
start_lines() {
	sed 's/^[^ ]* tamis-start: //' "$daemon_dir/state/start.log" 2>/dev/null
}

# start_said [-c] PATTERN
start_said() {
	start_lines | grep -E "$@"
}

# start_until SAID COMMAND...: runs it until tamis-start said that of a start that this brought. On a
# busy machine its worker may be late, and the start is the engine's own then, whatever it said before.
start_until() {
	local said=$1 before
	shift
	for _ in {1..8}; do
		before=$(start_lines | wc -l)
		"$@" || return
		start_lines | tail -n +$((before + 1)) | grep -q 'did not answer in time' && continue
		start_lines | tail -n +$((before + 1)) | grep -qE "$said" && return
		break
	done
	echo "not said: $said; but:"
	start_lines | tail -n 5
	return 1
}

# Of a process: 0 none, 2 a filter.
seccomp_mode() {
	awk '$1 == "Seccomp:" { print $2 }' "/proc/$1/status"
}

is_learned() {
	tamis show "$1" --json | json_is '(.partial | not) and any(.calls[]; .stage == "workload")'
}

# Until the daemon has all of a start: what was called up to now it has one drain later.
start_learned() {
	wait_for 30 is_learned "$1" || { tamis list; return 1; }
	sleep 0.5
}

# bare_bundle DIR COMMAND...: a bundle of busybox for a bare runtime.
bare_bundle() {
	local dir=$1 program
	shift
	mkdir -p "$dir/root"/{proc,sys,dev,tmp,bin}
	cp /bin/busybox "$dir/root/bin/sh"
	for program in sleep mkdir grep cat; do
		ln -sf sh "$dir/root/bin/$program"
	done
	(cd "$dir" && runc spec)
	jq '.process.args = $ARGS.positional | .process.terminal = false | .process.rlimits = [] |
		.root = { path: "root" } | del(.linux.resources)' --args -- "$@" <"$dir/config.json" >"$dir/c"
	mv "$dir/c" "$dir/config.json"
}
