/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/envelope.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/json_text.h"
#include "base/text.h"
#include "cli/calls_text.h"

static json_t *hostile(const char *s)
{
	_free_ char *escaped = s ? text_escaped(s, SIZE_MAX) : NULL;

	return escaped ? json_string(escaped) : json_null();
}

static void add_limit(void *ctx, const char *line)
{
	(void)json_array_append_new(ctx, hostile(line));
}

static json_t *policy_value(const struct emit_format *format, const char *text, size_t len)
{
	_free_ char *encoded = NULL;

	if (!strcmp(format->name, "oci") || !strcmp(format->name, "docker"))
		return json_loadb(text, len, 0, NULL);
	if (strcmp(format->name, "bpf") != 0)
		return json_stringn(text, len);
	encoded = base64_encode(text, len);
	return encoded ? json_string(encoded) : NULL;
}

static json_t *limits_of(const struct policy *p, const struct emit_format *format,
			 const struct emit_options *o)
{
	json_t *limits = json_array();

	(void)emit_caveats(p, add_limit, limits);
	(void)emit_limits(format, p, add_limit, limits);
	if (o->base)
		(void)docker_base_limits(o->base, p, add_limit, limits);
	return limits;
}

int envelope(const struct policy *p, const struct emit_format *format, const struct emit_options *o,
	     const char *text, size_t len, char **ret)
{
	static const struct sysset none[TAMIS_ABI_MAX];
	json_t *object;
	char *out = NULL;

	object = json_pack(
		"{s:o, s:o, s:o, s:s, s:b, s:I, s:o, s:o, s:o}", "workload", hostile(p->workload),
		"engine", hostile(p->engine), "image", hostile(p->image), "format", format->name,
		"partial", evidence_is_partial(p->evidence), "starts",
		(json_int_t)p->evidence->starts, "pending", calls_json(p->pending ?: none),
		"limits", limits_of(p, format, o), "policy", policy_value(format, text, len));
	if (object)
		out = json_text(object, JSON_INDENT(2));
	json_decref(object);
	if (!out)
		return -ENOMEM;
	*ret = out;
	return 0;
}
