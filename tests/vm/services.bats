#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: services that restart under their policy, and back.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load guest.bash
load systemd.bash
load installed.bash

drop_in=zz-tamis.conf

setup_file() {
	user_make u 1000
	installed <<-'EOT'
		[daemon]
		interval = 0.2
		service = vm-*
		service = ssh
		service = buildkit
		service = tamis-*
		[apply]
		trial = 5
		[auto systemd/vm-auto*]
		mode = enforce
		observe = 0s
		starts = 1
		quiet = 0s
	EOT
	systemctl start ssh
}

teardown_file() {
	uninstalled services
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	units_sweep
	systemctl daemon-reload
	systemctl reset-failed
	systemctl start tamis
}

# --- what is asked of a service -----------------------------------------------------------------

# web NAME PORT LINE...: a service that answers there. What is written to it is its own alone.
web() {
	local name=$1 port=$2
	shift 2
	service "$name" Type=exec ExecStart= \
		"ExecStart=/usr/bin/python3 -I -S $BATS_TEST_DIRNAME/web.py $port" "$@"
}

# get PORT PATH: the last line of the answer.
get() {
	local fd
	exec {fd}<>"/dev/tcp/127.0.0.1/$1" || return
	printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&"$fd"
	timeout 60 tail -n 1 <&"$fd"
	exec {fd}>&-
}

serves() {
	[[ $(get "$1" / 2>/dev/null) == ok ]]
}

# learned_web NAME PORT: it served, and what it called for that is in the store.
learned_web() {
	systemctl start "$1"
	wait_for 60 serves "$2"
	wait_for 60 called "systemd/$1.service" sendto
	wait_for 60 called "systemd/$1.service" accept4
}

# restarted NAME PORT
restarted() {
	systemctl restart "$1"
	wait_for 60 serves "$2"
}

# state_of WORKLOAD GENERATION: of its history.
state_of() {
	tamis history "$1" --json >history.json &&
		jq -r --argjson n "$2" '.generations[] | select(.number == $n) | .state' history.json
}

has_state() {
	[[ $(state_of "$1" "$2") == "$3" ]]
}

# fails_with WORDS COMMAND...: status 1, and these words among what it says.
fails_with() {
	local words=$1
	shift
	run "$@"
	echo "$status: $output"
	[[ $status == 1 && $output == *"$words"* ]]
}

# released WORKLOAD: the daemon may have the store while systemd reads its units.
released() {
	wait_for 60 tamis release "$1"
}

text_of() {
	systemctl cat "$1"
}

# --- in force -----------------------------------------------------------------------------------

@test "a service restarts under its policy: it serves, and what it never called is refused" {
	web vm-web 8101
	web control 8102
	learned_web vm-web 8101
	systemctl start control
	wait_for 60 serves 8102
	[[ $(get 8102 /try) == 0 ]] # or it would prove nothing
	systemctl stop control
	rm /run/systemd/system/control.service
	tamis apply systemd/vm-web.service
	under vm-web 0 # it goes on as it was
	text_of vm-web
	restarted vm-web 8101
	under vm-web 2
	[[ $(get 8101 /try) == 38 ]]
	serves 8101
	# its trial is over by itself, and with it what watched over it
	wait_for 120 has_state systemd/vm-web.service 1 good
	text_of vm-web | grep -q '^SystemCallFilter=.*accept4'
	[[ $(text_of vm-web) != *tamis-start* ]]
	restarted vm-web 8101
	under vm-web 2
	released systemd/vm-web.service
	[[ ! -e /etc/systemd/system/vm-web.service.d ]]
	restarted vm-web 8101
	under vm-web 0
	[[ $(get 8101 /try) == 0 ]]
}

@test "a trial leaves what was learned as it is" {
	mapfile -t lines < <(running 39 102)
	service vm-exact "${lines[@]}" User=nobody
	systemctl start vm-exact
	wait_for 60 called vm-exact sched_yield
	tamis apply systemd/vm-exact.service
	for i in 2 3; do
		systemctl restart vm-exact
		wait_for 60 shown vm-exact ".starts == $i and .state == \"running\""
		under vm-exact 2
	done
	grep -c '^start 1 ' "$state/trial/"*vm-exact* || ls -R "$state/trial"
	systemctl stop vm-exact
	workload_ended vm-exact
	staying 39 102
	names_equal systemd/vm-exact.service wanted
}

@test "names with escapes, templates, and paths of their own" {
	local unit
	for unit in 'vm-dev\x2dweb' 'vm-web@a\x2db'; do
		web "${unit/@*/@}" 8103 ProtectSystem=strict PrivateTmp=yes ProtectHome=yes
		learned_web "$unit" 8103
		tamis apply "systemd/$unit.service"
		restarted "$unit" 8103
		under "$unit.service" 2
		[[ $(get 8103 /try) == 38 ]]
		wait_for 120 has_state "systemd/$unit.service" 1 good
		released "systemd/$unit.service"
		systemctl stop "$unit"
	done
}

@test "a unit's own list gives way to what was learned under it" {
	web vm-own 8104 'SystemCallFilter=@system-service' SystemCallErrorNumber=EPERM
	mkdir -p /etc/systemd/system/vm-own.service.d
	printf '[Service]\nSystemCallFilter=@mount\n' >/etc/systemd/system/vm-own.service.d/override.conf
	learned_web vm-own 8104
	under vm-own 2
	tamis apply systemd/vm-own.service
	restarted vm-own 8104
	[[ $(get 8104 /try) == 38 ]]
	released systemd/vm-own.service
	[[ -e /etc/systemd/system/vm-own.service.d/override.conf ]]
	rm -r /etc/systemd/system/vm-own.service.d
}

@test "rollback to what was before" {
	web vm-back 8105
	learned_web vm-back 8105
	tamis apply systemd/vm-back.service --no-trial
	[[ $(get 8105 /try) == 0 ]]
	wait_for 60 called systemd/vm-back.service getpriority
	tamis apply systemd/vm-back.service --no-trial
	restarted vm-back 8105
	under vm-back 2
	[[ $(get 8105 /try) == 0 ]]
	tamis rollback systemd/vm-back.service 1
	restarted vm-back 8105
	[[ $(get 8105 /try) == 38 ]]
}

# --- a bad one ----------------------------------------------------------------------------------

starts_of() {
	systemctl show -P NRestarts "$1"
}

@test "a bad generation takes itself back, the daemon being dead" {
	web vm-bad 8106 Restart=always RestartSec=100ms
	learned_web vm-bad 8106
	tamis deny systemd/vm-bad.service listen
	tamis apply systemd/vm-bad.service
	systemctl stop tamis
	restarted vm-bad 8106
	under vm-bad 0
	[[ $(starts_of vm-bad) -le 2 ]]
	[[ ! -e /etc/systemd/system/vm-bad.service.d/$drop_in ]]
	[[ $(state_of systemd/vm-bad.service 1) == failed ]]
	tamis history systemd/vm-bad.service
	tamis history systemd/vm-bad.service | grep -i 'failed' | grep -q 'exited with 1'
	systemctl start tamis
	wait_for 60 has_state systemd/vm-bad.service 1 failed
	restarted vm-bad 8106
	under vm-bad 0
}

@test "and back to the good one before it" {
	web vm-two 8107 Restart=always RestartSec=100ms
	learned_web vm-two 8107
	tamis apply systemd/vm-two.service --no-trial
	restarted vm-two 8107
	under vm-two 2
	tamis deny systemd/vm-two.service bind
	tamis apply systemd/vm-two.service
	systemctl stop tamis
	restarted vm-two 8107
	under vm-two 2
	[[ $(get 8107 /try) == 38 ]]
	[[ $(state_of systemd/vm-two.service 2) == failed ]]
	text_of vm-two | grep -q 'generation 1 of'
}

@test "a unit without tamis-start, a state that is gone: it starts" {
	web vm-gone 8108
	learned_web vm-gone 8108
	tamis apply systemd/vm-gone.service
	sed -i 's|-+/[^ ]*|-+/nowhere/tamis-start|' "/etc/systemd/system/vm-gone.service.d/$drop_in"
	systemctl daemon-reload
	restarted vm-gone 8108
	under vm-gone 2
	tamis apply systemd/vm-gone.service --force
	systemctl daemon-reload
	mv "$state/applied" "$state/elsewhere"
	restarted vm-gone 8108
	under vm-gone 2
	mv "$state/elsewhere" "$state/applied"
	released systemd/vm-gone.service
}

# --- what can't be ------------------------------------------------------------------------------

# A guarded call, which sshd never made: PTRACE_TRACEME.
trace='python3 -c "import ctypes; print(ctypes.CDLL(None).ptrace(0, 0, 0, 0))"'

login_left() {
	as u "$calls 140 141"
	shown ssh.service '.spawns_elsewhere.processes >= 1'
}

@test "sshd: refused, saying why; with descendants a login works" {
	systemctl restart ssh
	wait_for 60 login_left
	fails_with 'way into this machine' tamis apply ssh.service
	[[ ! -e /etc/systemd/system/ssh.service.d/$drop_in ]]
	tamis apply ssh.service --with-descendants
	text_of ssh
	systemctl restart ssh
	under ssh 2
	[[ $(as u 'id -un; grep -c Seccomp:.2 /proc/self/status') == $'u\n1' ]]
	as u "$calls 140 141"
	[[ $(as u "$trace") == -1 ]]
	released ssh.service
	systemctl restart ssh
	[[ $(as u "$trace; grep -c Seccomp:.0 /proc/self/status") == $'0\n1' ]]
}

# docker.service and tamis.service themselves are no workloads.
@test "never, even with --force: an engine, tamis itself" {
	local unit
	mapfile -t lines < <(running 39 102)
	for unit in buildkit tamis-other; do
		service "$unit" "${lines[@]}"
		systemctl start "$unit"
		wait_for 60 called "systemd/$unit.service" getuid
		fails_with 'not applied' tamis apply "systemd/$unit.service" --force
		[[ ! -e /etc/systemd/system/$unit.service.d ]]
		systemctl stop "$unit"
		rm "/run/systemd/system/$unit.service"
	done
	for unit in docker tamis user@1000; do
		fails_with "$unit.service" tamis apply "systemd/$unit.service" --force
	done
}

@test "a user's unit: refused, root's alone can have a drop-in" {
	unit_dir=/home/u/.config/systemd/user
	mapfile -t lines < <(running 39 102)
	service vm-user "${lines[@]}"
	systemctl --user -M u@ start vm-user
	wait_for 60 called 'systemd/~1000/vm-user.service' getuid
	fails_with "a user's unit" tamis apply 'systemd/~1000/vm-user.service'
	systemctl --user -M u@ stop vm-user
	rm "$unit_dir/vm-user.service"
}

# --- by itself ----------------------------------------------------------------------------------

@test "the daemon, in its sandbox, applies by a rule, and takes back what is released" {
	web vm-auto 8110
	learned_web vm-auto 8110
	wait_for 120 test -e "/etc/systemd/system/vm-auto.service.d/$drop_in"
	restarted vm-auto 8110
	under vm-auto 2
	[[ $(get 8110 /try) == 38 ]]
	wait_for 120 has_state systemd/vm-auto.service 1 good
	[[ $(text_of vm-auto) != *tamis-start* ]]
	journalctl -u tamis -o cat | grep vm-auto
}
