/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/kube.h"

#include "recorded.h"

#define HASH "7d4b9c6f5d"

static const struct {
	const char *pod, *labels, *annotations, *owner, *created;
	bool is_static;
} owners[] = {
	{ "web-" HASH "-x2vqz", "{\"pod-template-hash\":\"" HASH "\"}", "", "web" },
	{ "web-" HASH "-x2vqz", "{}", "", "web-" HASH "-x2vqz" }, /* looks like it: no evidence */
	{ "web-" HASH "-x2vqz", "", "", "web-" HASH "-x2vqz" },
	{ "web-" HASH "-x2vqz", "{\"pod-template-hash\":\"0000000000\"}", "",
	  "web-" HASH "-x2vqz" },
	{ "web-" HASH "-abcde", "{\"pod-template-hash\":\"" HASH "\"}", "", "web-" HASH "-abcde" },
	{ "web" HASH "-x2vqz", "{\"pod-template-hash\":\"" HASH "\"}", "", "web" HASH "-x2vqz" },
	{ "-" HASH "-x2vqz", "{\"pod-template-hash\":\"" HASH "\"}", "", "-" HASH "-x2vqz" },
	{ "db-0", "{\"statefulset.kubernetes.io/pod-name\":\"db-0\"}", "", "db" },
	{ "db-0", "{\"statefulset.kubernetes.io/pod-name\":\"db-1\"}", "", "db-0" },
	{ "db-0", "{\"controller-revision-hash\":\"db-abc\"}", "", "db-0" },
	{ "agent-x2vqz", "{\"controller-revision-hash\":\"5b\",\"pod-template-generation\":\"1\"}",
	  "", "agent" },
	{ "agent-x2vqz", "{\"controller-revision-hash\":\"5b\"}", "", "agent-x2vqz" },
	{ "backup-x2vqz", "{\"job-name\":\"backup\"}", "", "backup" },
	{ "backup-3-x2vqz", "{\"batch.kubernetes.io/job-name\":\"backup\"}", "", "backup" },
	{ "backups-x2vqz", "{\"job-name\":\"backup\"}", "", "backups-x2vqz" },
	{ "etcd-node1", "", "{\"kubernetes.io/config.source\":\"file\"}", "etcd" },
	{ "etcd-node2", "", "{\"kubernetes.io/config.source\":\"file\"}", "etcd-node2" },
	{ "etcd-node1", "", "{\"kubernetes.io/config.source\":\"api\"}", "etcd-node1" },
	{ "etcd-node1", "", "", "etcd-node1" },
	{ "etcd-node1", "", "", "etcd", NULL, true },
	{ "-node1", "", "", "-node1", NULL, true },
	/* 28391040 minutes: the 25th of December 2023. */
	{ "tidy-28391040-x2vqz", "{\"job-name\":\"tidy-28391040\"}", "", "tidy",
	  "2023-12-25T00:00:02.5Z" },
	{ "tidy-28391040-3-x2vqz", "{\"job-name\":\"tidy-28391040\"}", "", "tidy",
	  "2023-12-28T10:00:00+02:00" },
	{ "tidy-28391040-x2vqz", "{\"job-name\":\"tidy-28391040\"}", "", "tidy-28391040",
	  "2024-12-25T00:00:02Z" },
	{ "tidy-28391040-x2vqz", "{\"job-name\":\"tidy-28391040\"}", "", "tidy-28391040",
	  "2023-12-20T00:00:02Z" },
	{ "tidy-28391040-x2vqz", "{\"job-name\":\"tidy-28391040\"}", "", "tidy-28391040", "soon" },
	{ "tidy-28391040-x2vqz", "{\"job-name\":\"tidy-28391040\"}", "", "tidy-28391040" },
	{ "tidy-28391040-x2vqz", "", "", "tidy-28391040-x2vqz", "2023-12-25T00:00:02Z" },
	{ "-28391040-x2vqz", "{\"job-name\":\"-28391040\"}", "", "-28391040",
	  "2023-12-25T00:00:02Z" },
	{ "a", "{\"pod-template-hash\":\"" HASH "\"}", "", "a" },
	{ "", "{\"pod-template-hash\":\"\",\"job-name\":\"\"}", "", "" },
	{ "x-bcdfg", "not json", "[]", "x-bcdfg" },
};

static struct slice as_slice(const char *text)
{
	return (struct slice){ *text ? text : NULL, strlen(text) };
}

static void drops_suffixes_on_evidence(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(owners); i++) {
		const struct kube_evidence e = { as_slice(owners[i].labels),
						 as_slice(owners[i].annotations), owners[i].created,
						 "node1", owners[i].is_static };
		_free_ char *owner = kube_owner(owners[i].pod, &e);

		same_text(owners[i].pod, "owner", owner, owners[i].owner);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(drops_suffixes_on_evidence) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
