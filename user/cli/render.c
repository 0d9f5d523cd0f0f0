/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/render.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/stream.h"
#include "cli/envelope.h"

int render_take_format(const char *name, void *ctx)
{
	struct render *r = ctx;

	r->format = emit_find(name);
	if (r->format)
		return 0;
	log_err("unknown format \"%s\"", name);
	return -EINVAL;
}

int render_check(const struct render *r)
{
	if (strcmp(r->format->name, "bpf") != 0 || r->json || r->output || !isatty(STDOUT_FILENO))
		return 0;
	log_err("a BPF program is not for a terminal; use -o FILE");
	return -EINVAL;
}

int render_text(const struct render *r, const struct policy *p, char **ret, size_t *ret_len)
{
	_free_ char *text = NULL, *whole = NULL;
	size_t len = 0;
	FILE *f = stream_open(&text, &len);
	int err;

	if (!f)
		return -ENOMEM;
	err = r->format->write(p, &r->emit, f);
	if (fclose(f) != 0 && err == 0)
		err = -ENOMEM;
	if (err == 0 && r->json)
		err = envelope(p, r->format, &r->emit, text, len, &whole);
	if (err < 0)
		return err;
	*ret_len = whole ? strlen(whole) : len;
	*ret = whole ? TAKE_PTR(whole) : TAKE_PTR(text);
	return 0;
}

static int put(const char *output, const char *text, size_t len)
{
	if (output)
		return file_write_atomic(output, text, len, 0644);
	if (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0)
		return -errno;
	return 0;
}

int render_policy(const struct render *r, const struct policy *p)
{
	_free_ char *text = NULL;
	size_t len = 0;
	int err = render_text(r, p, &text, &len);

	if (err < 0)
		return log_err_errno(err, "%s: can't be said as %s", p->workload, r->format->name);
	err = put(r->output, text, len);
	return err < 0 ? log_err_errno(err, "%s", r->output ?: "standard output") : 0;
}
