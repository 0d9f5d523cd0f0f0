/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "mine/explore_internal.h"

#include "recorded.h"

/* The values found, each in brackets. */
static const struct {
	const char *html, *links;
} rows[] = {
	{ "", "" },
	{ "no markup href", "" },
	{ "<a href=\"/a\">x</a>", "[/a]" },
	{ "<a href='/a b'>", "[/a b]" },
	{ "<a href=/a>", "[/a]" },
	{ "<a HREF = \n \"/a\">", "[/a]" },
	{ "<a class=x href=/a?b=c&amp;d id=y><img\tsrc=b.png>", "[/a?b=c&amp;d][b.png]" },
	{ "<form action=\"/go\" method=post>", "[/go]" },
	{ "<a title=\"x\"href=\"/a\">", "[/a]" },
	{ "<a data-href=\"/a\">", "" },
	{ "<a xhref=\"/a\">", "" },
	{ "<a hreflang=\"de\">", "" },
	{ "<a href>", "" },
	{ "<a href=>", "" },
	{ "<a href=\"\">", "" },
	{ "<a href=\"/a", "" },
	{ "<a href=/a", "" },
	{ "<a href=", "" },
	{ "<a href", "" },
	{ "<a href=\"/a'b\"><a href='/c\"d'>", "[/a'b][/c\"d]" },
	{ "<a href=\"\"><a href=/b>", "[/b]" },
};

static void finds_links(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *p = rows[i].html, *end = p + strlen(p);
		_free_ char *all = strdup("");
		struct explore_word w;

		while (explore_link_next(&p, end, &w)) {
			char *more = text_format("%s[%.*s]", all, (int)w.len, w.p);

			free(all);
			all = more;
		}
		same_text(rows[i].html, "links", all, rows[i].links);
		assert_ptr_equal(p, end);
	}
}

/* Data in a page is no name of one. */
static void leaves_long_ones(void **state)
{
	_free_ char *html = text_format("<img src=\"%0*d\"><a href=\"%0*d\">", 2049, 1, 2048, 2);
	const char *p = html, *end = html + strlen(html);
	struct explore_word w;

	assert_true(explore_link_next(&p, end, &w));
	assert_int_equal(w.len, 2048);
	assert_false(explore_link_next(&p, end, &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_links),
		cmocka_unit_test(leaves_long_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
