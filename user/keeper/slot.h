/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notification that is being answered. Once it is received (SECCOMP_IOCTL_NOTIF_RECV) the kernel
 * gives it to nobody again, and its caller waits for good if who received it dies. So it is received
 * into a shared file mapping, RUN/slot, which a keeper that is killed leaves behind: the next one
 * finds it there, and answers it. Sending is idempotent: an id that was answered is -ENOENT.
 */
#pragma once

#include <linux/seccomp.h>
#include <stdint.h>

#define SLOT_MAGIC 0x746b7331 /* "tks1" */

struct slot {
	uint32_t magic;
	uint32_t busy;	 /* set before receiving, cleared after the answer went out */
	uint64_t filter; /* which descriptor: its number in the service manager's store */
	struct seccomp_notif notif; /* id 0: none was received */
};

/* Maps RUN/slot (0600), making it. What is there and makes no sense is cleared. */
int slot_open(const char *run, struct slot **ret);
void slot_close(struct slot *s);

/* Before a notification is received into it: busy, of that descriptor, all zeroes, as the kernel wants. */
void slot_take(struct slot *s, uint64_t filter);
/* After the answer went out. */
void slot_release(struct slot *s);
