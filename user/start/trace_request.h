/* SPDX-License-Identifier: Apache-2.0 */
/* What the annotation io.containers.trace-syscall asks for (oci-seccomp-bpf-hook(1)), and the files
 * that it names, which may come from anybody who can start a container. */
#pragma once

#include <stddef.h>

#define TRACE_ANNOTATION "io.containers.trace-syscall"

struct trace_request {
	char *output; /* "of:", an absolute path */
	char *input;  /* "if:", a base profile, or NULL */
};

void trace_request_done(struct trace_request *t);
static inline void trace_request_donep(struct trace_request *t)
{
	trace_request_done(t);
}
#define _trace_request_ __attribute__((cleanup(trace_request_donep)))

/* "of:/abs/out.json", "if:/abs/in.json;of:/abs/out.json" in either order. -EINVAL with a sentence
 * (static text). Pure. */
int trace_request_parse(const char *text, struct trace_request *ret, const char **ret_why);

/* Opens the directory of `path`, which must lie below one of `dirs` (NULL-terminated), without a
 * symlink on the way; *ret_name is what is left of the path (within it). What is there by that name
 * must be a regular file, or nothing. The descriptor, or -EPERM (outside), -ELOOP (a symlink),
 * -ENOENT, -EINVAL. */
int trace_request_dir(const char *path, const char *const dirs[], const char **ret_name);
