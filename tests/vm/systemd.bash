# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Units and users for tests in a virtual machine with systemd. Units' names begin with vm-.
# Needs base.bash, daemon.bash and guest.bash.

calls=$O/tools/calls

# --- units ----------------------------------------------------------------------------------------

# unit NAME: a unit file, from standard input. One that systemd hasn't looked for needs no reload.
unit() {
	cat >"${unit_dir-/run/systemd/system}/$1"
}

# service NAME LINE...: one that makes the calls 39 and 102 and ends, and what else the lines of its
# [Service] say.
service() {
	local name=$1
	shift
	{
		printf '[Service]\nType=oneshot\nExecStart=%s 39 102\n' "$calls"
		printf '%s\n' "$@"
	} | unit "$name.service"
}

# running TOKEN...: lines for a service that makes these calls instead, and stays.
running() {
	printf '%s\n' Type=exec ExecStart= "ExecStart=$calls $* pace:600000 24"
}

units_sweep() {
	systemctl stop 'vm-*'
	rm -rf /run/systemd/system/vm-* /etc/systemd/system/vm-*
}

systemd_version() {
	systemctl --version | awk 'NR == 1 { print $2 }'
}

# --- users ----------------------------------------------------------------------------------------

# user_make NAME UID: one who may log in by ssh, and whose manager runs.
user_make() {
	local home=/home/$1
	useradd -m -s /bin/bash -u "$2" "$1"
	[[ -e /root/.ssh/id ]] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id
	mkdir -p "$home"/{.ssh,.config/systemd/user}
	cp /root/.ssh/id.pub "$home/.ssh/authorized_keys"
	chmod 700 "$home/.ssh"
	chown -R "$1:" "$home"
	loginctl enable-linger "$1"
	wait_for 60 systemctl is-active "user@$2"
}

# as USER COMMAND...: a login, by ssh.service.
as() {
	ssh -q -i /root/.ssh/id -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null \
		"$1@127.0.0.1" "${@:2}"
}

# --- what was learned -----------------------------------------------------------------------------

# wants TOKEN...: the set that calls must make, in the file `wanted`.
wants() {
	"$calls" -n "$@" >wanted
}

# staying TOKEN...: the same of a service that was made with running.
staying() {
	"$calls" -n "$@" pace:1 24 | grep -v ' 231$' >wanted
}

# shown WORKLOAD FILTER: what show says of it, as jq sees it.
shown() {
	tamis show "$1" --json >shown.json || return
	json_is "$2" <shown.json && return
	echo "$1: not $2:"
	jq -c 'del(.calls)' shown.json
	return 1
}

# lacks WORKLOAD STAGE CALL...
lacks() {
	local call
	tamis export "$1" -f names --stage "$2" -o stage.names || return
	for call in "${@:3}"; do
		! grep -qx "$(uname -m) $call" stage.names || { echo "$1: $call in $2"; return 1; }
	done
}

# called WORKLOAD CALL: it is in the store by now.
called() {
	tamis export "$1" -f names --stage workload 2>/dev/null | grep -qx "$(uname -m) $2"
}

# exactly WORKLOAD TOKEN...: it ended, seen from its start, and called that.
exactly() {
	local workload=$1
	shift
	workload_ended "$workload"
	wants "$@"
	names_equal "$workload" wanted
	shown "$workload" '.partial == false'
}
