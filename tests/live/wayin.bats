#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Attacks on the way in: places that others may write to, links where files should be. Refused, one
# line says so, and nothing is written anywhere else.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash

setup_file() {
	export start_prefix=tamis-wayin-$$
	# One bundle, learned once; each test has a copy of its state.
	cd "$BATS_FILE_TMPDIR" || return
	name=$start_prefix-bare
	bare_bundle b sh -c 'mkdir -p /tmp/a'
	cp b/config.json original
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	runc run --bundle b "$name" </dev/null
	start_learned "oci/$name"
	tamis deny "oci/$name" mkdir
	tamis apply "oci/$name"
	daemon_stop
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	name=$start_prefix-bare
	cp -a "$BATS_FILE_TMPDIR/b" "$BATS_FILE_TMPDIR/original" .
	mkdir libexec outside
	# A link leads there, and nothing may come of it.
	echo mine >outside/file
	daemon_dir=$PWD
	cp -a "$BATS_FILE_TMPDIR/d/state" .
	rm -f state/start.log
	applied=state/applied/oci/$name.json
	wrapper=$PWD/libexec/tamis-runc
	"$TAMIS" install wrapper --runtime "$(command -v runc)" --as "$wrapper" --state "$PWD/state" >/dev/null
}

teardown() {
	runc delete -f "$start_prefix-bare" 2>/dev/null || true
}

through() {
	timeout 60 "$wrapper" run --bundle "$PWD/b" "$name" </dev/null
}

# It starts, as the engine made it; one line, in the log or on standard error, has PATTERN.
left_alone() {
	through >out 2>err || { cat err; return 1; }
	cmp b/config.json original
	cat err >>all
	cat state/start.log >>all 2>/dev/null || true
	cat all
	[[ $(wc -l <all) == 1 ]]
	grep -q "$1" all
}

nothing_outside() {
	[[ $(ls -A outside) == file && $(cat outside/file) == mine ]]
}

refused() {
	run through
	[[ $status != 0 && $output == *'Function not implemented'* ]]
}

@test "as it should be: enforced" {
	start_until 'started under generation 1, on trial$' refused
	[[ $(stat -c %a:%u state) == 711:0 && $(stat -c %a:%u state/trial) == 700:0 ]]
	[[ $(stat -c %a:%u state/start.log) == 600:0 && $(stat -c %a "$applied") == 644 ]]
}

@test "a state directory that others may write to" {
	local mode
	for mode in 777 1777 773 731; do
		chmod "$mode" state
		rm -f all
		cp original b/config.json
		left_alone 'others may write to it'
		[[ ! -e state/start.log ]]
	done
}

@test "a state directory, or one in it, that is somebody's" {
	local dir
	for dir in state state/applied state/applied/oci; do
		chown 1234 "$dir"
		rm -f all state/start.log
		left_alone 'not to root'
		chown 0 "$dir"
	done
}

@test "links in the place of the state and of what is in it" {
	local what
	cp -a state elsewhere
	for what in applied applied/oci "applied/oci/$name.json"; do
		mv "state/$what" moved
		ln -s "$PWD/elsewhere/$what" "state/$what"
		rm -f all state/start.log
		left_alone 'a link'
		rm "state/$what"
		mv moved "state/$what"
	done
	mv state moved
	ln -s "$PWD/elsewhere" state
	rm -f all elsewhere/start.log
	left_alone 'a link'
	[[ ! -e elsewhere/start.log ]]
}

@test "a trial's directory that others may write to, or that is a link" {
	mkdir -p state/trial
	chmod 777 state/trial
	left_alone 'trial'
	rm -rf state/trial all state/start.log
	ln -s "$PWD/outside" state/trial
	left_alone 'trial'
	nothing_outside
}

@test "the log is a link, a FIFO, another name of a file" {
	local kind
	jq '.generation.state = "good"' "$applied" >good && cat good >"$applied"
	for kind in 'ln -s ../outside/new' 'ln -s ../outside/file' mkfifo 'ln outside/file'; do
		rm -f state/start.log all
		$kind state/start.log
		cp original b/config.json
		run through
		[[ $status != 0 ]]
		nothing_outside
	done
}

@test "config.json is a link: nothing is replaced" {
	cp original outside/config.json
	ln -sf ../outside/config.json b/config.json
	left_alone 'engine.s own profile'
	cmp outside/config.json original
	[[ -L b/config.json && $(ls -A outside | xargs) == 'config.json file' ]]
}

@test "a bundle that anyone may write to: the link there is replaced, not followed" {
	chmod 777 b
	start_until 'started under generation 1' refused
	[[ ! -L b/config.json && $(find b -maxdepth 1 -type f | wc -l) == 1 ]]
	nothing_outside
}

# Whom it would run is whoever wrote that: the runtime that it is named after is run instead.
@test "PATH.conf that others may write to, or that is a link, isn't believed" {
	printf '#!/bin/sh\necho evil >%s/outside/evil\n' "$PWD" >evil
	chmod 755 evil
	printf 'runtime = %s/evil\nstate = %s/outside\n' "$PWD" "$PWD" >"$wrapper.conf"
	chmod 666 "$wrapper.conf"
	through 2>err
	nothing_outside
	chmod 644 "$wrapper.conf"
	chown 1234 "$wrapper.conf"
	through 2>err
	nothing_outside
	chown 0 "$wrapper.conf"
	mv "$wrapper.conf" conf
	ln -s "$PWD/conf" "$wrapper.conf"
	through 2>err
	nothing_outside
	rm "$wrapper.conf"
	through 2>err
	"$wrapper" --version | grep -q runc
}

@test "a wrapper of itself doesn't turn round for ever" {
	printf 'runtime = %s\nstate = %s\n' "$wrapper" "$PWD/state" >"$wrapper.conf"
	timeout 20 "$wrapper" --version | grep -q runc
	ln -s "$wrapper" again
	printf 'runtime = %s/again\nstate = %s\n' "$PWD" "$PWD/state" >"$wrapper.conf"
	timeout 20 "$wrapper" --version | grep -q runc
}

@test "names of containers are no paths, and no lines" {
	local hostile
	cp original b/config.json
	for hostile in ../../../outside/file $'a\nroot: b' '%s%n' "$(printf 'x%.0s' {1..300})"; do
		run timeout 60 "$wrapper" create --bundle "$PWD/b" "$hostile"
		[[ $status != 0 ]]
		cmp b/config.json original
	done
	nothing_outside
	[[ ! -e state/start.log || $(grep -c . state/start.log) -le 4 ]]
}

@test "install refuses what others may write to" {
	cp "$TAMIS" "$O/tamis-start" libexec/
	chmod 777 libexec
	run libexec/tamis install podman --hooks-dir "$PWD/hooks"
	[[ $status == 1 && $output == *'others may write to it'* && ! -e hooks ]]
	chmod 755 libexec
	chmod 777 libexec/tamis-start
	run libexec/tamis install podman --hooks-dir "$PWD/hooks"
	[[ $status == 1 && ! -e hooks ]]
	cp "$(command -v runc)" outside/runc
	chmod 777 outside/runc
	run "$TAMIS" install wrapper --runtime "$PWD/outside/runc" --as "$PWD/libexec/w"
	[[ $status == 1 && ! -e libexec/w ]]
	# What is somebody else's stays.
	run "$TAMIS" install wrapper --runtime "$(command -v runc)" --as "$PWD/original"
	[[ $status == 1 ]]
	cmp original "$BATS_FILE_TMPDIR/original"
}
