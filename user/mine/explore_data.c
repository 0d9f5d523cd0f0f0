/* SPDX-License-Identifier: Apache-2.0 */
/* policies/explore/, embedded. */
#include "mine/explore_internal.h"

#define FILES(X)                              \
	X(apache, "apache")                   \
	X(http, "http")                       \
	X(http_slow, "http-slow")             \
	X(http_wire, "http-wire")             \
	X(http_write, "http-write")           \
	X(logs, "logs")                       \
	X(memcached, "memcached")             \
	X(memcached_flush, "memcached-flush") \
	X(mysql, "mysql")                     \
	X(mysql_wire, "mysql-wire")           \
	X(nginx, "nginx")                     \
	X(postgres, "postgres")               \
	X(postgres_wire, "postgres-wire")     \
	X(redis, "redis")                     \
	X(redis_keep, "redis-keep")           \
	X(shell, "shell")                     \
	X(signals, "signals")                 \
	X(stop, "stop")                       \
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
