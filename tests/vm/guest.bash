# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests that run in a virtual machine. Needs base.bash, daemon.bash, pod.bash, sensor.bash.

image=localhost/vm
# Of the test file.
DIR=${BATS_FILE_TMPDIR-}

# file_daemon OPTION...: one for all tests of the file: setup_file begins it, setup enters, and
# teardown_file ends it.
file_daemon() {
	daemon_start "$DIR/daemon" --interval 0.2 "$@"
}

# shellcheck disable=SC2034 # daemon.bash's
file_daemon_enter() {
	daemon_dir=$DIR/daemon
	cd "$BATS_TEST_TMPDIR" || return
}

# shellcheck disable=SC2034
file_daemon_end() {
	daemon_pid=$(<"$DIR/daemon/pid")
	daemon_stop || true
	cp "$DIR/daemon/log" "/run/results/$(basename "$BATS_TEST_FILENAME" .bats).log"
}

# pod_image DIR: an image of busybox and the program whose calls are known.
pod_image() {
	local tree=$1
	mkdir -p "$tree"/{bin,etc,tmp,proc,sys,dev}
	cp /bin/busybox "$tree/bin/"
	cp "$O/tools/calls" "$tree/"
	busybox --list | grep -vx busybox | sed "s|^|$tree/bin/|" | xargs -n 1 ln -s busybox
	echo root:x:0:0::/:/bin/sh >"$tree/etc/passwd"
	tar -C "$tree" -c . | podman import -q - "$image" >/dev/null
}

# numbers CALL...: as this machine has them.
numbers() {
	local call
	for call; do
		awk -v call="$call" '$2 == call { print $1 }' "$ROOT/user/model/calls/$(uname -m).tbl"
	done
}

# names_equal WORKLOAD WANTED [STAGE]: a file of "ABI NUMBER" lines against what was learned.
names_equal() {
	tamis export "$1" -f names --stage "${3-workload}" -o names || return
	sysset names names >got
	[[ -s $2 ]]
	sysset diff "$2" got
}

# has_calls WORKLOAD STAGE CALL...
has_calls() {
	local call
	tamis export "$1" -f names --stage "$2" -o stage.names || return
	for call in "${@:3}"; do
		grep -qx "$(uname -m) $call" stage.names || { echo "$1: no $call in $2"; return 1; }
	done
}

is_over() {
	tamis show "$1" --json | json_is '.state == "gone"'
}

# Until the daemon has read a container's last calls.
workload_ended() {
	wait_for 60 is_over "$1" || { echo "$1 never ended:"; tamis list; return 1; }
}

# refuses WORDS COMMAND...: with status 1 and one line that has these words.
# shellcheck disable=SC2154 # bats'
refuses() {
	local words=$1
	shift
	run "$@"
	echo "$status: $output"
	[[ $status == 1 && ${#lines[@]} == 1 && $output == *"$words"* ]]
}

# tamis_objects: names of the programs and maps that the kernel has of tamis.
tamis_objects() {
	{ bpftool -j prog show; bpftool -j map show; } | jq -r '.[].name // empty' | grep -E '^(tamis|sensor)' || true
}
