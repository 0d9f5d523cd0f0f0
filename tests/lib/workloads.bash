# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# redis, nginx and python3's http.server as workloads, and of the oracle's memcached, php and a web
# application of python's (wsgi): how each is started, loaded, asked whether it lives. Needs base.bash
# and a directory `site`, made by workloads_site.

# shellcheck disable=SC2034
workloads=(redis nginx python3)

# workloads_site DIR PORT: what the two web servers serve, and nginx' configuration.
workloads_site() {
	site=$1
	mkdir -p "$site/sub"
	echo 'it works' >"$site/index.html"
	head -c 300000 /dev/zero | tr '\0' x >"$site/large.bin"
	echo one >"$site/sub/one.txt"
	cat >"$site/nginx.conf" <<-EOT
		user www-data;
		worker_processes 2;
		pid /tmp/nginx.pid;
		error_log stderr;
		events { worker_connections 256; }
		http {
			access_log off;
			client_body_temp_path /tmp/body;
			proxy_temp_path /tmp/proxy;
			fastcgi_temp_path /tmp/fastcgi;
			uwsgi_temp_path /tmp/uwsgi;
			scgi_temp_path /tmp/scgi;
			sendfile on;
			server {
				listen 127.0.0.1:$2;
				root /site;
				autoindex on;
			}
		}
	EOT
	cp "$ROOT"/tests/lib/app.{py,php} "$site"
	chmod -R a+rX "$site"
}

# workload_command NAME PORT: sets `command`.
# shellcheck disable=SC2034
workload_command() {
	case $1 in
	redis) command=(redis-server --port "$2" --bind 127.0.0.1 --save '' --appendonly no) ;;
	nginx) command=(nginx -e stderr -c /site/nginx.conf -g 'daemon off;') ;;
	python3) command=(python3 -m http.server --bind 127.0.0.1 --directory /site "$2") ;;
	wsgi) command=(python3 -B /site/app.py "$2") ;;
	memcached) command=(memcached -u user -l 127.0.0.1 -p "$2" -U 0) ;;
	php) command=(sh -c "exec /usr/bin/php[0-9]* -S 127.0.0.1:$2 -t /site") ;;
	esac
}

# workload_image NAME: the recipe its image is made from.
workload_image() {
	case $1 in
	wsgi) echo python3 ;;
	*) echo "$1" ;;
	esac
}

# A process 1 ignores what it has no handler for: python3 and php have one for SIGINT only.
workload_stop_signal() {
	case $1 in
	python3 | wsgi | php) echo INT ;;
	*) echo TERM ;;
	esac
}

workload_up() {
	case $1 in
	redis) [[ $(timeout 10 redis-cli -p "$2" ping 2>/dev/null) == PONG ]] ;;
	memcached) memcached_ask "$2" version | grep -q ^VERSION ;;
	*) [[ $(curl -m 20 -s "http://127.0.0.1:$2/index.html") == 'it works' ]] ;;
	esac
}

# workload_load NAME PORT: a second or two of everything it does. A service that ends meanwhile fails it,
# and a client that then waits for ever does.
workload_load() {
	local url="http://127.0.0.1:$2"
	case $1 in
	redis)
		timeout 60 redis-benchmark -p "$2" -q -n 2000 -c 20 >/dev/null &&
			timeout 60 redis-benchmark -p "$2" -q -n 4000 -P 8 --threads 2 -t get,set >/dev/null
		;;
	nginx)
		wrk -t1 -c20 -d1s "$url/index.html" >/dev/null && wrk -t1 -c4 -d1s "$url/large.bin" >/dev/null &&
			web_requests "$url"
		;;
	python3)
		wrk -t1 -c4 -d1s "$url/index.html" >/dev/null && web_requests "$url"
		;;
	wsgi | php)
		wrk -t1 -c4 -d1s "$url/index.html" >/dev/null && application_requests "$url"
		;;
	memcached)
		memcached_load "$2" & memcached_load "$2" && wait $! && memcached_rare "$2"
		;;
	esac
}

# memcached_ask PORT LINE...: on one connection; fails without an answer in time.
memcached_ask() {
	local port=$1
	shift
	(
		exec 3<>"/dev/tcp/127.0.0.1/$port" || exit
		printf '%s\r\n' "$@" quit >&3
		timeout 5 cat <&3
	) 2>/dev/null
}

memcached_load() {
	local i lines=()
	for ((i = 0; i < 2000; i++)); do
		lines+=("set key$i 0 0 5" "value" "get key$i")
	done
	[[ $(memcached_ask "$1" "${lines[@]}" | grep -c '^VALUE') == 2000 ]]
}

memcached_rare() {
	local large
	large=$(head -c 500000 /dev/zero | tr '\0' x)
	memcached_ask "$1" 'set n 0 0 1' 1 'incr n 41' 'stats' 'stats slabs' 'verbosity 1' 'touch n 5' \
		'delete n' | grep -q DELETED &&
		[[ $(memcached_ask "$1" 'set large 0 0 500000' "$large" 'get large' flush_all | tr -d '\r' | tail -n 1) == OK ]]
}

# What app.py and app.php answer "ok" to.
application_requests() {
	local path
	for path in count keep hash child; do
		[[ $(curl -m 20 -sf "$1/app.php/$path") == ok ]] || return 1
	done
	[[ $(curl -m 20 -s -o /dev/null -w '%{http_code}' "$1/app.php/none") == 404 ]]
}

web_requests() {
	local i
	for i in index.html large.bin sub/ sub/one.txt; do
		curl -m 20 -sf -o /dev/null "$1/$i" || return 1
	done
	curl -m 20 -sf -o /dev/null -r 10-20 "$1/large.bin" && curl -m 20 -sfI -o /dev/null "$1/index.html" &&
		[[ $(curl -m 20 -s -o /dev/null -w '%{http_code}' "$1/none") == 404 ]]
}

# What somebody types in the container: $session in a shell.
# shellcheck disable=SC2034
session='id; cat /proc/self/status >/dev/null; sleep 0.7; ls / >/dev/null; echo done'
