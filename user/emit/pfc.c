/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "emit/formats.h"
#include "model/calls.h"

static void calls_in_front(const struct policy *p, FILE *f)
{
	const struct filter *filter = p->filter;
	struct list l = { f };
	size_t n;

	for (size_t i = 0; i < filter->rule_cnt; i += n) {
		n = rules_of_call(filter, i);
		if (!scmp_is_exact(&filter->rule[i], n))
			list_add_call(&l, filter->rule[i].abi, filter->rule[i].nr);
	}
}

const struct emit_limit pfc_limits[] = {
	{ "for reading only; calls that libseccomp can't state exactly come as comments",
	  calls_in_front },
	{ 0 },
};

static void rule_comment(const struct filter_rule *r, FILE *f)
{
	char name[CALLS_NAME_MAX];

	fprintf(f, "#   %s %s", abi_name(r->abi), calls_print(r->abi, r->nr, name));
	for (unsigned i = 0; i < r->cond_cnt; i++) {
		fputs(i ? " and " : " if ", f);
		cond_print(&r->cond[i], f);
	}
	fprintf(f, " -> %s", filter_action_oci(r->action));
	if (r->action == FILTER_ERRNO || r->action == FILTER_TRACE)
		fprintf(f, "(%u)", r->errno_ret);
	fputc('\n', f);
}

static void write_front(const struct filter *filter, FILE *f)
{
	bool begun = false;
	size_t n;

	for (size_t i = 0; i < filter->rule_cnt; i += n) {
		n = rules_of_call(filter, i);
		if (scmp_is_exact(&filter->rule[i], n))
			continue;
		if (!begun)
			fputs("# answered before all else\n", f);
		begun = true;
		for (size_t j = i; j < i + n; j++)
			rule_comment(&filter->rule[j], f);
	}
}

static int copy_fd(int fd, FILE *f)
{
	char buf[8192];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (fwrite(buf, 1, n, f) != (size_t)n)
			return -EIO;
	}
	return n < 0 ? -errno : 0;
}

int pfc_write(const struct policy *p, const struct emit_options *o, FILE *f)
{
	_close_ int fd = memfd_create("pfc", MFD_CLOEXEC);
	void *ctx = NULL;
	int r;

	if (fd < 0)
		return -errno;
	r = scmp_build(p->filter, &ctx);
	if (r < 0)
		return r;
	r = seccomp_export_pfc(ctx, fd);
	seccomp_release(ctx);
	if (r < 0)
		return r;
	write_front(p->filter, f);
	return copy_fd(fd, f);
}
