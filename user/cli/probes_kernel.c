/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/probes.h"
#include "identity/cgroups.h"
#include "sensor/probe.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define SMALL_FILE 4096

/* A kernel file's words, or NULL. Caller frees. */
static char *read_small(const char *path)
{
	char *text = NULL;

	return file_read(path, SMALL_FILE, &text, NULL) < 0 ? NULL : text;
}

/* Whether `text` has `word` between separators. */
static bool has_word(const char *text, const char *word)
{
	static const char separators[] = " ,\n";
	size_t len = strlen(word);

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, separators);

		if (n == len && strncmp(p, word, len) == 0)
			return true;
		p += n + strspn(p + n, separators);
	}
	return false;
}

static void probe_root(struct findings *f)
{
	if (geteuid() == 0)
		findings_add(f, "root", SUPPORT_FINE, "yes");
	else
		findings_add(f, "root", SUPPORT_MISSING,
			     "not root: daemon and record can't load their programs");
}

static void probe_types(struct findings *f)
{
	_free_ char *supplied = probe_btf_path();

	if (probe_btf())
		findings_add(f, "kernel types (BTF)", SUPPORT_FINE, "/sys/kernel/btf/vmlinux");
	else if (supplied && access(supplied, R_OK) == 0)
		findings_add(f, "kernel types (BTF)", SUPPORT_FINE, "%s", supplied);
	else
		findings_add(f, "kernel types (BTF)", SUPPORT_MISSING,
			     "no /sys/kernel/btf/vmlinux: a kernel with CONFIG_DEBUG_INFO_BTF=y "
			     "is needed, or its types in %s",
			     supplied ?: PROBE_BTF_DIR);
}

/* libbpf's answer: 1, 0, or an error that says nothing about the kernel. */
static void add_answer(struct findings *f, const char *name, int answer)
{
	if (answer > 0)
		findings_add(f, name, SUPPORT_FINE, "yes");
	else if (geteuid() != 0)
		findings_add(f, name, SUPPORT_MISSING, "not root: can't be asked");
	else if (answer == 0)
		findings_add(f, name, SUPPORT_MISSING, "this kernel has none");
	else
		findings_add(f, name, SUPPORT_MISSING, "can't be asked: %s", strerror(-answer));
}

static void probe_raw_tracepoints(struct findings *f)
{
	add_answer(f, "raw tracepoints",
		   libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL));
}

static void probe_ring(struct findings *f)
{
	add_answer(f, "ring buffer", libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL));
}

static void probe_atomic(struct findings *f)
{
	int answer = probe_atomics();

	if (answer == 0)
		findings_add(f, "atomic operations in BPF", SUPPORT_DEGRADED,
			     "none that return a value (Linux 5.12): programs and maps that do "
			     "without, with room for fewer sets");
	else
		add_answer(f, "atomic operations in BPF", answer);
}

/* Tries it on a map with one entry. */
static int try_batch(void)
{
	_close_ int map = bpf_map_create(BPF_MAP_TYPE_HASH, "tamis_check", 4, 4, 4, NULL);
	uint32_t key = 1, value = 2, keys[4], values[4], next = 0, cnt = 4;

	if (map < 0)
		return -errno;
	if (bpf_map_update_elem(map, &key, &value, BPF_ANY) < 0)
		return -errno;
	if (bpf_map_lookup_batch(map, NULL, &next, keys, values, &cnt, NULL) < 0 && errno != ENOENT)
		return -errno;
	return cnt == 1 && keys[0] == key && values[0] == value ? 0 : -ENODATA;
}

static void probe_batch(struct findings *f)
{
	int r = try_batch();

	if (r == 0)
		findings_add(f, "batched map reads", SUPPORT_FINE, "yes");
	else if (geteuid() != 0)
		findings_add(f, "batched map reads", SUPPORT_DEGRADED, "not root: can't be asked");
	else
		findings_add(f, "batched map reads", SUPPORT_DEGRADED,
			     "no (%s): a drain reads one set at a time", strerror(-r));
}

static void probe_bpffs(struct findings *f)
{
	if (probe_is_bpffs("/sys/fs/bpf"))
		findings_add(f, "bpffs", SUPPORT_FINE, "/sys/fs/bpf");
	else
		findings_add(f, "bpffs", SUPPORT_DEGRADED,
			     "/sys/fs/bpf is not mounted: the daemon mounts one at /run/tamis/bpf");
}

static void probe_lsm(struct findings *f)
{
	_free_ char *active = read_small("/sys/kernel/security/lsm");

	if (!active)
		findings_add(f, "BPF LSM", SUPPORT_DEGRADED, "not known (no securityfs); optional");
	else if (has_word(active, "bpf"))
		findings_add(f, "BPF LSM", SUPPORT_FINE,
			     "active; attaching may still be refused, nothing depends on it");
	else
		findings_add(f, "BPF LSM", SUPPORT_DEGRADED,
			     "not active (lsm=...,bpf at boot); optional");
}

static void probe_cgroups(struct findings *f)
{
	_free_ char *mount = NULL;
	int mode = cgroups_find(&mount);

	if (mode == CGROUPS_V2)
		findings_add(f, "cgroups", SUPPORT_FINE, "v2 at %s", mount);
	else if (mode == CGROUPS_HYBRID)
		findings_add(f, "cgroups", SUPPORT_FINE, "hybrid, the v2 tree at %s", mount);
	else if (mode == CGROUPS_V1)
		findings_add(f, "cgroups", SUPPORT_MISSING,
			     "v1 only: boot with systemd.unified_cgroup_hierarchy=1, or mount a "
			     "cgroup2 beside");
	else
		findings_add(f, "cgroups", SUPPORT_MISSING, "can't be read: %s", strerror(-mode));
}

/* --- seccomp ----------------------------------------------------------------------------- */

static void probe_filters(struct findings *f)
{
	static const char *const needed[] = { "errno", "allow", "kill_process", "kill_thread" };
	_free_ char *actions = read_small("/proc/sys/kernel/seccomp/actions_avail");

	if (!actions) {
		findings_add(f, "seccomp filters", SUPPORT_MISSING,
			     "no /proc/sys/kernel/seccomp/actions_avail: nothing can be enforced");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (has_word(actions, needed[i]))
			continue;
		findings_add(f, "seccomp filters", SUPPORT_DEGRADED, "action %s is missing",
			     needed[i]);
		return;
	}
	actions[strcspn(actions, "\n")] = '\0';
	findings_add(f, "seccomp filters", SUPPORT_FINE, "%s", actions);
}

/* A flag that the kernel knows comes to the missing program (EFAULT), another doesn't. */
static bool knows_flag(unsigned long flag)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

static void probe_notify(struct findings *f)
{
	struct seccomp_notif_sizes sizes = { 0 };

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		findings_add(f, "seccomp notify", SUPPORT_DEGRADED, "no (%s): no probation",
			     strerror(errno));
	else if (!knows_flag(SECCOMP_FILTER_FLAG_NEW_LISTENER |
			     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV))
		findings_add(f, "seccomp notify", SUPPORT_DEGRADED,
			     "yes, but a signal interrupts the call that waits");
	else
		findings_add(f, "seccomp notify", SUPPORT_FINE, "yes, signals can be held back");
}

static void probe_libseccomp(struct findings *f)
{
	const struct scmp_version *v = seccomp_version();

	if (v)
		findings_add(f, "libseccomp", SUPPORT_FINE, "%u.%u.%u", v->major, v->minor,
			     v->micro);
}

/* --- limits ------------------------------------------------------------------------------ */

static const char *limit_text(rlim_t value, char buf[32])
{
	if (value == RLIM_INFINITY)
		snprintf(buf, 32, "unlimited");
	else
		snprintf(buf, 32, "%" PRIu64, (uint64_t)value);
	return buf;
}

/* Programs, maps and links take some 60 descriptors; the rest is the store and the loop. */
static void probe_limits(struct findings *f)
{
	struct rlimit files, locked;
	char files_text[32], locked_text[32];

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || getrlimit(RLIMIT_MEMLOCK, &locked) < 0)
		return;
	findings_add(f, "limits", files.rlim_max < 256 ? SUPPORT_DEGRADED : SUPPORT_FINE,
		     "open files %s, locked memory %s", limit_text(files.rlim_max, files_text),
		     limit_text(locked.rlim_max, locked_text));
}

void probes_kernel(struct findings *f)
{
	static void (*const probes[])(struct findings *) = {
		probe_root,    probe_types,   probe_raw_tracepoints, probe_ring,
		probe_atomic,  probe_batch,   probe_bpffs,	     probe_lsm,
		probe_cgroups, probe_filters, probe_notify,	     probe_libseccomp,
		probe_limits,
	};

	/* libbpf would explain to stderr what we say better. */
	(void)libbpf_set_print(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		probes[i](f);
}
