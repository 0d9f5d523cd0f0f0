/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/probe.h"

#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

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

bool probe_is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}
