/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which machine this is. A copy of its disk is another one.
 */
#ifndef CLOUDINVITE_BASE_MACHINE_H
#define CLOUDINVITE_BASE_MACHINE_H

#include <stdbool.h>

#define MACHINE_FACT_SIZE 64

/* What tells one machine from its copies; "" where it is not known. */
struct machine {
	char id[MACHINE_FACT_SIZE];	  /* /etc/machine-id */
	char product[MACHINE_FACT_SIZE];  /* a hash of the UUID that firmware or hypervisor gives */
	char instance[MACHINE_FACT_SIZE]; /* the cloud's instance id, as cloud-init has stored it */
};

/* "" for a missing, empty or uninitialized id: an image before its first boot, a container. */
void machine_read_id(char out[MACHINE_FACT_SIZE]);
/* The same below another root directory, for tests. `run`: the run directory, where --prepare has
 * left the hash of the UUID, which only root can read. */
void machine_read(struct machine *m, const char *root, const char *run);

/* Whether `now` is certainly another machine than `before`. An id where there was none is one: that
 * was an image. A fact that was not known otherwise, or is not known now, says nothing. */
bool machine_is_another(const struct machine *before, const struct machine *now);
/* Whether something beside the id, which is easily copied, says that it is the same. */
bool machine_is_proved(const struct machine *before, const struct machine *now);
/* `now`, with what was known before where it is not known now. */
struct machine machine_merge(const struct machine *before, const struct machine *now);

/* As root: what machine_read finds as `product`, or "". */
void machine_product(const char *root, char out[MACHINE_FACT_SIZE]);

#endif
