/* SPDX-License-Identifier: Apache-2.0 */
/* An exported policy for machines: itself, what it is worth, and what its format can't say. */
#pragma once

#include <stddef.h>

#include "emit/emit.h"

/* One JSON object in fresh memory (caller frees): workload, engine, image, format, partial,
 * starts, pending (calls), limits (sentences, caveats among them), and policy: the object itself for
 * -f oci and docker, a string for text formats, base64 for bpf. Hostile text is escaped
 * (base/text.h). -ENOMEM. */
int envelope(const struct policy *p, const struct emit_format *format, const struct emit_options *o,
	     const char *text, size_t len, char **ret);
