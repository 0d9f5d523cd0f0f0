# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# redis, nginx and python3's http.server as workloads: how each is started, loaded, asked whether
# it lives. Needs base.bash and a directory `site`, made by workloads_site.

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
	chmod -R a+rX "$site"
}

# workload_command NAME PORT: sets `command`.
# shellcheck disable=SC2034
workload_command() {
	case $1 in
	redis) command=(redis-server --port "$2" --bind 127.0.0.1 --save '' --appendonly no) ;;
	nginx) command=(nginx -e stderr -c /site/nginx.conf -g 'daemon off;') ;;
	python3) command=(python3 -m http.server --bind 127.0.0.1 --directory /site "$2") ;;
	esac
}

# A process 1 ignores what it has no handler for: python3 has one for SIGINT only.
workload_stop_signal() {
	[[ $1 == python3 ]] && echo INT || echo TERM
}

workload_up() {
	case $1 in
	redis) [[ $(redis-cli -p "$2" ping 2>/dev/null) == PONG ]] ;;
	*) [[ $(curl -s "http://127.0.0.1:$2/index.html") == 'it works' ]] ;;
	esac
}

# workload_load NAME PORT: a second or two of everything it does.
workload_load() {
	local url="http://127.0.0.1:$2"
	case $1 in
	redis)
		redis-benchmark -p "$2" -q -n 2000 -c 20 >/dev/null &&
			redis-benchmark -p "$2" -q -n 4000 -P 8 --threads 2 -t get,set >/dev/null
		;;
	nginx)
		wrk -t1 -c20 -d1s "$url/index.html" >/dev/null && wrk -t1 -c4 -d1s "$url/large.bin" >/dev/null &&
			web_requests "$url"
		;;
	python3)
		wrk -t1 -c4 -d1s "$url/index.html" >/dev/null && web_requests "$url"
		;;
	esac
}

web_requests() {
	local i
	for i in index.html large.bin sub/ sub/one.txt; do
		curl -sf -o /dev/null "$1/$i" || return 1
	done
	curl -sf -o /dev/null -r 10-20 "$1/large.bin" && curl -sfI -o /dev/null "$1/index.html" &&
		[[ $(curl -s -o /dev/null -w '%{http_code}' "$1/none") == 404 ]]
}

# What somebody types in the container: $session in a shell.
# shellcheck disable=SC2034
session='id; cat /proc/self/status >/dev/null; sleep 0.7; ls / >/dev/null; echo done'
