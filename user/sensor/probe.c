/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/probe.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "bpf/abi.h"

bool probe_x32(void)
{
#if defined(__x86_64__)
	return syscall(SYS_getpid | TAMIS_X32_BIT) == getpid();
#else
	return false;
#endif
}

bool probe_btf(void)
{
	return access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

char *probe_btf_path(void)
{
	struct utsname name;

	return uname(&name) < 0 ? NULL : text_format(PROBE_BTF_DIR "/%s.btf", name.release);
}

int probe_atomics(void)
{
	/* *(u64 *)(r10 - 8) = 0; r1 = fetch_or(r10 - 8, 1); return 0 */
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
		  .dst_reg = 10,
		  .src_reg = 1,
		  .off = -8,
		  .imm = BPF_OR | BPF_FETCH },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "tamis_check", "GPL", insns,
				       ARRAY_SIZE(insns), NULL);

	if (fd >= 0)
		return 1;
	return errno == EINVAL ? 0 : -errno;
}

bool probe_is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}
