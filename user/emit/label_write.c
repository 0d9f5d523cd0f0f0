/* SPDX-License-Identifier: Apache-2.0 */
/* The policy inside one line: what goes with an image, or with a container. */
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "emit/formats.h"

const struct emit_limit label_limits[] = {
	{ "heeded by podman --seccomp-policy=image alone", NULL },
	{ 0 },
};

int label_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	_free_ char *json = NULL;
	size_t len = 0;
	int r = emit_text(oci_write, p, NULL, &json, &len);

	if (r < 0)
		return r;
	fputs("io.containers.seccomp.profile=", f);
	for (const char *c = json; *c; c++) {
		if (!strchr(" \t\n", *c)) /* none of the names has one */
			fputc(*c, f);
	}
	fputc('\n', f);
	return ferror(f) ? -EIO : 0;
}

const struct emit_limit annotation_limits[] = {
	{ "heeded by crun alone, in the place of any other profile; with another runtime nothing "
	  "of "
	  "it is in force",
	  NULL },
	{ "refused with ENOSYS, as nobody listens for those that ask", list_asking },
	{ 0 },
};

int annotation_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	_free_ char *program = NULL, *line = NULL;
	size_t len = 0;
	int r = emit_text(bpf_write, p, NULL, &program, &len);

	if (r < 0)
		return r;
	line = base64_encode(program, len);
	if (!line)
		return -ENOMEM;
	fprintf(f, "run.oci.seccomp_bpf_data=%s\n", line);
	return ferror(f) ? -EIO : 0;
}
