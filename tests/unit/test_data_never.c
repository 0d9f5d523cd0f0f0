/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "policy/data.h"
#include "policy/data_text.h"

static void units_that_hold_up_the_host(void **state)
{
	static const struct {
		const char *unit;
		bool never, alone;
	} rows[] = {
		{ "init.scope", true, false },
		{ "user@1000.service", true, false },
		{ "ssh.service", true, true },
		{ "sshd.service", true, true },
		{ "ssh@3-192.0.2.1:22-192.0.2.9:5022.service", true, true },
		{ "sshd.socket", true, true },
		{ "docker.service", true, false },
		{ "docker.socket", true, false },
		{ "snap.docker.dockerd.service", true, false },
		{ "containerd.service", true, false },
		{ "crio.service", true, false },
		{ "podman.service", true, false },
		{ "podman.socket", true, false },
		{ "kubelet.service", true, false },
		{ "tamis.service", true, false },
		{ "tamis-keeper.service", true, false },
		{ "nginx.service", false, false },
		{ "redis-server.service", false, false },
		{ "sshguard.service", false, false },
		{ "docker-registry.service", false, false },
		{ "myssh.service", false, false },
		{ "user@.slice", false, false },
		{ "ssh.service.d", false, false },
		{ "", false, false },
		{ "*", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *why = NULL;

		if (data_never(rows[i].unit, &why) != rows[i].never ||
		    data_never_alone(rows[i].unit) != rows[i].alone)
			fail_msg("%s", rows[i].unit);
		assert_int_equal(why != NULL, rows[i].never);
		assert_true(!why || why[strlen(why) - 1] != '.');
	}
}

/* A pattern is a unit's, each line has a class that is known: its own first pattern says why. */
static void lines_are_clean(void **state)
{
	struct data_text text = data_text_never(), line;
	unsigned cnt = 0;

	while (data_line(&text, &line)) {
		char word[DATA_WORD];
		const char *why = NULL;

		assert_int_equal(data_word(&line, word), 1);
		while (data_word(&line, word) > 0) {
			const char *dot = strrchr(word, '.');

			assert_non_null(dot);
			assert_true(strcmp(dot, ".service") == 0 || strcmp(dot, ".socket") == 0 ||
				    strcmp(dot, ".scope") == 0);
			/* A pattern matches itself: '*' matches '*'. */
			assert_true(data_never(word, &why));
			cnt++;
		}
	}
	assert_true(cnt > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_that_hold_up_the_host),
		cmocka_unit_test(lines_are_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
