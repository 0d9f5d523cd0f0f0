#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Allocations that fail (tests/tools/failalloc.c), one in a run, all over the commands and the start path:
# nobody dies of it, no store and no applied file is damaged, every container starts.
# EVERY=1: all of them, which takes an hour.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash

setup_file() {
	export nomem_name=tamis-nomem-$$
	cd "$BATS_FILE_TMPDIR" || return
	bare_bundle b sh -c 'mkdir -p /tmp/a'
	cp b/config.json original
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	runc run --bundle b "$nomem_name" </dev/null
	start_learned "oci/$nomem_name"
	tamis deny "oci/$nomem_name" mkdir
	tamis apply "oci/$nomem_name" --no-trial
	daemon_stop
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return
	state=$PWD/d/state
	key=oci/$nomem_name
}

teardown() {
	daemon_stop || true
	runc list -q 2>/dev/null | grep "^$nomem_name" | xargs -r -n 1 runc delete -f || true
}

# fails_at EVERY OPTION... PROGRAM STATE -- COMMAND...
fails_at() {
	/usr/bin/python3 "$ROOT/tests/live/nomem.py" --every "${EVERY-$1}" "${@:2}" >said || { cat said; return 1; }
	echo "# $(tail -n 1 said)" >&3
}

@test "tamis export, show, apply: done in full, or not at all and said" {
	fails_at 97 tamis "$state" -- "$TAMIS" export "$key" -f oci --state "$state"
	fails_at 97 tamis "$state" -- "$TAMIS" show "$key" --json --state "$state"
	fails_at 67 tamis "$state" -- "$TAMIS" apply "$key" --no-trial --state "$state"
}

@test "what is in the start path lets every container start" {
	mkdir bin
	cp "$O/tamis-start" bin/tamis-named
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" != --bundle ] || cat "$2/config.json"; shift; done\n' >named
	chmod 755 named
	printf 'runtime = %s\nstate = %s\n' "$PWD/named" "$state" >bin/tamis-named.conf
	cp original b/config.json
	fails_at 9 --start --file b/config.json --or original tamis-named "$state" -- \
		bin/tamis-named run --bundle "$PWD/b" "$nomem_name"
}
