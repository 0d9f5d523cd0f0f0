/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "apply/gate.h"
#include "apply/hook.h"
#include "apply/kubelet.h"
#include "apply/ways.h"
#include "apply/wrapper.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/capture.h"
#include "cli/cmd.h"
#include "cli/options.h"

#define VERSION_WAIT_MS 5000

/* Values of options; each kind of thing has its own. */
struct install {
	const char *state, *hooks_dir, *runtime, *as, *kubelet_dir;
};

static const char *why_or(const char *why, int r)
{
	return why ? why : strerror(-r);
}

/* tamis-start where nobody but root may change it. Caller frees; NULL, having said why not. */
static char *find_start(void)
{
	_free_ char *start = NULL, *why = NULL;
	int r = ways_start_path(&start);

	if (r < 0) {
		log_err("tamis-start is neither beside this program nor in ../libexec");
		return NULL;
	}
	r = wrapper_check_program(start, &why);
	if (r < 0) {
		log_err("%s", why_or(why, r));
		return NULL;
	}
	return TAKE_PTR(start);
}

/* What engines are given is a path wherever they are started. Caller frees. */
static char *absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/')
		return strdup(path);
	return getcwd(cwd, sizeof(cwd)) ? text_format("%s/%s", cwd, path) : NULL;
}

/* --- podman ------------------------------------------------------------------------------ */

static int install_podman(const struct install *in, const struct arguments *args)
{
	_free_ char *start = find_start(), *state = absolute(in->state);
	int r;

	if (!start || !state)
		return EXIT_FAIL;
	r = hook_put(in->hooks_dir, start, state);
	if (r < 0) {
		log_err_errno(r, "%s", in->hooks_dir);
		return EXIT_FAIL;
	}
	for (int i = 0; hook_files[i]; i++)
		printf("%s%s/%s\n", r ? "there already: " : "wrote ", in->hooks_dir, hook_files[i]);
	return EXIT_OK;
}

/* --- wrapper ----------------------------------------------------------------------------- */

/* Others don't load the profile that they are given, or not into the kernel that we know. */
static bool is_known(const char *version)
{
	return strstr(version, "runc") || strstr(version, "crun") || strstr(version, "youki");
}

static int check_runtime(const char *path)
{
	_free_ char *why = NULL, *copy = strdup(path);
	char *argv[] = { copy, (char[]){ "--version" }, NULL };
	char version[256];
	int r = wrapper_check_program(path, &why);

	if (r < 0 || !copy) {
		log_err("%s", why_or(why, r));
		return -EINVAL;
	}
	if (wrapper_kind(path) != WRAPPER_OTHER) {
		log_err("%s: a wrapper of tamis, not a runtime", path);
		return -EINVAL;
	}
	if (capture_run(argv, VERSION_WAIT_MS, version, sizeof(version)) < 0 ||
	    !is_known(version)) {
		log_err("%s: does not answer --version as runc, crun or youki do", path);
		return -EINVAL;
	}
	return 0;
}

static char *default_path(const char *runtime)
{
	const char *slash = strrchr(runtime, '/');

	return text_format(WRAPPER_DIR "/tamis-%s", slash ? slash + 1 : runtime);
}

static bool is_same(const char *a, const char *b)
{
	_free_ char *real_a = realpath(a, NULL), *real_b = realpath(b, NULL);

	return real_a && real_b && strcmp(real_a, real_b) == 0;
}

/* What a person has to tell the engines: their files are theirs. */
static void print_lines(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	printf("docker, /etc/docker/daemon.json:\n"
	       "    { \"runtimes\": { \"%s\": { \"path\": \"%s\" } },\n"
	       "      \"default-runtime\": \"%s\" }\n",
	       name, path, name);
	printf("containerd, /etc/containerd/config.toml (version 2; with version 3 the plugin is "
	       "'io.containerd.cri.v1.runtime'):\n"
	       "    [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.%s]\n"
	       "      runtime_type = \"io.containerd.runc.v2\"\n"
	       "    [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.%s.options]\n"
	       "      BinaryName = \"%s\"\n",
	       name, name, path);
	printf("CRI-O, /etc/crio/crio.conf:\n"
	       "    [crio.runtime.runtimes.%s]\n"
	       "    runtime_path = \"%s\"\n",
	       name, path);
	printf("podman, /etc/containers/containers.conf (or its hook: tamis install podman):\n"
	       "    [engine]\n"
	       "    runtime = \"%s\"\n"
	       "    runtime_supports_json = [\"crun\", \"runc\", \"%s\"]\n"
	       "    [engine.runtimes]\n"
	       "    %s = [\"%s\"]\n",
	       name, name, name, path);
}

static int put_wrapper(const char *path, const char *runtime, const char *state)
{
	_free_ char *start = find_start();
	struct sysset gate[TAMIS_ABI_MAX] = { 0 };
	int r = start ? wrapper_put(path, start, runtime, state) : -ENOENT;

	if (r < 0 && start)
		log_err_errno(r, "%s", path);
	if (r < 0)
		return EXIT_FAIL;
	/* Its version is remembered: a start has no time to ask. */
	(void)gate_of_runtime(state, runtime, VERSION_WAIT_MS, gate, NULL);
	printf("%s%s, a wrapper of %s\n", r ? "there already: " : "wrote ", path, runtime);
	print_lines(path);
	return EXIT_OK;
}

static int install_wrapper(const struct install *in, const struct arguments *args)
{
	_free_ char *runtime = NULL, *path = NULL, *state = absolute(in->state);

	if (!in->runtime) {
		log_err("install wrapper: --runtime PATH is missing");
		return EXIT_USAGE;
	}
	runtime = absolute(in->runtime);
	path = in->as ? absolute(in->as) : default_path(in->runtime);
	if (!runtime || !path || !state || check_runtime(runtime) < 0)
		return EXIT_FAIL;
	if (is_same(runtime, path) || wrapper_kind(path) == WRAPPER_OTHER) {
		log_err("%s: is there, and no wrapper of tamis", path);
		return EXIT_FAIL;
	}
	return put_wrapper(path, runtime, state);
}

/* --- kubelet ----------------------------------------------------------------------------- */

static int install_kubelet(const struct install *in, const struct arguments *args)
{
	int code = EXIT_OK;

	for (int i = 0; i < args->cnt; i++) {
		_free_ char *why = NULL;
		int r = kubelet_placeholder(in->kubelet_dir, args->arg[i], &why);

		if (r < 0) {
			log_err("%s: %s", args->arg[i], why_or(why, r));
			code = EXIT_FAIL;
		} else {
			printf("%s has its file below %s\n", args->arg[i], in->kubelet_dir);
		}
	}
	return code;
}

/* --- the command ------------------------------------------------------------------------- */

static int run(int argc, char **argv)
{
	struct install in = { .state = DEFAULT_STATE_DIR,
			      .hooks_dir = HOOK_DIR,
			      .kubelet_dir = KUBELET_DIR };
	const struct option_row podman[] = { OPTION_STATE(&in.state),
					     { "hooks-dir", .text = &in.hooks_dir },
					     { 0 } },
				wrapper[] = { OPTION_STATE(&in.state),
					      { "runtime", .text = &in.runtime },
					      { "as", .text = &in.as },
					      { 0 } },
				kubelet[] = { { "kubelet-dir", .text = &in.kubelet_dir }, { 0 } };
	const struct {
		const char *name;
		const struct option_row *options;
		int min, max;
		int (*run)(const struct install *in, const struct arguments *args);
	} kinds[] = { { "podman", podman, 0, 0, install_podman },
		      { "wrapper", wrapper, 0, 0, install_wrapper },
		      { "kubelet", kubelet, 1, -1, install_kubelet } };

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(kinds); i++) {
		struct arguments args = { .min = kinds[i].min, .max = kinds[i].max };

		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		if (options_parse(&cmd_install, kinds[i].options, argc - 1, argv + 1, &args) !=
		    EXIT_OK)
			return EXIT_USAGE;
		return kinds[i].run(&in, &args);
	}
	if (argc > 1) {
		log_err("install: \"%s\" is none of podman, wrapper, kubelet", argv[1]);
		return EXIT_USAGE;
	}
	return cmd_bad_argument(&cmd_install, NULL);
}

const struct cmd cmd_install = {
	.name = "install",
	.args = "podman [--hooks-dir DIR] [--state DIR] | wrapper --runtime PATH [--as PATH] "
		"[--state DIR] | kubelet KEY... [--kubelet-dir DIR]",
	.help = "put tamis-start into the start path of an engine",
	.run = run,
};
