#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tamis check: says what is there, and notices what is taken away.

bats_require_minimum_version 1.5.0
load ../lib/base.bash

# level NAME: of that line in what check printed last.
level() {
	jq -er --arg name "$1" '.checks[] | select(.name == $name).level' found
}

# without SCRIPT: check --json in a mount namespace of its own in which SCRIPT was run.
without() {
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -ec "$1"'; exec "$0" check --json' "$TAMIS" >found
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	place=
}

teardown() {
	[[ -z $place ]] || rm -r "$place"
}

@test "this host has what tamis needs" {
	"$TAMIS" check --json >found
	for name in root 'kernel types (BTF)' 'raw tracepoints' 'ring buffer' cgroups; do
		[[ $(level "$name") == fine ]]
	done
	[[ $(jq .version found) == 1 ]]
	"$TAMIS" check >lines
	[[ $(wc -l <lines) == $(jq '.checks | length' found) ]]
}

@test "not root" {
	place=$(mktemp -d /tmp/tamis-check.XXXXXX)
	chmod 755 "$place"
	cp "$TAMIS" "$place/tamis"
	run -1 setpriv --reuid 65534 --regid 65534 --clear-groups "$place/tamis" check
	[[ $output == *'missing   root'* && $output == *'not root'* ]]
}

@test "no BTF" {
	run -1 without 'mount -t tmpfs none /sys/kernel/btf'
	[[ $(level 'kernel types (BTF)') == missing ]]
}

@test "no BTF, but supplied" {
	# shellcheck disable=SC2016
	local supply='cp /sys/kernel/btf/vmlinux types; mount -t tmpfs none /etc; mkdir -p /etc/tamis/btf
		mv types "/etc/tamis/btf/$(uname -r).btf"; mount -t tmpfs none /sys/kernel/btf'
	without "$supply"
	[[ $(level 'kernel types (BTF)') == fine ]]
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -ec "$supply"'; exec "$0" record -f names -- true' "$TAMIS" >names
	grep -qx "$(uname -m) exit_group" names
}

@test "no cgroup v2" {
	# shellcheck disable=SC2016
	run -1 without 'findmnt -rn -t cgroup2 -o TARGET | tac | while read -r m; do umount -l "$m"; done'
	[[ $(level cgroups) == missing ]]
	jq -e '.checks[] | select(.name == "cgroups").text | test("v1 only")' found
}

@test "whether podman's starts ask tamis" {
	without 'mount -t tmpfs none /etc/containers; mkdir -p /etc/containers/oci/hooks.d
		echo "tamis-start precreate" >/etc/containers/oci/hooks.d/a.json'
	[[ $(level "podman's starts") == fine ]]
	without 'mount -t tmpfs none /etc/containers
		! [ -e /usr/share/containers/oci/hooks.d ] || mount -t tmpfs none /usr/share/containers/oci/hooks.d
		! [ -e /usr/local/libexec ] || mount -t tmpfs none /usr/local/libexec'
	[[ $(level "podman's starts") == degraded ]]
	jq -e '.checks[] | select(.name == "podman\u0027s starts").text | test("tamis install podman")' found
}

@test "a bpffs, or none" {
	without 'mkdir -p /sys/fs/bpf; mount -t bpf none /sys/fs/bpf'
	[[ $(level bpffs) == fine ]]
	without 'mount -t tmpfs none /sys/fs/bpf'
	[[ $(level bpffs) == degraded ]]
}

@test "a runtime's words are escaped" {
	mkdir bin
	printf '#!/bin/sh\nprintf "runc \\033[2J\\377"\n' >bin/runc
	chmod +x bin/runc
	PATH=$PWD/bin:$PATH run -0 "$TAMIS" check
	[[ $output == *'runc \x1b[2J\xff;'* ]]
}
