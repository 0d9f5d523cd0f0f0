#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: services, what systemd does around them, who leaves them, and
# our own.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load guest.bash
load systemd.bash

setup_file() {
	user_make u 1000
	file_daemon --service 'vm-*' --service ssh --service cron
	# the last test's: cron looks once a minute
	echo 'session optional pam_systemd.so' >>/etc/pam.d/cron
	echo "* * * * * u $calls 39" >/etc/cron.d/vm
	systemctl start ssh cron
}

teardown_file() {
	file_daemon_end
	rm -f /etc/cron.d/vm
}

setup() {
	file_daemon_enter
}

teardown() {
	units_sweep
}

# --- what systemd does for a service is not the service's -----------------------------------------

@test "a service: exactly what it called; what systemd did is setup" {
	service vm-plain
	systemctl start vm-plain
	exactly systemd/vm-plain.service 39 102
	has_calls systemd/vm-plain.service setup execve
	shown vm-plain '.engine == "systemd" and .name == "vm-plain.service" and .image == null'
	shown vm-plain '.starts == 1 and .instances == 1'
}

# Its filter refuses the second call: it wasn't made.
@test "a service with all of systemd's sandbox" {
	service vm-sandbox PrivateTmp=yes ProtectSystem=strict ProtectHome=yes PrivateDevices=yes \
		DynamicUser=yes StateDirectory=vm-sandbox PrivateNetwork=yes ProtectProc=invisible \
		ProtectKernelTunables=yes ProtectControlGroups=yes ProtectHostname=yes \
		RestrictNamespaces=yes MemoryDenyWriteExecute=yes RestrictAddressFamilies=AF_UNIX \
		NoNewPrivileges=yes SystemCallFilter=~getuid SystemCallErrorNumber=EPERM
	systemctl start vm-sandbox
	exactly systemd/vm-sandbox.service 39
	has_calls systemd/vm-sandbox.service setup mount unshare seccomp
	has_calls systemd/vm-sandbox.service gate execve
	lacks systemd/vm-sandbox.service gate mount getuid
	shown vm-sandbox '.starts == 1'
}

@test "services with a user namespace, and with a root of their own" {
	mkdir -p "$DIR/root"/{proc,sys,dev,run,tmp}
	cp "$calls" "$DIR/root/calls"
	service vm-users PrivateUsers=yes User=nobody
	service vm-root "RootDirectory=$DIR/root" ExecStart= 'ExecStart=/calls 39 102' MountAPIVFS=yes
	systemctl start vm-users vm-root
	for i in users root; do
		exactly systemd/vm-$i.service 39 102
		has_calls systemd/vm-$i.service setup unshare
		shown vm-$i '.starts == 1'
	done
}

# systemd 257 on, 252 doesn't know the line: then it is one service more.
@test "a service with a pid namespace of its own" {
	service vm-pids PrivatePIDs=yes
	systemctl start vm-pids
	exactly systemd/vm-pids.service 39 102
	shown vm-pids '.starts == 1'
}

# --- lives of a service ---------------------------------------------------------------------------

@test "restarted by systemd: one workload, two starts" {
	mapfile -t lines < <(running 39 102)
	service vm-again "${lines[@]}" Restart=always RestartSec=100ms
	systemctl start vm-again
	wait_for 60 called vm-again sched_yield
	systemctl kill -s KILL vm-again
	wait_for 60 shown vm-again '.starts == 2 and .state == "running"'
	staying 39 102
	names_equal systemd/vm-again.service wanted
	tamis list --json | json_is '[.workloads[] | select(.name | startswith("vm-again"))] | length == 1'
}

# Its filter binds each of them.
@test "all commands of a service are its own" {
	mapfile -t lines < <(running 102)
	service vm-commands "${lines[@]}" "ExecStartPre=$calls 39" "ExecStartPost=$calls 107" \
		"ExecReload=$calls 108" "ExecStop=$calls 110" "ExecStopPost=$calls 111"
	systemctl start vm-commands
	wait_for 60 called vm-commands sched_yield
	systemctl reload vm-commands
	systemctl stop vm-commands
	exactly systemd/vm-commands.service 39 102 107 108 110 111 pace:1 24
	has_calls systemd/vm-commands.service setup execve
}

@test "a command of a service under another sandbox" {
	mapfile -t lines < <(running 102)
	service vm-mixed "${lines[@]}" PrivateTmp=yes ProtectSystem=strict "ExecStartPre=+$calls 39" \
		"ExecReload=$calls 108"
	systemctl start vm-mixed
	wait_for 60 called vm-mixed sched_yield
	systemctl reload vm-mixed
	systemctl stop vm-mixed
	workload_ended vm-mixed
	staying 39 102 108
	echo x86_64 231 >>wanted
	sort -o wanted -k 1,1 -k 2,2n wanted
	names_equal systemd/vm-mixed.service wanted
}

@test "instances of a template are workloads of their own" {
	service vm-template@ ExecStart= "ExecStart=$calls 39 %i"
	systemctl start vm-template@102 vm-template@104
	for i in 102 104; do
		exactly systemd/vm-template@$i.service 39 $i
	done
}

talk() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.shutdown(socket.SHUT_WR)
' "$1"
}

@test "started by a socket; one for each connection is one workload" {
	mapfile -t lines < <(running 102)
	service vm-listen "${lines[@]}"
	printf '[Socket]\nListenStream=/run/vm-listen\n' | unit vm-listen.socket
	service vm-accept@ Type=exec StandardInput=socket
	printf '[Socket]\nListenStream=/run/vm-accept\nAccept=yes\n' | unit vm-accept.socket
	systemctl start vm-listen.socket vm-accept.socket
	talk /run/vm-listen
	for i in 1 2 3; do
		talk /run/vm-accept
	done
	wait_for 60 called vm-listen.service sched_yield
	staying 102
	names_equal systemd/vm-listen.service wanted
	wait_for 60 shown systemd/vm-accept@.service '.starts == 3'
	exactly systemd/vm-accept@.service 39 102
}

# --- units that have cgroups of their own ---------------------------------------------------------

forged=$(printf 'f%.0s' {1..64})

@test "a delegated service: its cgroups are its own, whatever they are called" {
	cat >"$DIR/delegate" <<-EOT
		cgroup=$(cgroup2_mount)\$(sed -n s/^0:://p /proc/self/cgroup)
		mkdir "\$cgroup/inner" "\$cgroup/docker-$forged.scope"
		$O/tools/launch "\$cgroup/inner" $calls 39
		$O/tools/launch "\$cgroup/docker-$forged.scope" $calls 140
	EOT
	service vm-delegate Delegate=yes ExecStart= "ExecStart=/bin/bash $DIR/delegate"
	systemctl start vm-delegate
	workload_ended systemd/vm-delegate.service
	has_calls systemd/vm-delegate.service workload getpid getpriority mkdir
	shown vm-delegate '.inside == ["docker/ffffffffffff"] and .instances == 1'
	tamis list --json | json_is '[.workloads[] | select(.engine == "docker")] == []'
}

@test "a user's service is that user's" {
	unit_dir=/home/u/.config/systemd/user
	service vm-plain
	service vm-user NoNewPrivileges=yes
	systemctl --user -M u@ start vm-plain vm-user
	for i in plain user; do
		exactly "systemd/~1000/vm-$i.service" 39 102
		has_calls "systemd/~1000/vm-$i.service" setup execve
		shown "systemd/~1000/vm-$i.service" '.starts == 1'
	done
}

# --- who leaves -----------------------------------------------------------------------------------

@test "ssh: a session leaves the service" {
	as u "$calls 140 141"
	wait_for 60 shown ssh.service '.spawns_elsewhere.processes >= 1'
	shown ssh.service '.spawns_elsewhere | .comm == "sshd" or (.comm | startswith("sshd-"))'
	shown ssh.service '.spawns_elsewhere.path | test("^/user.slice/user-1000.slice/session-.*.scope$")'
	lacks ssh.service workload setpriority
}

@test "cron: a job with a session of its own leaves the service" {
	wait_for 150 shown cron.service '.spawns_elsewhere.processes >= 1'
	shown cron.service '.spawns_elsewhere.path | test("^/user.slice/user-1000.slice/session-.*.scope$")'
}

# --- our own service ------------------------------------------------------------------------------

ours() {
	"$TAMIS" "$@" --state /var/lib/tamis
}

ours_knows() {
	ours export vm-ours -f names --stage session 2>/dev/null | grep -qx "$(uname -m) $1"
}

ours_over() {
	ours show vm-ours --json | json_is '.state == "gone"'
}

is_ready() {
	(($(journalctl -u tamis -o cat | grep -c '^ready: ') == $1))
}

@test "tamis.service: ready, knows a container, loses nothing by a crash, drains at its end" {
	cp "$TAMIS" /usr/local/sbin/tamis
	cp "$ROOT/user/systemd/tamis.service" /etc/systemd/system/
	systemctl start tamis
	wait_for 60 is_ready 1
	pod_image "$DIR/image"
	pod_run vm-ours "$image" /calls 39 pace:600000 102
	pod exec vm-ours /calls 140
	wait_for 60 ours_knows getpriority
	systemctl kill -s KILL --kill-who=main tamis
	pod exec vm-ours /calls 24
	wait_for 60 is_ready 2
	wait_for 60 ours_knows sched_yield
	pod exec vm-ours /calls 110
	systemctl stop tamis # its last drain
	ours_knows getppid
	systemctl start tamis
	pod_remove vm-ours
	wait_for 60 ours_over
	ours show vm-ours --json >ours.json
	jq -c 'del(.calls)' ours.json
	json_is '.name == "vm-ours" and .image == "localhost/vm:latest" and .starts == 1' <ours.json
	json_is '.partial == false and .lost.gaps == 0' <ours.json
	systemctl stop tamis
	journalctl -u tamis -o cat
	journalctl -u tamis -o cat | grep -q '^stopped; the programs go on recording'
	"$TAMIS" daemon --unpin
}
