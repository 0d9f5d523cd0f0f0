/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply/hook.h"
#include "apply/wrapper.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/options.h"

static int uninstall_podman(const char *dir)
{
	int r = hook_remove(dir);

	if (r < 0) {
		log_err_errno(r, "%s", dir);
		return EXIT_FAIL;
	}
	for (int i = 0; hook_files[i]; i++)
		printf("%s%s/%s\n", r ? "not there: " : "removed ", dir, hook_files[i]);
	return EXIT_OK;
}

static int remove_wrapper(const char *path)
{
	int r = wrapper_remove(path);

	if (r == -EINVAL)
		log_err("%s: no wrapper of tamis", path);
	else if (r < 0)
		log_err_errno(r, "%s", path);
	if (r < 0)
		return EXIT_FAIL;
	printf("%s%s\n", r ? "not there: " : "removed ", path);
	return EXIT_OK;
}

static int disable_wrapper(const char *path)
{
	_free_ char *why = NULL;
	int r = wrapper_disable(path, &why);

	if (r == -ENOENT) {
		printf("not there: %s\n", path);
		return EXIT_OK;
	}
	if (r < 0) {
		log_err("%s", why ? why : strerror(-r));
		return EXIT_FAIL;
	}
	printf("%s%s, a script that runs the real runtime: containers may have that path as "
	       "theirs\n",
	       r ? "there already: " : "left ", path);
	printf("when nothing refers to it any more: tamis uninstall wrapper %s --remove\n", path);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *hooks_dir = HOOK_DIR;
	bool remove = false;
	const struct option_row podman[] = { { "hooks-dir", .text = &hooks_dir }, { 0 } },
				wrapper[] = { { "remove", .flag = &remove }, { 0 } };
	struct arguments none = { .max = 0 }, one = { .min = 1, .max = 1 };

	if (argc < 2)
		return cmd_bad_argument(&cmd_uninstall, NULL);
	if (strcmp(argv[1], "podman") == 0) {
		if (options_parse(&cmd_uninstall, podman, argc - 1, argv + 1, &none) != EXIT_OK)
			return EXIT_USAGE;
		return uninstall_podman(hooks_dir);
	}
	if (strcmp(argv[1], "wrapper") == 0) {
		if (options_parse(&cmd_uninstall, wrapper, argc - 1, argv + 1, &one) != EXIT_OK)
			return EXIT_USAGE;
		return remove ? remove_wrapper(one.arg[0]) : disable_wrapper(one.arg[0]);
	}
	log_err("uninstall: \"%s\" is none of podman, wrapper", argv[1]);
	return EXIT_USAGE;
}

const struct cmd cmd_uninstall = {
	.name = "uninstall",
	.args = "podman [--hooks-dir DIR] | wrapper PATH [--remove]",
	.help = "take tamis-start out of an engine's start path; every container stays startable",
	.run = run,
};
