#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154 # what bats and the libraries set
# In a virtual machine with systemd: a unit as production, a transient unit as its hardened twin, and the
# daemon in its own unit's sandbox. Its services' pattern has the first and not the second.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/oracle.bash
load guest.bash
load systemd.bash
load installed.bash

ctl=/run/ctl
trace=$state/trace

setup_file() {
	install -D -t /usr/local/bin "$O/tools/planted" "$O/tools/planted-asan"
	mkdir -p "$ctl"
	service_script >$ctl/service
	installed <<-EOT
		[daemon]
		interval = 0.2
		service = vm-*
		[oracle]
		trace = $trace
		[oracle systemd/vm-rule.service]
		hardened = /bin/sh $ctl/service
		window = 2s
		bootstrap = yes
	EOT
}

teardown_file() {
	uninstalled oracle
	rm -rf "$ctl"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	# shellcheck disable=SC2034 # for what looks into the store
	daemon_dir=$PWD
	ln -s "$state" state
	rm -f "$ctl"/{alive,req,new,out} "$trace" "$trace.hold"
}

teardown() {
	local key
	rm -f "$trace.hold"
	for key in $(tamis oracle --json | jq -r '.oracles[].key'); do
		tamis oracle "$key" --stop || true
	done
	systemctl stop tamis
	units_sweep
	systemctl stop 'tamis-oracle-*'
	systemctl daemon-reload
	systemctl reset-failed
	systemctl start tamis
}

said() {
	journalctl -u tamis -o cat | grep -E "$1"
}

no_units() {
	[[ -z $(systemctl list-units --all --no-legend "$@") ]]
}

no_twin() {
	no_units 'tamis-oracle-*' && tamis list --json | json_is 'all(.workloads[]; .key | contains("tamis-oracle-") | not)'
}

# --- a service that makes the calls it is asked for -------------------------------------------------

# By numbers in a file, which its twin finds as well; `out` has what they returned.
service_script() {
	cat <<-EOT
		while :; do
			: >$ctl/alive
			[ -e $ctl/req ] && $calls -r \$(cat $ctl/req) >$ctl/new && cat $ctl/new >$ctl/out
			sleep 0.1
			$calls noise:0 39
		done
	EOT
}

alive() {
	rm -f $ctl/alive
	wait_for 60 test -e $ctl/alive
}

# begun NAME LINE...: such a service, observed for a while.
begun() {
	service "$1" Type=exec ExecStart= "ExecStart=/bin/sh $ctl/service" "${@:2}"
	systemctl start "$1"
	echo 39 >$ctl/req
	wait_for 60 test -s $ctl/out
	rm $ctl/req $ctl/out
	alive
	wait_for 60 called "systemd/$1.service" getppid
	sleep 2 # what a drain brings
}

# guarded_by NAME [OPTION...]: from what was observed on.
guarded_by() {
	tamis oracle "systemd/$1.service" --hardened "/bin/sh $ctl/service" --window 2s --bootstrap "${@:2}"
	wait_for 120 oracle_is "systemd/$1.service" watching
	alive
	under "$1" 2
}

# request NUMBER...
request() {
	rm -f $ctl/out
	echo "$*" >$ctl/req.new
	mv $ctl/req.new $ctl/req
}

# served NAME: what was asked for passes in production, which runs under a filter.
served() {
	oracle_is "systemd/$1.service" watching || return
	rm -f $ctl/out
	wait_for 15 test -s $ctl/out || return
	! grep -q -- ' -38$' $ctl/out && oracle_is "systemd/$1.service" watching && under "$1" 2
}

serves_at_last() {
	wait_for 240 served "$1" || { said "$1" | tail -n 30; tamis oracle "systemd/$1.service"; return 1; }
}

# has_verdict NAME VERDICT NUMBER
has_verdict() {
	oracle_row "systemd/$1.service" ".calls[] | select(.verdict == \"$2\") | .nr" | grep -qx "$3"
}

traced() {
	[[ $(grep -c "^$1 " "$trace" 2>/dev/null) -ge $2 ]]
}

has_denial() {
	tamis denials --json | json_is "any(.denials[]; .name == \"$1\")"
}

# --- the loop -----------------------------------------------------------------------------------------

asks() {
	grep -qxF "$1" requests || echo "$1" >>requests
	planted ask 8401 "$1"
}

@test "from nothing to a service; a rare request is learned, an exploit isn't" {
	local key=systemd/vm-planted.service loops
	: >requests
	cat >replay <<-EOT
		#!/bin/bash
		for ((i = 0; i < 300; i++)); do
			(exec 3<>/dev/tcp/127.0.0.1/8401) 2>/dev/null && break
			sleep 0.1
		done
		while read -r line; do
			case \$line in
			attack*) planted attack 8401 \${line#attack } ;;
			*) planted ask 8401 "\$line" ;;
			esac
		done <"$PWD/requests"
		exit 0
	EOT
	chmod 755 replay
	service vm-planted Type=exec ExecStart= 'ExecStart=/usr/local/bin/planted serve 8401'
	systemctl start vm-planted
	wait_for 60 port_open 8401
	wait_for 60 called "$key" accept4
	tamis oracle "$key" --hardened '/usr/local/bin/planted-asan serve 8401' --window 30s --replay "$PWD/replay"
	oracle_converges 600 "$key" asks 'put a 1'
	under vm-planted 2
	policy_has "$key" accept4 bind listen socket
	exports_lack "$key" mremap

	loops=$(oracle_loops "$key")
	run asks reload
	[[ $status != 0 ]]
	oracle_converges 300 "$key" asks reload
	(($(oracle_loops "$key") > loops))
	policy_has "$key" mremap

	# setsid is what an honest request could need, too.
	loops=$(oracle_loops "$key")
	echo 'attack 112 59 101' >requests
	planted attack 8401 112 59 101
	wait_for 300 said 'rejected.*setsid.*heap-buffer-overflow'
	oracle_converges 300 "$key" planted ask 8401 'put a 1' reload
	(($(oracle_loops "$key") == loops + 1))
	# ... once
	planted attack 8401 112 59 101
	oracle_converges 300 "$key" planted ask 8401 'put a 1'
	(($(oracle_loops "$key") == loops + 1))
	exports_lack "$key" ptrace setsid
	# execve passes in every unit, and is seen where the sensor is awake: but none of its generations has it.
	generations_lack "$key" 59 101 112
	wait_for 60 no_twin
	wait_for 60 no_units 'tamis-action-*'
}

@test "the twin is in production's place: user, directories, environment, limits, capabilities" {
	cat >$ctl/place <<-EOT
		{
			id -u && id -g && id -G && pwd && umask && ulimit -n
			env | grep -E '^(VM_|RUNTIME_|STATE_)' | sort
			grep '^Cap' /proc/self/status
			ls -ld "\$RUNTIME_DIRECTORY" "\$STATE_DIRECTORY" | awk '{ print \$1, \$3, \$4, \$NF }'
			echo all
		} >$ctl/is.\$1 2>&1
		while :; do [ -e $ctl/req ] && $calls \$(cat $ctl/req); sleep 0.1; done
	EOT
	echo VM_FILE=file >$ctl/env
	chmod 1777 $ctl
	service vm-place Type=exec ExecStart= "ExecStart=/bin/sh $ctl/place production" User=nobody \
		SupplementaryGroups=games RuntimeDirectory=vm-place StateDirectory=vm-place WorkingDirectory=/var/lib/vm-place \
		'Environment=VM_WORD=a "VM_WORDS=b c"' EnvironmentFile=$ctl/env LimitNOFILE=2000:3000 \
		AmbientCapabilities=CAP_NET_BIND_SERVICE 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_RAW'
	systemctl start vm-place
	wait_for 60 grep -qx all $ctl/is.production
	wait_for 60 called systemd/vm-place.service wait4
	sleep 2
	tamis oracle systemd/vm-place.service --hardened "/bin/sh $ctl/place twin" --window 10s --bootstrap
	wait_for 120 oracle_is systemd/vm-place.service watching
	echo 140 >$ctl/req
	wait_for 120 has_verdict vm-place learned 140
	chmod 755 $ctl
	cat $ctl/is.twin
	grep -qx all $ctl/is.twin
	diff $ctl/is.production $ctl/is.twin
	grep -qx 'VM_WORDS=b c' $ctl/is.twin
	grep -qx 'VM_FILE=file' $ctl/is.twin
	grep -qx 65534 $ctl/is.twin
	rm -rf /var/lib/vm-place /var/lib/private/vm-place
}

@test "a guarded call is rejected at once, and production goes on" {
	local pid
	begun vm-guard
	guarded_by vm-guard
	pid=$(main_pid vm-guard)
	request 101
	wait_for 60 has_verdict vm-guard rejected 101
	said 'vm-guard.*rejected.*ptrace'
	[[ $(main_pid vm-guard) == "$pid" && $(oracle_loops systemd/vm-guard.service) == 0 ]]
	request 101 140
	wait_for 240 has_verdict vm-guard learned 140
	wait_for 120 oracle_is systemd/vm-guard.service watching
	alive
	generations_lack systemd/vm-guard.service 101
	systemctl cat vm-guard | grep '^SystemCallFilter=[^~]' >list
	grep -w getpriority list
	fails grep -w ptrace list
}

@test "a twin that never comes up: production is back, and the loop backs off" {
	begun vm-broken
	guarded_by vm-broken --hardened '/bin/sh -c "exit 3"'
	request 140
	wait_for 240 said 'vm-broken.*loop 2: nothing learned'
	said "vm-broken.*loop 1: nothing learned: the twin didn't stay: it ended with status 3"
	wait_for 120 oracle_is systemd/vm-broken.service resting
	alive
	under vm-broken 2
	wait_for 60 no_twin
	fails has_verdict vm-broken learned 140
}

# systemd has given it up by then: it is started all the same.
@test "a service that dies of what is refused, restarted by systemd until that is too often" {
	cat >$ctl/dies <<-EOT
		while :; do
			: >$ctl/alive
			[ ! -e $ctl/req ] || { $calls -r \$(cat $ctl/req) >$ctl/new && ! grep -e ' -38$' $ctl/new; } || exit 1
			[ ! -e $ctl/req ] || cat $ctl/new >$ctl/out
			sleep 0.1
		done
	EOT
	service vm-dies Type=exec ExecStart= "ExecStart=/bin/sh $ctl/dies" Restart=always RestartSec=20ms
	# The limit holds for longer than a loop.
	{
		echo '[Unit]'
		echo StartLimitIntervalSec=600
	} >>/run/systemd/system/vm-dies.service
	systemctl daemon-reload
	systemctl start vm-dies
	echo 39 >$ctl/req
	wait_for 60 test -s $ctl/out
	rm $ctl/req $ctl/out
	alive
	wait_for 60 called systemd/vm-dies.service wait4
	sleep 2
	guarded_by vm-dies --hardened "/bin/sh $ctl/dies"
	echo stop >"$trace.hold"
	request 140
	wait_for 60 traced stop 1
	wait_for 120 systemctl is-failed vm-dies
	rm "$trace.hold"
	serves_at_last vm-dies
	has_verdict vm-dies learned 140
}

# --- the daemon ends ----------------------------------------------------------------------------------

@test "kill -9 of the daemon at every state: production comes back, with what was learned" {
	local state nr=0 number before
	local -r numbers=(140 141 145 146 147 148 143)
	begun vm-kill
	guarded_by vm-kill
	request 101
	wait_for 60 has_verdict vm-kill rejected 101
	for state in watch stop twin window untwin judge start; do
		number=${numbers[nr++]}
		before=$(grep -c "^$state " "$trace") || true
		echo "state $state, call $number"
		echo "$state" >"$trace.hold"
		request "$number"
		if [[ $state == watch ]]; then
			wait_for 60 has_denial getpriority
		else
			wait_for 120 traced "$state" $((before + 1))
		fi
		systemctl reset-failed tamis
		killed tamis
		rm "$trace.hold"
		serves_at_last vm-kill
		has_verdict vm-kill learned "$number"
		no_units 'tamis-oracle-*'
	done
	request "${numbers[@]}"
	serves_at_last vm-kill
	has_verdict vm-kill rejected 101
	generations_lack systemd/vm-kill.service 101
	wait_for 60 no_twin
}

@test "a daemon that is stopped in the middle of a loop brings production back first" {
	begun vm-term
	guarded_by vm-term
	echo window >"$trace.hold"
	request 140
	wait_for 120 traced window 1
	[[ $(systemctl is-active vm-term) != active ]]
	systemctl is-active tamis-oracle-vm-term.service
	systemctl stop tamis
	systemctl is-active vm-term
	alive
	no_units 'tamis-oracle-*'
	rm "$trace.hold"
	systemctl start tamis
	serves_at_last vm-term
}

# --- begun by a rule -----------------------------------------------------------------------------------

@test "a rule of the configuration begins one" {
	service vm-rule Type=exec ExecStart= "ExecStart=/bin/sh $ctl/service"
	systemctl start vm-rule
	wait_for 120 oracle_is systemd/vm-rule.service watching
	said 'vm-rule.service: oracle: begun by \[oracle systemd/vm-rule.service\]'
	alive
	request 140
	serves_at_last vm-rule
	has_verdict vm-rule learned 140
	refuses 'by a rule' tamis oracle systemd/vm-rule.service --stop
}

@test "who can't have one is told why" {
	begun vm-no
	refuses "whole path" tamis oracle systemd/vm-no.service --hardened 'sh -c true'
	refuses "whole path" tamis oracle systemd/vm-no.service --hardened localhost/image
	refuses "podman's" tamis oracle systemd/vm-no.service --hardened /bin/true --container vm-no
	refuses 'no unit "vm-nowhere.service"' tamis oracle systemd/vm-no.service --hardened /bin/true --unit vm-nowhere
	systemctl is-active vm-no
	systemd-run --unit vm-transient /bin/sh $ctl/service
	wait_for 60 called systemd/vm-transient.service getppid
	refuses 'transient unit' tamis oracle systemd/vm-transient.service --hardened /bin/true
	systemctl is-active vm-transient
}
