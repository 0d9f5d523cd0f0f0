#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A policy is reproducible: the same store and options give the same bytes.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

formats='oci docker spo systemd label annotation text names bpf pfc'

# Three lives of one workload, in several processes, two ABIs where there are two.
setup_file() {
	export sensor_prefix=tamis-same-$$ DIR=$BATS_FILE_TMPDIR
	local _ abis=''
	[[ $(uname -m) != x86_64 ]] || abis=int80
	daemon_start "$DIR/daemon" --interval 0.1 --unit 1 --watch "/$sensor_prefix-*"
	for _ in 1 2 3; do
		cgroup_make same
		# shellcheck disable=SC2086
		in_cgroup same "$O/tools/variety" plain threads chain $abis
		cgroup_remove same
	done
	daemon_stop
}

teardown_file() {
	cgroups_sweep
}

export_to() {
	tamis export "$(workload_key same)" -f "$1" -o "$2" "${@:3}"
	[[ -s $2 ]]
}

@test "each format, exported twice, has the same bytes" {
	local format
	for format in $formats; do
		export_to "$format" one
		sleep 1.1 # another second on every clock
		export_to "$format" two
		cmp one two
		tamis export "$(workload_key same)" -f "$format" | cmp - one
	done
}

@test "neither directory, locale, environment nor user matter" {
	local format
	for format in $formats; do
		export_to "$format" one
		env -i PATH=/ LC_ALL=tr_TR.UTF-8 TZ=Asia/Tokyo HOME=/ \
			/bin/sh -c 'cd / && exec "$@"' sh "$TAMIS" export "$(workload_key same)" -f "$format" \
			--state "$daemon_dir/state" >two
		cmp one two
	done
}

@test "a copy of the store, and a store that was dumped and read back, give the same" {
	local format
	mkdir copy dump
	cp -r "$daemon_dir/state/"* copy/
	sqlite3 "$daemon_dir/state/tamis.db" "VACUUM INTO '$PWD/dump/tamis.db'"
	for format in $formats; do
		export_to "$format" one
		"$TAMIS" export "$(workload_key same)" -f "$format" --state copy | cmp - one
		"$TAMIS" export "$(workload_key same)" -f "$format" --state dump | cmp - one
	done
}

@test "list, show and diff, too" {
	local command
	for command in 'list' 'list --json' "show $(workload_key same)" \
		"show $(workload_key same) --json"; do
		# shellcheck disable=SC2086
		tamis $command >one
		# shellcheck disable=SC2086
		tamis $command >two
		cmp one two
	done
	tamis diff "$(workload_key same)" "$(workload_key same)"
}

setup() {
	daemon_dir=$DIR/daemon
	cd "$BATS_TEST_TMPDIR" || return
}
