/* SPDX-License-Identifier: Apache-2.0 */
/* A mining run as one HTML file that needs no network: the document of `tamis mine --json` inside. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* -EIO; the document's strings are hostile: none can end the script that holds it. */
int report_write(const json_t *doc, FILE *f);
