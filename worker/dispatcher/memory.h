/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a program that waits for days between two calls.
 */
#ifndef CLOUDINVITE_WORKER_DISPATCHER_MEMORY_H
#define CLOUDINVITE_WORKER_DISPATCHER_MEMORY_H

/* Once, before the first large allocation: a freed block of 128 KB or more is released at once. */
void memory_configure(void);
/* Releases free heap pages, and unmaps the code of this program and of its libraries. The kernel
 * maps a page of code again, from the file, when it is next run. */
void memory_release(void);

#endif
