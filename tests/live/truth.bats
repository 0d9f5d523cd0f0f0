#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Ground truth: what tamis recorded of a real program is what strace -f saw in the same run, no
# call less and none more. Each program stops itself in its cgroup, strace attaches from outside,
# then it goes on to its exec; its own first exec is the start, not part of the set.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

# One cgroup each, one daemon for all.
setup_file() {
	export sensor_prefix=tamis-truth-$$
	export DIR=$BATS_FILE_TMPDIR
	daemon_start "$DIR/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
}

teardown_file() {
	daemon_pid=$(<"$DIR/daemon/pid")
	daemon_stop
	cgroups_sweep
}

setup() {
	daemon_dir=$DIR/daemon
	program=0 tracer=0
	cd "$BATS_TEST_TMPDIR" || return
	umask 022
	export HOME=$BATS_TEST_TMPDIR LC_ALL=C.UTF-8
}

teardown() {
	((program == 0)) || kill -KILL "$program" 2>/dev/null || true
	((tracer == 0)) || kill -KILL "$tracer" 2>/dev/null || true
}

is_stopped() {
	[[ $(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status") == T ]]
}

# attach PID: strace follows the stopped program and all that it starts.
attach() {
	wait_for 10 is_stopped "$1"
	# A --quiet of any kind keeps the lines about ABIs, which -o alone would leave out.
	strace -f -n -s 0 --quiet=path-resolution -o strace.out -p "$1" 2>strace.err 3>&- &
	tracer=$!
	wait_for 10 grep -q "Process $1 attached" strace.err
	kill -CONT "$1"
}

# Waits for the end of all that strace follows, and makes the wanted set of it.
detach() {
	wait_for 90 gone "$tracer" || { echo "still running:"; tail -n 3 strace.out; return 1; }
	tracer=0
	sysset strace "$1" strace.out >wanted
}

# truth_begin COMMAND...: in its cgroup, traced, running.
truth_begin() {
	cgroup_make "$BATS_TEST_NUMBER"
	"$O/tools/launch" -s "$(cgroup_dir "$BATS_TEST_NUMBER")" "$@" >out 2>&1 </dev/null 3>&- &
	program=$!
	attach "$program"
}

truth_end() {
	local pid=$program rc=0
	detach "$pid"
	program=0
	wait "$pid" || rc=$?
	((rc == 0)) || { echo "the program failed ($rc):"; tail out; return 1; }
	cgroup_remove "$BATS_TEST_NUMBER"
	workload_settle "$BATS_TEST_NUMBER"
	must_equal "$BATS_TEST_NUMBER" wanted
	tamis show "$(workload_key "$BATS_TEST_NUMBER")" --json |
		json_is '.partial == false and .starts == 1'
}

truth() {
	truth_begin "$@"
	truth_end
}

script() {
	cat >"$1"
	chmod 755 "$1"
}

@test "coreutils pipeline" {
	script pipeline <<-'EOF'
		#!/bin/bash
		set -e
		seq 3000 | sort -R | uniq -c | sort -rn | head -n 5 | tee five | wc -l
		ls -lR /usr/include/linux | sha256sum
		cp -a /etc/passwd copy; ln -s copy link; stat link; touch copy; chmod 600 copy
		mkdir -p a/b; mv a c; rm -r c; truncate -s 3 copy; install copy other; sync copy
		df . | tail -n 1; du -s /etc 2>/dev/null; date; nproc; sleep 0.05
		timeout 5 dd if=/dev/zero of=/dev/null bs=64k count=9
		find /etc -name 'p*' -prune -print0 2>/dev/null | xargs -0 -r ls -d | tac | nl
	EOF
	truth /bin/bash "$PWD/pipeline"
	[[ $(wc -l <wanted) -gt 50 ]]
}

@test "python3 script" {
	script script.py <<-'EOF'
		import asyncio, json, mmap, os, socket, sqlite3, subprocess, tempfile, threading, time
		with tempfile.TemporaryDirectory() as d:
		    db = sqlite3.connect(os.path.join(d, "db"))
		    db.execute("create table t (a)")
		    db.execute("insert into t values (1)")
		    db.commit()
		    with open(os.path.join(d, "map"), "wb+") as f:
		        f.truncate(4096)
		        mmap.mmap(f.fileno(), 4096)[0] = 1
		ends = socket.socketpair()
		thread = threading.Thread(target=lambda: ends[0].sendall(b"x" * 10))
		thread.start()
		ends[1].recv(10)
		thread.join()
		subprocess.run(["sh", "-c", "exit 0"], check=True)
		asyncio.run(asyncio.sleep(0.01))
		time.sleep(0.01)
		print(json.dumps(list(os.uname())))
	EOF
	truth /usr/bin/python3 "$PWD/script.py"
}

@test "perl" {
	script script.pl <<-'EOF'
		use strict; use warnings; use Fcntl ':flock'; use POSIX; use Socket; use IO::Select;
		open(my $f, '+>', 'file') or die; flock($f, LOCK_EX) or die; print $f "x\n" x 100;
		seek($f, 0, 0); my @lines = sort <$f>; close $f; rename 'file', 'other'; utime 1, 1, 'other';
		socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
		my $pid = fork // die;
		if (!$pid) { syswrite $a, "hello"; POSIX::_exit(0) }
		IO::Select->new($b)->can_read(5); sysread $b, my $text, 5; waitpid $pid, 0;
		$SIG{ALRM} = sub { $text .= "!" }; alarm 1; select(undef, undef, undef, 3);
		print `uname`, getppid(), (getpwuid($<))[0], "$text\n"; unlink 'other' or die;
	EOF
	truth /usr/bin/perl "$PWD/script.pl"
	grep -q 'hello!' out
}

@test "redis-server under redis-benchmark" {
	truth_begin /usr/bin/redis-server --port 0 --unixsocket "$PWD/redis.sock" --dir "$PWD" \
		--save 3600 1 --appendonly yes --daemonize no
	wait_for 20 redis-cli -s "$PWD/redis.sock" ping
	redis-benchmark -s "$PWD/redis.sock" -q -n 2000 -c 16 -t set,get,lpush,lrange_100,mset
	redis-cli -s "$PWD/redis.sock" eval 'return redis.call("dbsize")' 0
	redis-cli -s "$PWD/redis.sock" bgrewriteaof
	redis-cli -s "$PWD/redis.sock" client pause 50
	redis-cli -s "$PWD/redis.sock" shutdown save
	truth_end
}

@test "nginx under wrk" {
	local port
	port=$(free_port)
	mkdir -p logs temp html
	seq 5000 >html/index.html
	chmod 755 "$BATS_TEST_TMPDIR" html
	script nginx.conf <<-EOF
		daemon off;
		worker_processes 2;
		user root;
		pid $PWD/nginx.pid;
		error_log $PWD/logs/error.log;
		events { worker_connections 64; }
		http {
			access_log $PWD/logs/access.log;
			client_body_temp_path $PWD/temp/a; proxy_temp_path $PWD/temp/b;
			fastcgi_temp_path $PWD/temp/c; uwsgi_temp_path $PWD/temp/d; scgi_temp_path $PWD/temp/e;
			sendfile on; gzip on;
			server { listen 127.0.0.1:$port; root $PWD/html; }
		}
	EOF
	truth_begin /usr/sbin/nginx -e "$PWD/logs/error.log" -p "$PWD" -c "$PWD/nginx.conf"
	wait_for 20 port_open "$port"
	wrk -t 1 -c 8 -d 1 "http://127.0.0.1:$port/"
	curl -sf --compressed -r 0-9 "http://127.0.0.1:$port/" >/dev/null
	curl -s "http://127.0.0.1:$port/missing" >/dev/null
	kill -HUP "$program"
	sleep 0.5
	kill -QUIT "$program"
	truth_end
}

@test "sqlite3" {
	script script.sql <<-'EOF'
		pragma journal_mode = wal;
		create table t (a integer primary key, b text);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
			insert into t select i, hex(randomblob(20)) from n;
		create index tb on t (b);
		delete from t where a % 3 = 0;
		pragma wal_checkpoint(truncate);
		pragma journal_mode = delete;
		vacuum;
		.backup copy.db
		.shell true
		select count(*) from t;
	EOF
	truth /usr/bin/sqlite3 "$PWD/test.db" ".read $PWD/script.sql"
	grep -qx 3334 out
}

@test "tar" {
	mkdir from
	cp -r /usr/include/linux/*.h from
	truth /bin/tar --create --gzip --file "$PWD/x.tgz" --xattrs -C "$PWD" from
}

@test "tar, extracting" {
	cp -r /usr/include/linux/netfilter .
	ln -s netfilter link
	tar cJf x.txz netfilter link
	truth /bin/tar -x -J -f "$PWD/x.txz" --same-owner --overwrite -C "$PWD"
}

@test "git" {
	script work <<-'EOF'
		#!/bin/sh
		set -e
		git init -q repo && cd repo
		git config user.name x && git config user.email x@example.org
		seq 500 >a && git add a && git commit -q -m one
		seq 900 >a && git commit -q -a -m two
		git log --stat | cat; git gc -q; git fsck
		git clone -q . ../clone && cd ../clone && git pull -q && git checkout -q -b other HEAD~1
	EOF
	truth /bin/sh "$PWD/work"
}

@test "curl to a local server" {
	local port server rc=0
	port=$(free_port)
	seq 100000 >big
	/usr/bin/python3 -m http.server --bind 127.0.0.1 "$port" >server.log 2>&1 3>&- &
	server=$!
	wait_for 20 port_open "$port"
	truth /usr/bin/curl -sS -o got "http://localhost:$port/big" || rc=$?
	end_process "$server"
	((rc == 0))
	cmp big got
}

@test "a static program" {
	truth "$O/tools/variety-static" plain threads signals
}

@test "a threaded program" {
	truth "$O/tools/variety" threads
	[[ $(grep -cE ' clone3?\(' strace.out) -ge 12 ]]
}

@test "signals and timers" {
	truth "$O/tools/variety" signals
	grep -q restart_syscall strace.out
	grep -q rt_sigreturn strace.out
}

@test "chains of vfork, spawn and exec" {
	truth "$O/tools/variety" chain plain
	grep -q 'superseded by execve' strace.out
}

@test "a 32-bit program" {
	[[ -x $O/tools/variety-32 ]] || skip 'no 32-bit programs on this machine'
	truth "$O/tools/variety-32" plain threads signals int80
	[[ -s wanted && $(grep -c "^$(uname -m) " wanted) == 0 ]]
}

@test "a 32-bit program that execs 64-bit ones" {
	[[ -x $O/tools/variety-32 ]] || skip 'no 32-bit programs on this machine'
	truth "$O/tools/variety-32" chain
	grep -q "^$(uname -m) " wanted
	grep -qv "^$(uname -m) " wanted
}

@test "int 0x80 from 64-bit code" {
	[[ $(uname -m) == x86_64 ]] || skip 'no int 0x80 on this machine'
	truth "$O/tools/variety" int80 threads
	# getpid and an unknown number, in i386's table; exit too
	grep -qx 'i386 20' wanted && grep -qx 'i386 540' wanted && grep -qx 'i386 1' wanted
}

# The other front door, for kernels without bpf_rdonly_cast.
@test "the portable front door: int 0x80, threads, chains" {
	local rc=0
	sensor_prefix=tamis-portable-$$
	daemon_start "$PWD/daemon" --portable --no-pin --interval 0.2 --watch "/$sensor_prefix-*"
	grep -q 'portable' daemon/log
	truth "$O/tools/variety" int80 threads chain signals || rc=$?
	cgroups_sweep
	daemon_stop
	((rc == 0))
}

# And for those without atomic operations that return a value: sets are kept otherwise.
@test "the legacy front door: int 0x80, threads, chains" {
	local rc=0
	sensor_prefix=tamis-legacy-$$
	daemon_start "$PWD/daemon" --legacy --no-pin --interval 0.2 --unit 1 --watch "/$sensor_prefix-*"
	grep -q 'legacy' daemon/log
	truth "$O/tools/variety" int80 threads chain signals || rc=$?
	cgroups_sweep
	daemon_stop
	((rc == 0))
}

# --- tamis record ---------------------------------------------------------------------------

record_pid() {
	sed -n 's/^tamis: stopped \([0-9]*\),.*/\1/p' record.err | grep .
}

# truth_record COMMAND...: the same for `tamis record`, without a daemon.
truth_record() {
	local recorder rc=0
	"$TAMIS" record --stop -f names -o recorded -- "$@" >out 2>record.err </dev/null 3>&- &
	recorder=$!
	wait_for 20 record_pid
	program=$(record_pid)
	attach "$program"
	detach "$program"
	program=0
	wait "$recorder" || rc=$?
	((rc == ${expected_rc-0})) || { echo "status $rc"; cat record.err; return 1; }
	sysset names recorded >got
	[[ -s wanted ]]
	sysset diff wanted got
}

@test "record: a pipeline" {
	truth_record /bin/sh -c 'seq 1000 | sort -rn | head -n 3; exec true'
}

@test "record: threads, signals, int 0x80, chains" {
	truth_record "$O/tools/variety" threads signals chain int80
}

@test "record: a program that fails" {
	expected_rc=7
	truth_record /usr/bin/perl -e 'open F, "/nonexistent/x"; exit 7'
}
