#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What bash offers: our words, workloads as `tamis list` shows them, never a command run by a name.

load ../lib/base.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir bin
	cat >bin/tamis <<-'END'
		#!/bin/sh
		echo "$@" >>asked
		cat rows
	END
	chmod +x bin/tamis
	PATH=$PWD/bin:$PATH
	# shellcheck disable=SC2016
	printf '%s\n' 'ENGINE  WORKLOAD  IMAGE' 'podman  redis  x' 'podman  reverse-proxy  -' \
		'docker  $(touch${IFS}ran)  x' 'docker  `touch${IFS}ran`  x' "cgroup  it's;touch  x" >rows
	# shellcheck source=/dev/null
	source "$ROOT/user/completion/tamis.bash"
}

# offered WORD...: what is offered at the end of that line, one a line.
offered() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_tamis 2>/dev/null
	printf '%s\n' "${COMPREPLY[@]}"
}

same() {
	diff <(printf '%s\n' "${@:2}") <(echo "$1")
}

@test "commands" {
	same "$(offered tamis re)" record release
	same "$(offered tamis '')" daemon record trace list show allow deny apply history denials oracle \
		rollback release export diff run forget merge prune check score mine install uninstall --help --version
}

@test "options and their values" {
	same "$(offered tamis list --s)" --state
	same "$(offered tamis apply x --mode '')" shadow probation enforce
	same "$(offered tamis apply x --mode probation --rule '')" learn ask deny
	same "$(offered tamis install '')" podman wrapper kubelet
	same "$(offered tamis uninstall w)" wrapper
	same "$(offered tamis export x -f o)" oci
	same "$(offered tamis export x --stage w)" workload
	same "$(offered tamis daemon --no)" --no-pin
	same "$(offered tamis daemon --interval '')" ""
	same "$(offered tamis merge a b -o '')" ""
	same "$(offered tamis prune --gone-for n)" never
}

@test "every command's options are those of its usage line" {
	local command option seen=0
	for command in daemon record list show allow deny apply history denials oracle rollback release install \
		uninstall diff run forget merge prune check score mine; do
		while read -r option; do
			offered tamis "$command" "$option" | grep -qxe "$option"
			seen=$((seen + 1))
		done < <("$TAMIS" "$command" --help | grep -oE -- '--[a-z][a-z-]+')
	done
	((seen >= 15))
}

@test "workloads, of the store that is named" {
	same "$(offered tamis show re)" redis reverse-proxy
	same "$(offered tamis export --state elsewhere re)" redis reverse-proxy
	same "$(offered tamis merge x re)" redis reverse-proxy
	same "$(offered tamis forget red)" redis
	same "$(offered tamis rollback red)" redis
	[[ $(cat asked) == $'list\nlist --state elsewhere\nlist\nlist\nlist' ]]
}

@test "a workload's name is quoted and never run" {
	offered tamis show '' >all
	grep -qxF "it\\'s\\;touch" all
	grep -qxF '\$\(touch\$\{IFS\}ran\)' all
	[[ ! -e ran ]]
}

@test "files" {
	touch policy.json
	same "$(offered tamis run --policy pol)" policy.json
	same "$(offered tamis diff redis pol)" policy.json
	same "$(offered tamis run --policy policy.json -- pol)" policy.json
}
