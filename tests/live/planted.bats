#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A service with a memory bug, under an oracle whose twin is built with AddressSanitizer: what it does
# honestly, and rarely, is learned; what an exploit makes it do is not.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/oracle.bash

setup_file() {
	export prefix=tamis-planted-$$ dir=$BATS_FILE_TMPDIR
	export image=localhost/$prefix
	make_image "$image" planted
	make_image "$image-asan" planted-asan
}

teardown_file() {
	podman rmi -f "$image" "$image-asan" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
}

teardown() {
	daemon_stop || true
	pod_sweep "$prefix"
	pod_sweep "tamis-oracle-$prefix"
	pod_cgroups_restore
}

# make_image NAME TOOL: it alone, as /planted, and the libraries that it is linked with.
make_image() {
	local root library
	root=$(mktemp -d "$BATS_FILE_TMPDIR/image.XXXXXX")
	mkdir -p "$root"/{proc,sys,dev,etc,tmp}
	cp "$O/tools/$2" "$root/planted"
	while read -r library; do
		install -D "$library" "$root$library"
	done < <(ldd "$root/planted" 2>/dev/null | grep -o '/[^ ]*')
	tar -C "$root" -c . | podman import -q - "$1" >/dev/null
}

planted() {
	"$O/tools/planted" "$@"
}

# The requests of this test, which `--replay` sends to the twin again: as they come, one a line.
replay_make() {
	: >requests
	cat >replay <<-EOT
		#!/bin/bash
		while read -r kind line; do
			for ((i = 0; i < 100; i++)); do # until it listens
				(exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && break
				/bin/sleep 0.1
			done
			case \$kind in
			ask) "$O/tools/planted" ask $port "\$line" ;;
			attack) "$O/tools/planted" attack $port \$line ;;
			esac
		done <"$PWD/requests"
		exit 0
	EOT
	chmod 755 replay
}

# request LINE, attack NUMBER...: sent, and kept to be sent again.
request() {
	grep -qxF "ask $1" requests || echo "ask $1" >>requests
	planted ask "$port" "$1"
}

attack() {
	echo "attack $*" >requests
	planted attack "$port" "$@"
}

serves_all() {
	request 'put a 1' && request 'get a'
}

alerted() {
	# shellcheck disable=SC2154 # daemon.bash's
	grep -E "$1" "$daemon_dir/log"
}

@test "an exploit's calls are rejected, a rare honest request's are learned" {
	local name=$prefix key=podman/$prefix port loops
	port=$(free_port)
	replay_make
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	start_install "$PWD/hooks"
	pod_run "$name" "$image" /planted serve "$port"
	wait_for 30 start_learned "$key"
	tamis oracle "$key" --hardened "$image-asan" --window 5s --replay "$PWD/replay"

	# From nothing to a service.
	oracle_converges 2000 "$key" serves_all
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	policy_has "$key" accept4 bind listen socket
	exports_lack "$key" mremap getpgrp

	# Rare and honest.
	loops=$(oracle_loops "$key")
	run request reload
	[[ $status != 0 ]]
	oracle_converges 200 "$key" request reload
	policy_has "$key" mremap getpgrp
	(($(oracle_loops "$key") > loops))

	# The exploit as it comes: both are beyond asking, so production goes on.
	loops=$(oracle_loops "$key")
	attack 59 101
	wait_for 60 alerted 'rejected.*ptrace|ptrace.*rejected'
	oracle_converges 200 "$key" serves_all
	[[ $(oracle_loops "$key") == "$loops" ]]

	# With calls that an honest request could need as well (setsid; select, which is in some runtime's
	# gate): the twin is asked, and reports.
	attack 112 23 59 101
	wait_for 200 alerted 'setsid.*heap-buffer-overflow'
	oracle_converges 200 "$key" serves_all
	(($(oracle_loops "$key") == loops + 1))
	# ... once.
	attack 112 23 59 101
	oracle_converges 200 "$key" serves_all
	(($(oracle_loops "$key") == loops + 1))

	oracle_converges 200 "$key" planted ask "$port" reload
	generations_lack "$key" 59 101 112
	exports_lack "$key" execve ptrace setsid
	policy_has "$key" mremap getpgrp
	pod_remove "$name"
	# Nor does it become anything once the container is gone.
	daemon_stop
	generations_lack "$key" 59 101 112
	exports_lack "$key" execve ptrace setsid
}
