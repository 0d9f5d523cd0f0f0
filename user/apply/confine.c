/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/confine.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "emit/emit.h"

static int load(const struct sock_filter *insn, size_t cnt)
{
	struct sock_fprog prog = { .len = cnt, .filter = (struct sock_filter *)insn };

	/* Without it the kernel wants CAP_SYS_ADMIN, and a set-user-ID program started under
	 * a strange filter could be made to misbehave. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return -errno;
	return 0;
}

int confine_self(const struct filter *f)
{
	_free_ struct sock_filter *insn = NULL;
	size_t cnt;
	int r = bpf_program(f, &insn, &cnt);

	return r < 0 ? r : load(insn, cnt);
}

int confine_self_bpf(const void *program, size_t len)
{
	size_t cnt = len / sizeof(struct sock_filter);

	if (len % sizeof(struct sock_filter) != 0 || cnt < 1 || cnt > BPF_MAXINSNS)
		return -EINVAL;
	return load(program, cnt);
}
