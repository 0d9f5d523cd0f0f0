/* SPDX-License-Identifier: Apache-2.0 */
/* policies/explore/, embedded. */
#include "mine/explore_internal.h"

#define FILES(X)                                \
	X(apache, "apache")                     \
	X(http, "http")                         \
	X(http_body, "http-body")               \
	X(http_conditions, "http-conditions")   \
	X(http_slow, "http-slow")               \
	X(http_wire, "http-wire")               \
	X(http_write, "http-write")             \
	X(logs, "logs")                         \
	X(memcached, "memcached")               \
	X(memcached_broken, "memcached-broken") \
	X(memcached_flush, "memcached-flush")   \
	X(memcached_large, "memcached-large")   \
	X(memcached_stats, "memcached-stats")   \
	X(mysql, "mysql")                       \
	X(mysql_wire, "mysql-wire")             \
	X(nginx, "nginx")                       \
	X(postgres, "postgres")                 \
	X(postgres_keep, "postgres-keep")       \
	X(postgres_wire, "postgres-wire")       \
	X(redis, "redis")                       \
	X(redis_broken, "redis-broken")         \
	X(redis_clients, "redis-clients")       \
	X(redis_keep, "redis-keep")             \
	X(redis_large, "redis-large")           \
	X(redis_scripts, "redis-scripts")       \
	X(redis_types, "redis-types")           \
	X(restart, "restart")                   \
	X(shell, "shell")                       \
	X(signals, "signals")                   \
	X(stop_int, "stop-int")                 \
	X(stop_term, "stop-term")               \
	X(tcp, "tcp")

/* The build runs in the top folder, so paths are from there whatever O= is. */
#define EMBED(id, name)                                                      \
	__asm__(".pushsection .rodata\n"                                     \
		"explored_" #id ":\n.incbin \"policies/explore/" name "\"\n" \
		"explored_" #id "_end:\n.byte 0\n.popsection\n");            \
	extern const char explored_##id[], explored_##id##_end[];

FILES(EMBED)

#define FILE_ROW(id, name) { name, explored_##id, explored_##id##_end },

const struct explore_file explore_files[] = { FILES(FILE_ROW) };
const size_t explore_files_cnt = ARRAY_SIZE(explore_files);
