/* SPDX-License-Identifier: Apache-2.0 */
/* Runtimes installed where engines look for them. */
#pragma once

/* runc, crun and youki in /usr/bin, /usr/sbin, /usr/local/{bin,sbin}, /usr/libexec, /usr/lib/cri-o,
 * /usr/libexec/crio, each binary once: `fn`'s first value that isn't 0 ends it and is returned. */
int runtimes_installed(int (*fn)(void *ctx, const char *path), void *ctx);
