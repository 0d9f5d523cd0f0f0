/* SPDX-License-Identifier: Apache-2.0 */
/* TOML as engines' configuration files use it for paths: NAME = "VALUE" alone on its line. */
#pragma once

/* The first such value in [section], "" being what stands before any. NULL when there is none, when
 * it has escapes, or when out of memory. Caller frees. */
char *toml_text(const char *text, const char *section, const char *name);
