/* SPDX-License-Identifier: Apache-2.0 */
/* Any contents of any file that identity reads, as a whole: the first byte says which. Only root
 * owns what is believed, so it does little for others. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity/identity.h"
#include "key.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STORE "/var/lib/containers/storage/overlay-containers/"
#define SHIM  "/run/containerd/io.containerd.runtime.v2.task/"

static const struct {
	const char *file, *path;
} files[] = {
	{ STORE ID "/userdata/config.json", "/machine.slice/libpod-" ID ".scope" },
	{ STORE "containers.json", "/machine.slice/libpod-" ID ".scope" },
	{ "/etc/containers/storage.conf", "/machine.slice/libpod-" ID ".scope" },
	{ "/var/lib/docker/containers/" ID "/config.v2.json", "/system.slice/docker-" ID ".scope" },
	{ "/var/lib/docker/containers/" ID "/hostconfig.json", "/docker/" ID },
	{ "/etc/docker/daemon.json", "/docker/" ID },
	{ SHIM "moby/" ID "/shim-binary-path", "/docker/" ID },
	{ SHIM "default/c/config.json", "/default/c" },
	{ SHIM "default/" ID "/config.json", "/default/" ID },
	{ SHIM "k8s.io/" ID "/config.json", "/kubepods/pod1/" ID },
	{ "/etc/containerd/config.toml", "/kubepods/pod1/" ID },
	{ "/etc/hostname", "/kubepods/pod0123456789abcdef0123456789abcdef/" ID },
	{ "/run/runc/c/state.json", "/c" },
	{ "/run/crun/c/status", "/c" },
	{ "/var/lib/lxc/c/config", "/farm/lxc.payload.c" },
	{ "/etc/systemd/system/a.service", "/system.slice/a.service" },
	{ "/etc/systemd/system/a.socket", "/system.slice/a@1-2-3.service" },
	{ "/etc/passwd", "/user.slice/user-7.slice/user@7.service/user.slice/libpod-" ID ".scope" },
};
#define FILES (sizeof(files) / sizeof(files[0]))

static char root[] = "/tmp/fuzz-files-XXXXXX";

static void full(const char *path, char ret[512])
{
	must(snprintf(ret, 512, "%s%s", root, path) < 512);
}

static void make_parents(char *file)
{
	char *slash = file + strlen(root);

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		(void)mkdir(file, 0755);
		*slash = '/';
	}
}

static void remove_tree(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	(void)!system(command);
}

static void begin(void)
{
	char file[512];
	size_t n;

	must(mkdtemp(root) != NULL);
	for (n = 0; n < FILES; n++) {
		full(files[n].file, file);
		make_parents(file);
	}
	atexit(remove_tree);
}

static void put(size_t n, const uint8_t *data, size_t size)
{
	char file[512];
	int fd;

	full(files[n].file, file);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void forget(size_t n)
{
	char file[512];

	full(files[n].file, file);
	must(unlink(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const watch[] = { "*", NULL };
	const struct identity_options o = { .root = root, .watch = watch };
	struct identity i = IDENTITY_INIT;
	size_t n;

	if (size == 0)
		return 0;
	if (strstr(root, "XXXXXX"))
		begin();
	n = data[0] % FILES;
	put(n, data + 1, size - 1);
	if (identity_of_path(&o, files[n].path, &i) == 0) {
		check_key(i.key);
		check_key(i.owner);
		must(i.enforceable || i.why_not);
	}
	identity_done(&i);
	forget(n);
	return 0;
}
